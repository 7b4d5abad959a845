"""Corpora: cards, the catalogue, and texts that are generated or added. Does not load torch."""
