"""Reading and writing of files, numbers and text: used by every part, and depends on none."""
