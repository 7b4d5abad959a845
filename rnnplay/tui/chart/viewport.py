"""Which steps a chart shows: all of them, the latest so many, or a stretch that was zoomed or panned to.

The right edge moves in jumps while data arrives, so that between jumps only the newest columns of a chart change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnplay.tui.chart.axes import nice_ceiling

LEAST_SPAN = 8.0
"""A window never shows fewer steps than this."""


@dataclass(slots=True)
class Viewport:
    """The window on the axis of steps."""

    span: float | None = None
    """How many steps are shown; None for all."""
    start: float | None = None
    """The left edge after a pan; None while the latest step is followed."""
    limit: int | None = None
    """Where the run will end, if that is known: following all steps, the axis never goes beyond it for room alone."""

    @property
    def whole(self) -> bool:
        return self.span is None and self.start is None

    @property
    def following(self) -> bool:
        return self.start is None

    def window(self, first: float, last: float) -> tuple[float, float]:
        """The steps [lo, hi) to show of a history from step `first` to `last`."""
        if self.start is not None and self.span is not None:
            return self.start, self.start + self.span
        if self.span is None:
            lo = 0.0 if first <= 10 else float(first)
            hi = lo + nice_ceiling(max(last + 1 - lo, 10.0))
            if self.limit is not None and last <= self.limit < hi:
                hi = float(self.limit + 1)
            return lo, max(hi, lo + LEAST_SPAN)
        jump = self.span / 16
        hi = math.ceil((last + 1) / jump) * jump
        return hi - self.span, hi

    def reset(self) -> None:
        self.span = self.start = None

    def follow(self) -> None:
        """Back to the latest step, at the same zoom."""
        self.start = None

    def zoom(self, factor: float, first: float, last: float, at: float | None = None) -> None:
        """Show 1/factor as many steps; the step `at` stays in place (else the latest, if followed, or the middle)."""
        lo, hi = self.window(first, last)
        old = hi - lo
        new = max(LEAST_SPAN, old / factor)
        if new >= (last + 1 - first) and factor < 1:
            self.reset()
            return
        self.span = new
        if at is None:
            if self.start is None:
                return
            at = (lo + hi) / 2
        self._place(at - (at - lo) * new / old, first, last)

    def pan(self, share: float, first: float, last: float) -> None:
        """Move by `share` of the window, to the right if positive; beyond the latest step it is followed again."""
        if self.span is None:
            return
        lo, hi = self.window(first, last)
        self._place(lo + share * (hi - lo), first, last)

    def _place(self, start: float, first: float, last: float) -> None:
        assert self.span is not None
        if start + self.span > last + 1:
            self.start = None
        else:
            self.start = max(start, min(0.0 if first <= 10 else first, last + 1 - self.span))
