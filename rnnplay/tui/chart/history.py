"""The history of one metric: its recent points in full, all of it at a lower resolution.

A million points cost what a thousand do. Besides the last `recent` points there are buckets of equal width in steps (a
power of two), each with the minimum, maximum and mean of its points; when they run out, neighbours merge and the width
doubles. Moving averages are updated point by point and never recomputed.

numpy is imported on first use: the interface is first painted before there is a number to draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rnnplay.common.curves import moving_averages
from rnnplay.tui.chart.history_columns import Columns as Columns
from rnnplay.tui.chart.history_columns import Points, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

SMOOTHINGS = (0.9, 0.98, 0.995)
"""The decays of the moving averages of each history: they cover about 10, 50 and 200 points."""

_FLUSH_AT = 1 << 12
"""Points held as Python numbers, 60 bytes each, until there are enough for arrays to pay off."""


class History:
    """One metric over steps: append points, ask for columns.

    `geometric` averages the logarithm of the values (for a logarithmic axis, where one spike would otherwise lift the
    average for hundreds of steps); values that are not positive then leave the average unchanged. A step that does not
    exceed the last one replaces everything from that step on.
    """

    def __init__(
        self,
        name: str = "",
        *,
        recent: int = 4096,
        buckets: int = 4096,
        geometric: bool = False,
    ) -> None:
        self.name = name
        self.version = 0
        """Grows with every change, so that a reader knows whether to read again."""
        self.geometric = geometric
        self._recent_size = recent
        self._capacity = buckets + buckets % 2
        self.clear()

    def clear(self) -> None:
        """Removes all points."""
        self.version += 1
        self._first_step: int | None = None
        self._last_step: int | None = None
        self._last_value = math.nan
        self._pending_steps: list[int] = []
        self._pending_values: list[float] = []
        self._recent: Any = None  # (2 + smoothings, n): step, value, smoothed values
        self._buckets: Any = None  # (5 + smoothings, capacity): low, high, total, count, bad, smoothed totals
        self._width = 1
        self._base = 0  # the number of the first bucket: its first step divided by the width
        self._averages = [0.0] * len(SMOOTHINGS)
        self._averaged = 0

    # Writing

    def append(self, step: int, value: float) -> None:
        """Adds one point."""
        last = self._last_step
        if last is None:
            self._first_step = step
        elif step <= last:
            self.cut_after(step - 1)
            if self._last_step is None:
                self._first_step = step
        self._last_step = step
        self._last_value = value
        self._pending_steps.append(step)
        self._pending_values.append(value)
        self.version += 1
        if len(self._pending_steps) >= _FLUSH_AT:
            self._flush()

    def extend(self, points: Iterable[tuple[int, float]]) -> None:
        """Adds points in the order of their steps."""
        for step, value in points:
            self.append(step, value)

    def extend_rising(self, steps: list[int], values: list[float]) -> None:
        """Adds many points at once; `steps` rise and are not empty."""
        if self._last_step is None:
            self._first_step = steps[0]
        elif steps[0] <= self._last_step:
            self.extend(zip(steps, values, strict=True))
            return
        self._last_step, self._last_value = steps[-1], values[-1]
        self._pending_steps += steps
        self._pending_values += values
        self.version += 1
        if len(self._pending_steps) >= _FLUSH_AT:
            self._flush()

    def cut_after(self, step: int) -> None:
        """Removes every point after `step`, as a rollback or a resumed run does.

        This is exact within the recent points; further back, a bucket with steps on both sides is dropped.
        """
        if self._last_step is None or step >= self._last_step:
            return
        assert self._first_step is not None
        if step < self._first_step:
            self.clear()
            return
        self._flush()
        self.version += 1
        recent, width = self._recent, self._width
        oldest = recent[0, 0] if recent.shape[1] else math.inf
        whole = (step + 1) // width - self._base  # buckets that end at or before the cut
        _empty_buckets(self._buckets[:, whole:])
        self._recent = recent = recent[:, recent[0] <= step].copy()
        start = (whole + self._base) * width
        if oldest <= start or oldest == self._first_step:
            self._fill_buckets(recent[:, recent[0] >= start])
        self._restore_ends(step)

    def _restore_ends(self, step: int) -> None:
        """Restores the last point and the averages as they were at the cut."""
        import numpy as np

        recent, buckets = self._recent, self._buckets
        filled = np.flatnonzero((buckets[3] > 0) | (buckets[4] > 0))
        self._averaged = int(buckets[3].sum())
        if recent.shape[1]:
            self._last_step, self._last_value = int(recent[0, -1]), float(recent[1, -1])
        elif len(filled):
            # The mean of the bucket stands in for a last point that is no longer stored.
            last = filled[-1]
            self._last_step = min(step, int((self._base + last + 1) * self._width - 1))
            self._last_value = float(buckets[2, last] / buckets[3, last]) if buckets[3, last] else math.nan
        else:
            self.clear()
            return
        for level in range(len(SMOOTHINGS)):
            smooth = recent[2 + level]
            known = smooth[np.isfinite(smooth)]
            if len(known):
                average = float(known[-1])
            else:
                held = np.flatnonzero(buckets[3] > 0)
                average = float(buckets[5 + level, held[-1]] / buckets[3, held[-1]]) if len(held) else 0.0
            self._averages[level] = math.log(average) if self.geometric and average > 0 else average

    # Reading

    def __len__(self) -> int:
        """The number of points that were added and not cut (finite or not; approximate after a deep cut)."""
        thinned = 0 if self._buckets is None else int(self._buckets[3].sum() + self._buckets[4].sum())
        return thinned + len(self._pending_steps)

    @property
    def first_step(self) -> int | None:
        return self._first_step

    @property
    def last_step(self) -> int | None:
        return self._last_step

    @property
    def last(self) -> float:
        """The last value; NaN without any."""
        return self._last_value

    def smoothed(self, level: int = 1) -> float:
        """The current exponential moving average, without bias towards zero; NaN without any.

        `level` is an index into SMOOTHINGS.
        """
        self._flush()
        if not self._averaged:
            return math.nan
        return math.exp(self._averages[level]) if self.geometric else self._averages[level]

    def latest(self, n: int) -> Floats:
        """The last values, at most `n` and at most those of the recent points."""
        import numpy as np

        self._flush()
        return np.empty(0) if self._recent is None else self._recent[1, -n:]

    def range(self, lo_step: float = -math.inf, hi_step: float = math.inf) -> tuple[float, float] | None:
        """The least and the greatest finite value of the steps in [lo_step, hi_step]; None without any."""
        self._flush()
        if self._recent is None:
            return None
        points = self._points(0.0, 0)
        inside = (points.step >= lo_step) & (points.step <= hi_step) & (points.count > 0)
        if not inside.any():
            return None
        return float(points.low[inside].min()), float(points.high[inside].max())

    def columns(self, lo_step: float, hi_step: float, n: int, level: int = 1) -> Columns:
        """The steps of [lo_step, hi_step) in `n` columns, smoothed by `SMOOTHINGS[level]`."""
        import numpy as np

        self._flush()
        nan = np.full(n, np.nan)
        if self._recent is None:
            return Columns(nan, nan, nan, nan, np.zeros(n, bool))
        per_column = (hi_step - lo_step) / n
        points = self._points(per_column, level)
        # Cells of a fixed size rather than edges of the window, so that a step falls into the same column in every
        # window.
        edges = np.searchsorted(points.step, lo_step + np.arange(n + 1) * per_column)
        first, last = int(edges[0]), int(edges[-1])
        held = np.flatnonzero(edges[1:] > edges[:-1])
        low, high, mean, smooth = nan, nan.copy(), nan.copy(), nan.copy()
        bad = np.zeros(n, bool)
        if len(held):
            starts = edges[held] - first
            count = np.add.reduceat(points.count[first:last], starts)
            bad[held] = np.add.reduceat(points.bad[first:last], starts) > 0
            some = count > 0
            held, count = held[some], count[some]
            low[held] = np.minimum.reduceat(points.low[first:last], starts)[some]
            high[held] = np.maximum.reduceat(points.high[first:last], starts)[some]
            mean[held] = np.add.reduceat(points.total[first:last], starts)[some] / count
            smooth[held] = np.add.reduceat(points.smooth[first:last], starts)[some] / count
        return Columns(
            low,
            high,
            mean,
            smooth,
            bad,
            before=nearest(points, slice(0, first), -1, lo_step, per_column),
            after=nearest(points, slice(last, None), 0, lo_step, per_column),
        )

    def _points(self, per_column: float, level: int) -> Points:
        """The points as coarsely as columns of `per_column` steps allow: buckets, then the recent points."""
        import numpy as np

        recent, width = self._recent, self._width
        assert self._first_step is not None and self._last_step is not None
        oldest = recent[0, 0] if recent.shape[1] else math.inf
        if width > 1 and per_column >= 2 * width:
            border = self._last_step // width + 1  # buckets alone are fine enough
        elif oldest == self._first_step:
            border = self._base
        else:
            border = self._last_step // width + 1 if oldest == math.inf else math.ceil(oldest / width)
        used = min(border, self._last_step // width + 1) - self._base
        buckets = self._buckets[:, : max(used, 0)]
        steps = np.minimum(
            np.arange(self._base, self._base + buckets.shape[1]) * width + (width - 1) / 2, self._last_step
        )
        recent = recent[:, np.searchsorted(recent[0], border * width) :]
        value, smooth = recent[1], recent[2 + level]
        finite = np.isfinite(value)
        return Points(
            np.concatenate((steps, recent[0])),
            np.concatenate((buckets[0], np.where(finite, value, np.inf))),
            np.concatenate((buckets[1], np.where(finite, value, -np.inf))),
            np.concatenate((buckets[2], np.where(finite, value, 0.0))),
            np.concatenate((buckets[3], finite)),
            np.concatenate((buckets[5 + level], np.where(finite, smooth, 0.0))),
            np.concatenate((buckets[4] > 0, ~finite)),
        )

    # Adding points

    def _flush(self) -> None:
        if not self._pending_steps:
            return
        import numpy as np

        values = np.asarray(self._pending_values, float)
        rows = np.empty((2 + len(SMOOTHINGS), len(values)))
        rows[0] = self._pending_steps
        rows[1] = values
        self._pending_steps, self._pending_values = [], []
        self._smooth(values, rows[2:])
        if self._recent is None:
            self._recent = np.empty((len(rows), 0))
            self._buckets = np.empty((5 + len(SMOOTHINGS), self._capacity))
            _empty_buckets(self._buckets)
            self._base = int(rows[0, 0]) // self._width
        self._recent = np.concatenate((self._recent, rows), axis=1)[:, -self._recent_size :]
        self._fill_buckets(rows)

    def _smooth(self, values: Floats, out: Floats) -> None:
        """Averages `values` (n,) into `out` (smoothings, n); NaN where a value is not finite."""
        import numpy as np

        finite = np.isfinite(values)
        used = finite & (values > 0) if self.geometric else finite
        whole = bool(used.all())
        x = values if whole else values[used]
        x = np.log(x) if self.geometric else x
        before = np.full(1, math.nan)
        for level, decay in enumerate(SMOOTHINGS):
            if self._averaged:
                before[0] = self._averages[level]
            averages = moving_averages(x, decay, self._averages[level], self._averaged)
            if len(x):
                self._averages[level] = float(averages[-1])
            # A value excluded from the average repeats it; only values that are not finite leave a gap.
            out[level] = averages if whole else np.concatenate((before, averages))[np.cumsum(used)]
        if self.geometric:
            np.exp(out, out=out)
        if not whole:
            out[:, ~finite] = np.nan
        self._averaged += len(x)

    def _fill_buckets(self, rows: Floats) -> None:
        """Adds points, rows of (2 + smoothings, n) by ascending step, to the buckets."""
        import numpy as np

        if not rows.shape[1]:
            return
        while int(rows[0, -1]) // self._width - self._base >= self._capacity:
            self._double()
        at = rows[0].astype(np.int64) // self._width - self._base
        value, buckets = rows[1], self._buckets
        finite = np.isfinite(value)
        if not finite.all():
            np.add.at(buckets[4], at[~finite], 1.0)
            at, value, rows = at[finite], value[finite], rows[:, finite]
        np.minimum.at(buckets[0], at, value)
        np.maximum.at(buckets[1], at, value)
        np.add.at(buckets[2], at, value)
        np.add.at(buckets[3], at, 1.0)
        for level, smooth in enumerate(rows[2:], 5):
            # A geometric average is NaN until its first positive value.
            np.add.at(buckets[level], at, np.nan_to_num(smooth) if self.geometric else smooth)

    def _double(self) -> None:
        """Merges neighbouring buckets: twice the width, half as many."""
        import numpy as np

        rows, odd = len(self._buckets), self._base % 2
        padded = np.empty((rows, self._capacity + 2))
        _empty_buckets(padded)
        padded[:, odd : odd + self._capacity] = self._buckets
        pairs = padded.reshape(rows, -1, 2)
        half = pairs.shape[1]
        merged = np.empty((rows, max(self._capacity, half)))
        _empty_buckets(merged)
        merged[0, :half] = pairs[0].min(axis=1)
        merged[1, :half] = pairs[1].max(axis=1)
        merged[2:, :half] = pairs[2:].sum(axis=2)
        self._buckets = merged[:, : self._capacity]
        self._base //= 2
        self._width *= 2


def _empty_buckets(buckets: Floats) -> None:
    buckets[...] = 0.0
    buckets[0] = math.inf
    buckets[1] = -math.inf
