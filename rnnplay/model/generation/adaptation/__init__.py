"""Adapts a model to the text that it reads or that a user writes."""
