"""What `rnnplay train` is made of."""
