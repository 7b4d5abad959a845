"""Training, generation and races, timed beside plain loops and plain processes."""
