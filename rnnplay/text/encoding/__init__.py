"""Texts as token ids in memory-mapped files, and the cache of them. Does not load torch."""
