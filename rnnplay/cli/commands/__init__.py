"""The commands: one a file, each importing what it needs when it is called."""
