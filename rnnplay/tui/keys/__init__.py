"""All keys that can be changed: what the screens declare, the table of it, and the check of keymap.toml against it."""
