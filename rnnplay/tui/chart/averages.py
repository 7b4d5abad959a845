"""The moving average that charts draw over raw values."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

_SHARE = 10
"""An average reaches over no more than about this part of the points so far: in a run's first, steep steps a longer one
would lie far above them."""

_BLOCK = 64


def moving_averages(x: Floats, decay: float, average: float, seen: int) -> Floats:
    """s_t = s_{t-1} + a_t·(x_t - s_{t-1}) for x (n,), after `seen` points with s = `average`; (n,).

    a_t is 1 - decay, but at first 1 / (1 + t / 10): from the first point on its own, without bias towards zero.
    """
    import numpy as np

    averages = np.empty_like(x)
    short = max(0, math.ceil(_SHARE * decay / (1.0 - decay)) - seen)
    short = len(x) if len(x) <= short + 32 else short  # a handful of points is not worth the blocks
    for i, value in enumerate(x[:short].tolist()):
        average += (value - average) * max(1.0 - decay, _SHARE / (_SHARE + seen + i))
        averages[i] = average
    rest = len(x) - short
    if not rest:
        return averages
    # In blocks: each block's own sums are one product with a triangular matrix, and only the carry goes block by block.
    size = min(_BLOCK, rest)
    padded = np.zeros(-(-rest // size) * size)
    padded[:rest] = x[short:]
    weights, faded = _weights(decay, size)
    # Not "@": the threads of a BLAS wait for each other long where a training has the cores.
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
    """What each of a block's points, by row, adds to each of its averages, by column; and what is left of the carry."""
    import numpy as np

    powers = np.arange(size)
    distance = powers[None, :] - powers[:, None]
    weights = np.where(distance >= 0, (1.0 - decay) * decay ** np.maximum(distance, 0), 0.0)
    return weights, decay ** (powers + 1)
