"""The pictures in README and docs, taken of the program."""
