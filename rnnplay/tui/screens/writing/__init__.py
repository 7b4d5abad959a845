"""The scratchpad, and what was kept of it."""
