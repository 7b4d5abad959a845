"""The lessons: pages, experiments, and steps that tick themselves when measurements confirm them. No torch."""

from __future__ import annotations

from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
"""The folder of the lessons that come with rnnplay, each <number>-<name>."""
