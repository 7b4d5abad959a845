"""The range of values that a chart shows, so that no few of them squeeze all others to a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAVES, _FAR = 1.25, 3.0
"""In spreads of the other runs: where a curve that goes on beyond `_FAR` leaves the plot, and how far is too far."""


def joint_range(
    ranges: Sequence[tuple[float, float]], lost: Sequence[bool], *, log: bool = False, whole: bool = False
) -> tuple[float, float]:
    """The range in which the curves of several runs can be told apart, from the range of each.

    A run whose loss grows far beyond the others' leaves the plot at its top, rather than squeeze them to a line; of a
    logarithmic axis also at its bottom. `whole` includes everything.
    """
    if whole or len(ranges) == 1:
        return min(low for low, _ in ranges), max(high for _, high in ranges)
    bottom = min(low for low, _ in ranges)
    if log:
        bottom = -_joint_end([(-high, -low) for low, high in ranges], lost, log=True)
    return bottom, max(_joint_end(ranges, lost, log=log), bottom)


def _joint_end(ranges: Sequence[tuple[float, float]], lost: Sequence[bool], *, log: bool) -> float:
    """The upper end of the joint range."""
    order = sorted(zip(lost, ranges, strict=True), key=lambda one: (one[0], one[1][1]))
    first_lost, (bottom, top) = order[0]
    for gone, (low, high) in order[1:]:
        bottom = min(bottom, low)
        spread = max(top - bottom, 0.5 if log else 0.5 * abs(bottom))
        if high <= top:
            continue
        leaves, far = bottom + _LEAVES * spread, bottom + _FAR * spread
        within = high <= far or leaves < low <= far  # one that lies apart is shown, unless it is far away
        top = max(top, min(high, leaves if (gone and not first_lost) or not within else far))
    return top


def robust_range(low: NDArray[Any], high: NDArray[Any], *, whole: bool = False) -> tuple[float, float]:
    """The range (least, greatest) to show for intervals [low_i, high_i]; arrays of shape (n,), no NaN, n > 0.

    A few columns far away from all others (the loss of the first steps, one exploded norm) may leave the plot: the
    range extends beyond the inner 94% by at most three quarters of their spread. `whole` includes everything.
    """
    import numpy as np

    least, greatest = float(low.min()), float(high.max())
    if whole or len(low) < 12:
        return least, greatest
    few = max(1, round(0.03 * len(low)))
    inner_low, inner_high = float(np.partition(low, few)[few]), float(np.partition(high, -1 - few)[-1 - few])
    fence = 0.75 * (inner_high - inner_low)
    return max(least, inner_low - fence), min(greatest, inner_high + fence)
