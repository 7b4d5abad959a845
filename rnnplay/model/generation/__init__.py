"""Text from a model: sampling and completion."""
