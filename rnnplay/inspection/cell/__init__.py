"""One cell, step by step: all that it computes on a text, the numbers of a timestep, and a drawing of it."""
