"""The playground and inspection screens, and the dialogs over them."""
