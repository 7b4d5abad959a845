"""Checkpoints of a training: written, resumed, rolled back to, branched from."""
