"""Corpora: cards, the catalogue, and what is generated or added. No torch."""
