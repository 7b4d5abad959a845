"""What `rnnplay train`, `race` and `sweep` are made of."""
