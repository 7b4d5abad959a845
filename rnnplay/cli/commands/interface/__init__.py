"""The interface in the terminal and in the browser: opening it, its lessons and its keys."""
