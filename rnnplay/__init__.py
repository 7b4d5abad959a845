"""rnnplay: a playground in the terminal for recurrent language models."""

__version__ = "0.1.0"
