"""Tokenizers: characters and words, and their vocabularies. No torch."""
