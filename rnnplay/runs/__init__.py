"""A run on disk: its folder, run.json, records, metrics log, lock and checkpoint states. Does not load torch."""
