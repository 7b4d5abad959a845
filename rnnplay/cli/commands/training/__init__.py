"""Commands that train, and the one that follows a training."""
