"""The race: its screen, its plan, and what one does to a variant."""
