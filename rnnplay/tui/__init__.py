"""The terminal interface (Textual). Never imports torch."""
