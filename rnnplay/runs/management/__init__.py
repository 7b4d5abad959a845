"""What a user does with whole runs: rename, move to the trash and back, see what they take on disk."""
