"""A run's records: what a line holds, the log, its columns and its summary."""
