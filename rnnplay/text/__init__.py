"""Text in, token ids out: catalogue, corpora, tokenizers, encoded (memory-mapped) corpora. No torch."""
