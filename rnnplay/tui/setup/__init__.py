"""The setup: the form, its fields, presets."""
