"""The commands: one per file, each importing what it needs when it is called."""
