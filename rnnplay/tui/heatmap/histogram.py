"""Counts as columns of blocks, and gradient norms sorted into logarithmic bins. No widgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnnplay.tui.heatmap.shades import BLOCKS, LEVELS


@dataclass(frozen=True, slots=True)
class LogBins:
    """Counts in bins of equal width on a log10 axis from `low` to `high`, both log10 of the value."""

    low: float
    high: float
    counts: tuple[int, ...]
    left_out: int = 0
    """Values that are not positive and finite."""

    def place(self, value: float) -> int | None:
        """The bin of `value`; None if it is outside."""
        if not value > 0 or not math.isfinite(value):
            return None
        at = (math.log10(value) - self.low) / (self.high - self.low)
        return min(int(at * len(self.counts)), len(self.counts) - 1) if 0 <= at <= 1 else None


def log_bins(values: Sequence[float], bins: int, threshold: float | None = None) -> LogBins | None:
    """`values` in `bins` bins whose range takes in `threshold`; None if there is nothing to sort."""
    kept = [math.log10(value) for value in values if value > 0 and math.isfinite(value)]
    if not kept or bins < 1:
        return None
    ends = [*kept, math.log10(threshold)] if threshold is not None and threshold > 0 else kept
    low, high = min(ends), max(ends)
    if high - low < 0.2:  # all the same: a bin is not to be narrower than what can be told apart
        low, high = low - 0.1, high + 0.1
    counts = [0] * bins
    for value in kept:
        counts[min(int((value - low) / (high - low) * bins), bins - 1)] += 1
    return LogBins(low, high, tuple(counts), len(values) - len(kept))


def columns(counts: Sequence[int], rows: int = 1) -> list[str]:
    """`counts` as columns of blocks, in `rows` rows from the top; the greatest is full, what is not 0 is seen."""
    most = max(counts, default=0)
    lines = [""] * rows
    for count in counts:
        height = max(1, round(count / most * LEVELS * rows)) if count > 0 else 0
        for row in range(rows):
            lines[row] += BLOCKS[min(LEVELS, max(0, height - LEVELS * (rows - 1 - row)))]
    return lines
