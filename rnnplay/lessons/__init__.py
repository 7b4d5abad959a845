"""Eight lessons: pages, experiments, and steps that tick themselves by what is measured. Never imports torch."""
