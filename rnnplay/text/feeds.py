"""Batches of token ids for truncated backpropagation through time, in an order that can be restored exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rnnplay.text.encoding.encoded import EncodedSplit
from rnnplay.text.tokenizers.vocabulary import AnyIds

FULL_LENGTHS = 0.95
"""The probability that a batch whose length varies is about bptt long, not half of it."""
SHORTEST = 5
"""The fewest timesteps of such a batch."""


class Batch(NamedTuple):
    """One step's input: B sequences of T tokens."""

    inputs: NDArray[np.int64]
    """Token ids, shape (B, T)."""
    targets: NDArray[np.int64]
    """The token after each input, shape (B, T)."""
    mask: NDArray[np.bool_] | None
    """Shape (B, T): where a target counts; None: everywhere.

    Targets that do not count are 0, their inputs arbitrary.
    """
    reset: bool
    """Whether the hidden state is zeroed first; otherwise it carries on from the previous batch, row by row."""

    @property
    def tokens(self) -> int:
        """Number of targets that count."""
        return self.targets.size if self.mask is None else int(np.count_nonzero(self.mask))

    @property
    def unknown(self) -> int:
        """Number of targets that count and are `<unk>`."""
        unknown = self.targets == 0
        return int(np.count_nonzero(unknown if self.mask is None else unknown & self.mask))


class Feed(Protocol):
    """An endless sequence of batches, determined by the constructor's arguments."""

    @property
    def epoch(self) -> float:
        """Passes over the split so far, fractions included."""

    def next(self) -> Batch:
        """Returns the next batch."""

    def state(self) -> dict[str, int]:
        """The position of the next batch in the sequence."""

    def restore(self, state: dict[str, int]) -> None:
        """Continues from `state`; raises ValueError if this feed cannot have been there."""


def make_feed(
    split: EncodedSplit,
    feed: Literal["stream", "lines"],
    batch_size: int,
    bptt: int,
    seed: int,
    jitter: float = 0.0,
) -> Feed:
    """Makes the feed of that kind; of a stream with lengths that vary by `jitter`.

    Raises ValueError for a split that is too short for it.
    """
    if feed == "stream":
        return StreamFeed(split, batch_size, bptt, seed, jitter)
    return LineFeed(split, batch_size, bptt, seed)


class StreamFeed:
    """The split as `batch_size` parallel rows, read on from batch to batch; the state is reset once an epoch.

    All targets (every token but the split's first) come exactly once in an epoch. Where they do not divide
    evenly, the first rows are one token longer, and in the epoch's last batch the ends of the others are masked.

    With `jitter` the cuts fall elsewhere in each epoch (Merity, Keskar & Socher 2018, section 5): a batch has N(bptt,
    jitter²) timesteps, or with a probability of 5% N(bptt/2, jitter²), no fewer than 5 and no more than 2·bptt.
    """

    def __init__(self, split: EncodedSplit, batch_size: int, bptt: int, seed: int = 0, jitter: float = 0.0) -> None:
        """`seed` is that of the lengths: the order is that of the text.

        Raises ValueError for a split of fewer than batch_size + 1 tokens.
        """
        self._rows = _Rows(np.asarray(split.ids), batch_size)
        self._bptt = bptt
        self._seed, self._jitter = seed, jitter
        self._epoch = 0
        self._position = 0  # in timesteps of the epoch

    @property
    def epoch(self) -> float:
        """Passes over the split so far."""
        return self._epoch + self._position / self._rows.length

    def next(self) -> Batch:
        """Returns the next timesteps, `bptt` unless their number varies, or the rest of the epoch."""
        start = self._position
        stop = min(start + self._length(), self._rows.length)
        batch = self._rows.batch(start, stop)
        self._position = stop
        if stop == self._rows.length:
            self._epoch, self._position = self._epoch + 1, 0
        return batch

    def _length(self) -> int:
        """The timesteps of the next batch, drawn from its place, so that a checkpoint needs no random state."""
        if not self._jitter:
            return self._bptt
        random = np.random.default_rng([self._seed, self._epoch, self._position])
        mean = self._bptt if random.random() < FULL_LENGTHS else self._bptt / 2
        return min(max(SHORTEST, int(random.normal(mean, self._jitter))), 2 * self._bptt)

    def state(self) -> dict[str, int]:
        """Epochs done, and timesteps done in the current one."""
        return {"epoch": self._epoch, "position": self._position}

    def restore(self, state: dict[str, int]) -> None:
        """Continues from `state`; raises ValueError if this feed cannot have been there."""
        epoch, position = state.get("epoch", -1), state.get("position", -1)
        if epoch < 0 or not 0 <= position < self._rows.length:
            raise ValueError(f"no position of this feed: {state}")
        self._epoch, self._position = epoch, position


class LineFeed:
    """Feeds each line as its own sequence: input newline + line, target line + newline, in a new order each epoch.

    A batch takes up `batch_size` lines; while any of them is longer than `bptt`, the next batch continues them without
    a reset. Rows that have ended are masked. The epoch's last lines may be fewer; then rows are empty.
    """

    def __init__(self, split: EncodedSplit, batch_size: int, bptt: int, seed: int) -> None:
        """Raises ValueError if the split has no lines."""
        self._lines = _Lines(split)
        self._batch_size = batch_size
        self._bptt = bptt
        self._seed = seed
        self._epoch = 0
        self._line = 0  # index of the batch's first line in the epoch's order
        self._offset = 0  # timesteps done in these lines
        self._order = self._shuffled()

    @property
    def epoch(self) -> float:
        """Passes over the lines so far."""
        taken = 0.0
        if self._offset:
            numbers = self._numbers()
            taken = len(numbers) * self._offset / self._lines.longest(numbers)
        return self._epoch + (self._line + taken) / self._lines.count

    def next(self) -> Batch:
        """Returns the next `bptt` timesteps of the current lines, or the rest of them."""
        numbers = self._numbers()
        longest = self._lines.longest(numbers)
        stop = min(self._offset + self._bptt, longest)
        batch = self._lines.batch(numbers, self._batch_size, self._offset, stop)
        self._offset = stop
        if stop == longest:
            self._offset = 0
            self._line += self._batch_size
            if self._line >= self._lines.count:
                self._epoch, self._line = self._epoch + 1, 0
                self._order = self._shuffled()
        return batch

    def state(self) -> dict[str, int]:
        """Epochs done; lines done in the current epoch; timesteps done in the current lines."""
        return {"epoch": self._epoch, "line": self._line, "offset": self._offset}

    def restore(self, state: dict[str, int]) -> None:
        """Continues from `state`; raises ValueError if this feed cannot have been there."""
        epoch, line, offset = (state.get(name, -1) for name in ("epoch", "line", "offset"))
        if epoch < 0 or offset < 0 or not 0 <= line < self._lines.count or line % self._batch_size:
            raise ValueError(f"no position of this feed: {state}")
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = self._shuffled()
        self._line, self._offset = line, 0
        if offset >= self._lines.longest(self._numbers()) or offset % self._bptt:
            raise ValueError(f"no position of this feed: {state}")
        self._offset = offset

    def _numbers(self) -> NDArray[np.int64]:
        return self._order[self._line : self._line + self._batch_size].astype(np.int64)

    def _shuffled(self) -> NDArray[np.uint32]:
        numbers = np.arange(self._lines.count, dtype=np.uint32)
        np.random.default_rng([self._seed, self._epoch]).shuffle(numbers)
        return numbers


def evaluation_batches(
    split: EncodedSplit,
    feed: Literal["stream", "lines"],
    rows: int,
    length: int,
    newline: int | None,  # noqa: ARG001
    limit_tokens: int,
) -> Iterator[Batch]:
    """One pass over the split (its first `limit_tokens` tokens, if not 0) in `rows` rows of `length` timesteps.

    stream: the rows are contiguous parts, the state carried along them; all tokens but the split's first are targets
    exactly once, each row's first of them without context. lines: every line once with its newline, short ones with
    short ones; if limited, whole lines until the limit is reached. Yields nothing for a split without a target.
    `newline` is not needed: each line brings its own.
    """
    ids = np.asarray(split.ids)
    if feed == "stream":
        if limit_tokens:
            ids = ids[: limit_tokens + 1]
        if len(ids) < 2:
            return
        table = _Rows(ids, min(rows, len(ids) - 1))
        for start in range(0, table.length, length):
            yield table.batch(start, min(start + length, table.length))
        return
    if split.line_starts is None or len(split.line_starts) < 2:
        return
    lines = _Lines(split)
    count = lines.count
    if limit_tokens:
        count = min(count, int(np.searchsorted(np.asarray(split.line_starts), limit_tokens)))
    order = np.argsort(lines.lengths(np.arange(count)), kind="stable")
    height = min(rows, count)
    for first in range(0, count, height):
        numbers = order[first : first + height]
        longest = lines.longest(numbers)
        for start in range(0, longest, length):
            yield lines.batch(numbers, height, start, min(start + length, longest))


def window_batches(
    split: EncodedSplit, starts: NDArray[np.int64], size: int, rows: int, length: int
) -> Iterator[Batch]:
    """Yields windows of `size` inputs and their targets, beginning at `starts`, `rows` side by side.

    Each batch has `length` timesteps; the state is zero where a window begins and carried on inside it. `starts` (n,)
    are at most the split's tokens - size - 1.
    """
    ids = np.asarray(split.ids)
    for first in range(0, len(starts), rows):
        begin = starts[first : first + rows, None]
        for start in range(0, size, length):
            block = ids[begin + np.arange(start, min(start + length, size) + 1)].astype(np.int64)
            yield Batch(block[:, :-1], block[:, 1:], None, start == 0)


class _Rows:
    """A stream as parallel rows, views of it; row b's last target is the first input of row b + 1."""

    def __init__(self, ids: AnyIds, rows: int) -> None:
        targets = len(ids) - 1
        if rows < 1 or targets < rows:
            raise ValueError(f"{rows} rows need at least {rows + 1} tokens, but there are {len(ids)}")
        steps, more = divmod(targets, rows)
        self.length = steps + (more > 0)
        """Number of timesteps of the longest row."""
        self._parts = []
        if more:
            self._parts.append(_view(ids, 0, more, steps + 1))
        self._parts.append(_view(ids, more * (steps + 1), rows - more, steps))

    def batch(self, start: int, stop: int) -> Batch:
        """Timesteps start to stop of all rows; the state is reset at 0."""
        rows = sum(len(part) for part in self._parts)
        block = np.zeros((rows, stop - start + 1), dtype=np.int64)
        mask: NDArray[np.bool_] | None = None
        first = 0
        for part in self._parts:
            piece = part[:, start : stop + 1]
            block[first : first + len(part), : piece.shape[1]] = piece
            if piece.shape[1] < block.shape[1]:
                mask = np.ones((rows, stop - start), dtype=np.bool_)
                mask[first:, -1] = False
            first += len(part)
        return Batch(block[:, :-1], block[:, 1:], mask, start == 0)


def _view(ids: AnyIds, start: int, rows: int, steps: int) -> AnyIds:
    """(rows, steps + 1): rows `steps` apart, each with its last target."""
    size = ids.itemsize
    return np.lib.stride_tricks.as_strided(ids[start:], (rows, steps + 1), (steps * size, size), writeable=False)


class _Lines:
    """The lines of a split by number."""

    def __init__(self, split: EncodedSplit) -> None:
        if split.line_starts is None or len(split.line_starts) < 2:
            raise ValueError("the split has no lines")
        self._ids = np.asarray(split.ids)
        self._starts = np.asarray(split.line_starts)
        self.count = len(self._starts) - 1
        self._newline = int(self._ids[self._starts[1] - 1])

    def lengths(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of targets of each line, its newline included."""
        return self._starts[numbers + 1] - self._starts[numbers]

    def longest(self, numbers: NDArray[np.int64]) -> int:
        """Number of targets in the longest of the lines."""
        return int(self.lengths(numbers).max())

    def batch(self, numbers: NDArray[np.int64], rows: int, start: int, stop: int) -> Batch:
        """Timesteps start to stop of the lines `numbers`, in `rows` rows; the state is reset at 0."""
        lengths = np.zeros(rows, dtype=np.int64)
        lengths[: len(numbers)] = self.lengths(numbers)
        first = np.zeros(rows, dtype=np.int64)
        first[: len(numbers)] = self._starts[numbers]
        steps = np.arange(start, stop)
        mask = steps < lengths[:, None]
        places = np.where(mask, first[:, None] + steps, 0)
        targets = np.where(mask, self._ids[places], 0).astype(np.int64)
        inputs = np.where(mask, self._ids[np.maximum(places - 1, 0)], 0).astype(np.int64)
        if start == 0:
            inputs[: len(numbers), 0] = self._newline
        return Batch(inputs, targets, None if mask.all() else mask, start == 0)
