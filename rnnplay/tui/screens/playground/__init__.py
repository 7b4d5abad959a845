"""The playground: its screen, its keys and what they do."""
