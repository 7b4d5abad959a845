"""The data of a history: columns of a window, and points by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """A window of a history in `n` columns of equal width; arrays of shape (n,), NaN where a column has no value."""

    low: Floats
    high: Floats
    mean: Floats
    smooth: Floats
    bad: Floats
    """(n,) bool: a value in this column was NaN or infinite."""
    before: tuple[float, float, float] | None = None
    """The last point left of the window: its position in columns (negative), mean and smoothed value."""
    after: tuple[float, float, float] | None = None
    """The first point right of the window."""

    @property
    def empty(self) -> bool:
        """True if there is nothing to draw, finite or not."""
        return not (self.bad.any() or (self.low == self.low).any())


@dataclass(slots=True)
class Points:
    """Points or buckets by ascending step, arrays of shape (n,)."""

    step: Floats
    low: Floats
    high: Floats
    total: Floats
    count: Floats
    smooth: Floats  # the sum over the bucket
    bad: Floats


def nearest(
    points: Points, where: slice, which: int, lo_step: float, per_column: float
) -> tuple[float, float, float] | None:
    """The first (0) or last (-1) value among the points `where`: its position in columns, mean and smoothed value."""
    import numpy as np

    held = np.flatnonzero(points.count[where] + points.bad[where])
    if not len(held):
        return None
    at = int(held[which]) + (where.start or 0)
    if points.bad[at]:
        return None
    count = points.count[at]
    place = float(points.step[at] - lo_step) / per_column
    return place, float(points.total[at] / count), float(points.smooth[at] / count)
