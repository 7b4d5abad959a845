"""Between Textual and the terminal: what is read from it, what is written to it, its modes, and the signals.

Here rnnplay replaces or calls private parts of Textual; tests/tui/textual_patches/test_private_parts.py names them and
the few elsewhere, and fails when Textual changes one. Tried with Textual 8.2.8.
"""
