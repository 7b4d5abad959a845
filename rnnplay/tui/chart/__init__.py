"""Charts: histories of numbers, axes, and drawing in braille."""
