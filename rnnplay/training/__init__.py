"""Training: one step, clipping, schedules, checkpoints and the run folder."""
