"""The moving average that charts draw over raw values, on the screen and in exported files."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

_ONE_IN = 10
"""An average covers at most about one in so many points: a longer one would lag behind a run's steep first steps."""

_BLOCK = 64


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
