"""Tokenizers for characters and words, and their vocabularies. Does not load torch."""
