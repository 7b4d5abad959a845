"""Texts written by grammars of our own: the corpus `tales`."""
