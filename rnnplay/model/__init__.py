"""The mathematics: the language model, its cells written out, and sampling from it."""
