"""The lessons: pages, experiments, and steps that tick themselves when measurements confirm them. No torch."""
