"""Texts as token ids in memory-mapped files, and the cache of them. No torch."""
