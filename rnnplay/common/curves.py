"""What charts make of curves, on the screen and in exported files: the moving average, and the range to show.

The range is chosen so that a few values do not squeeze all others to a line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

_ONE_IN = 10
"""An average covers at most about one in so many points: a longer one would lag behind a run's steep first steps."""

_BLOCK = 64

_LEAVES, _FAR = 1.25, 3.0
"""In spreads of the other runs: where a curve that goes on beyond `_FAR` leaves the plot, and how far is too far."""


def moving_averages(x: Floats, decay: float, average: float, seen: int) -> Floats:
    """Returns s_t = s_{t-1} + a_t·(x_t - s_{t-1}) for x (n,), after `seen` earlier points with s = `average`; (n,).

    a_t is 1 - decay, at first larger, 1 / (1 + t / 10): the average starts from the first point, without bias towards
    zero.
    """
    import numpy as np

    averages = np.empty_like(x)
    short = max(0, math.ceil(_ONE_IN * decay / (1.0 - decay)) - seen)
    short = len(x) if len(x) <= short + 32 else short  # too few points for the blocks to pay off
    for i, value in enumerate(x[:short].tolist()):
        average += (value - average) * max(1.0 - decay, _ONE_IN / (_ONE_IN + seen + i))
        averages[i] = average
    rest = len(x) - short
    if not rest:
        return averages
    # In blocks: the sums within all blocks are one product with a triangular matrix; only the carry goes block by
    # block.
    size = min(_BLOCK, rest)
    padded = np.zeros(-(-rest // size) * size)
    padded[:rest] = x[short:]
    weights, faded = _weights(decay, size)
    # Not "@": the threads of a BLAS wait long for each other while training occupies the cores.
    sums = np.einsum("ij,jk->ik", padded.reshape(-1, size), weights)
    carries = np.empty(len(sums))
    over = decay**size
    for i, last in enumerate(sums[:, -1].tolist()):
        carries[i] = average
        average = last + over * average
    averages[short:] = (sums + carries[:, None] * faded).reshape(-1)[:rest]
    return averages


@lru_cache(16)  # blocks shorter than _BLOCK have sizes of their own
def _weights(decay: float, size: int) -> tuple[Floats, Floats]:
    """The weight of each point of a block (row) in each of its averages (column), and the decay of the carry."""
    import numpy as np

    powers = np.arange(size)
    distance = powers[None, :] - powers[:, None]
    weights = np.where(distance >= 0, (1.0 - decay) * decay ** np.maximum(distance, 0), 0.0)
    return weights, decay ** (powers + 1)


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


def robust_range(low: Floats, high: Floats, *, whole: bool = False) -> tuple[float, float]:
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
