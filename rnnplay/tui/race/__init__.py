"""The race of several variants: its state, its table, charts and answers."""
