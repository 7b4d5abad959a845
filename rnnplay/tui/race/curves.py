"""The curves of one run in a race: over steps, over tokens and over seconds of training."""

from __future__ import annotations

import math
from collections import deque

from rnnplay.experiments.sharing import Measure
from rnnplay.experiments.standings import Quality
from rnnplay.runs.metrics.records import Record, Rollback, Started, Step, Validation
from rnnplay.tui.chart.history import History

MEASURES: tuple[Measure, ...] = ("steps", "tokens", "seconds")
RECENT = 100
"""Number of recent steps in the fraction of clipped ones."""
POINTS = 1024
"""Points and buckets of a history: a terminal's chart has at most some 400 columns."""
PER_SECOND = 1_000_000
"""A history counts whole steps, so seconds are counted in microseconds."""
JITTER = 1000
"""A point up to this much before the last one belongs after it; one farther back replaces what follows it."""


def _histories() -> dict[Measure, History]:
    return {measure: History(recent=POINTS, buckets=POINTS, geometric=True) for measure in MEASURES}


class RunCurves:
    """Training loss, validation loss and gradient norm, each by measure."""

    def __init__(self, quality: Quality = "loss") -> None:
        """`quality`: the unit of the validation loss."""
        self.loss, self.validation, self.norm = _histories(), _histories(), _histories()
        self._quality = quality
        self._clipped: deque[bool] = deque(maxlen=RECENT)
        self._steps = self._tokens = 0
        self._seconds = 0.0

    @property
    def clipped_fraction(self) -> float | None:
        """Fraction of the recent steps that were clipped; None before the first step."""
        return sum(self._clipped) / len(self._clipped) if self._clipped else None

    def take(self, record: Record, seconds: float) -> None:
        """Takes the next record; `seconds`: training time up to then."""
        self._seconds = seconds
        if isinstance(record, Step):
            self._steps, self._tokens = record.step, record.tokens
            self._clipped.append(record.clipped)
            self._append(self.loss, record.loss)
            self._append(self.norm, record.grad_norm)
        elif isinstance(record, Validation):
            loss = record.loss if self._quality == "loss" else record.bits_per_character
            self._append(self.validation, loss)
        elif isinstance(record, Rollback):
            self._cut_after(record.to)
        elif isinstance(record, Started):
            self._cut_after(record.step)

    def _append(self, histories: dict[Measure, History], value: float) -> None:
        histories["steps"].append(self._steps, value)
        histories["tokens"].append(self._tokens, value)
        by_time = histories["seconds"]
        at = round(self._seconds * PER_SECOND)
        if by_time.last_step is not None and by_time.last_step - JITTER < at <= by_time.last_step:
            at = by_time.last_step + 1  # times within a batch of records are estimated
        by_time.append(at, value)

    def _cut_after(self, step: int) -> None:
        """Discards the steps after `step`, from which the run goes on; the time that they took has passed."""
        if step < self._steps:
            for histories in (self.loss, self.validation, self.norm):
                histories["steps"].cut_after(step)
            self._clipped.clear()


def position(measure: Measure, value: float) -> int:
    """Where in a history by `measure` a value of it is."""
    return math.ceil(value * PER_SECOND) if measure == "seconds" else math.ceil(value)
