"""What every part may use and that uses none: reading and writing of files, numbers and text."""
