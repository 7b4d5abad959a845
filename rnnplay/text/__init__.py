"""Turns text into token ids: corpora, tokenizers, encoded (memory-mapped) corpora, feeds. Does not load torch."""
