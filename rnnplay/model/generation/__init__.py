"""Generates text from a model: samples and completions."""
