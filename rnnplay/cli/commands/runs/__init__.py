"""Commands on whole runs: listing and comparing them, and taking them to and from other programs."""
