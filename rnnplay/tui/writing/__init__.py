"""The scratchpad: a text of the user's own, with the model's suggestions."""
