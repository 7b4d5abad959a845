"""The tokens that a gradient probe reads: always the same ones of a text, so that curves can be compared."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnplay.errors import InputError
from rnnplay.text.encoding.encoded import EncodedSplit

ROWS = 16
LEAST_ROWS = 4
"""Fewer are no mean: the windows are rather made shorter."""
WARM = 32
"""Tokens that each row reads before its window, so that no hidden state is at its beginning there."""


class ProbeBatch(NamedTuple):
    """B rows of tokens: some to warm up, a window of `distance` + 1 timesteps, and the token that the last predicts."""

    ids: NDArray[np.int64]
    """(B, warm + distance + 2)"""
    warm: int
    begins: NDArray[np.int64]
    """(B,): at most `warm`, where each row's sequence begins, in a state of zero; what stands before is not read."""

    @property
    def distance(self) -> int:
        """K: how far back the gradient goes."""
        return int(self.ids.shape[1]) - self.warm - 2


def probe_batch(
    split: EncodedSplit, feed: Literal["stream", "lines"], distance: int, rows: int = ROWS, warm: int = WARM
) -> ProbeBatch:
    """`rows` windows spread evenly over the split; of lines, over all windows that lie within one.

    A short text has fewer; and where there are not even LEAST_ROWS of that distance, shorter ones. Raises InputError
    for a distance below 0 or a text without a single prediction.
    """
    if distance < 0:
        raise InputError(f"A distance of {distance} timesteps cannot be; it must be at least 0.")
    ids = np.asarray(split.ids)
    if feed == "lines" and split.line_starts is not None:
        return _within_lines(ids, np.asarray(split.line_starts), distance, rows, warm)
    if len(ids) < 2:
        raise _too_short()
    distance = min(distance, max(0, len(ids) - 1 - min(rows, LEAST_ROWS)))
    warm = min(warm, max(0, len(ids) - 1 - rows - distance))
    width = warm + distance + 2
    first = _spread(len(ids) - width + 1, rows)  # (B,)
    return ProbeBatch(ids[first[:, None] + np.arange(width)].astype(np.int64), warm, np.zeros(len(first), np.int64))


def _within_lines(ids: NDArray[np.int64], starts: NDArray[np.int64], distance: int, rows: int, warm: int) -> ProbeBatch:
    lengths = np.diff(starts)  # targets of each line, its newline included: as many timesteps
    if not len(lengths):
        raise _too_short()
    low, high, least = 0, min(distance, int(lengths.max()) - 1), min(rows, LEAST_ROWS)
    while low < high:  # the largest distance of which there are windows enough
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _windows(lengths, middle).sum() >= least else (low, middle - 1)
    distance = low
    until = np.cumsum(_windows(lengths, distance))  # (lines,)
    window = _spread(int(until[-1]), rows)  # (B,)
    line = np.searchsorted(until, window, side="right")
    last = distance + window - np.concatenate([[0], until])[line]  # (B,): the window's last timestep in its line
    # Timestep 0 reads a newline, timestep t the line's token t - 1.
    timesteps = last[:, None] + np.arange(-distance - warm, 2)  # (B, W)
    newline = ids[starts[1] - 1]
    places = np.maximum(starts[line][:, None] + timesteps - 1, 0)
    read = np.where(timesteps > 0, ids[places], newline).astype(np.int64)
    return ProbeBatch(read, warm, np.maximum(0, warm + distance - last))


def _windows(lengths: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    """In each line, timesteps that have `distance` others before them."""
    return np.maximum(0, lengths - distance)


def _spread(count: int, rows: int) -> NDArray[np.int64]:
    """At most `rows` different ones of `count` places, as evenly as can be, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(rows, count)).astype(np.int64))


def _too_short() -> InputError:
    return InputError("The validation part of the text is too short for a probe; give it more of the text in --split.")
