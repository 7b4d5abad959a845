"""Reads metrics.jsonl for its curves, in little memory: steps as columns of numbers, other records as they are.

A file of many millions of steps is read in chunks. Steps beyond what is read in about a second are thinned: a few
consecutive ones every so many bytes, evenly over the whole file. Other records are never left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from operator import lt
from typing import NamedTuple

import msgspec

from rnnplay.common.files import open_if_there
from rnnplay.common.jsonl import UNDECODABLE, whole_lines
from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.records import Record, Step, StepNumber

CHUNK_BYTES = 1 << 20
PIECE_BYTES = 1 << 12
"""Bytes of consecutive steps that are read, or skipped, together."""
ALL_BYTES = 1 << 25
"""Bytes of steps read of a file; a longer one is thinned to this."""
END_BYTES = 1 << 21
"""Bytes at the end that are never thinned."""
LAST = 100
"""Number of steps at the end that are also decoded as records."""

_STEP_START = b'{"type":"step",'
_OTHER, _STEPS, _LEFT_OUT = range(3)


class _Point(msgspec.Struct, frozen=True, gc=False):
    step: StepNumber
    loss: float
    grad_norm: float
    grad_norm_clipped: float


_points: msgspec.json.Decoder[_Point] = msgspec.json.Decoder(_Point, strict=False)
_steps: msgspec.json.Decoder[Step] = msgspec.json.Decoder(Step, strict=False)


class StepColumns(NamedTuple):
    """Consecutive steps, some perhaps left out, by rising number; lists of the same, non-zero length."""

    step: list[int]
    loss: list[float]
    grad_norm: list[float]
    grad_norm_clipped: list[float]
    last: list[Step]
    """The last of them as records; towards the end of the file only."""


class Position(msgspec.Struct, frozen=True):
    """The offset of a line end in a metrics.jsonl."""

    bytes: int = 0
    lines: int = 0


class ColumnReader:
    """Reads a metrics.jsonl once, from `start` on; what is appended meanwhile may be left out."""

    def __init__(
        self, log: MetricsLog, start: Position | None = None, all_bytes: int = ALL_BYTES, every: int | None = None
    ) -> None:
        """Of every `every` pieces of steps one is read; by default so few that `all_bytes` of steps are."""
        self._log = log
        self.end = start or Position()
        """The offset up to which it was read; while an item is handled, the offset of that item."""
        self.whole_from: Position | None = None
        """The offset from which on no step is left out, once it has been reached."""
        self._all_bytes, self._every = all_bytes, every

    def read(self) -> Iterator[StepColumns | Record]:
        """Yields everything, oldest first. Raises InputError naming an unreadable line."""
        path = self._log.path
        if (descriptor := open_if_there(path)) is None:
            return
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
            size = os.fstat(descriptor).st_size
            file.seek(self.end.bytes)
            every = self._every or max(1, -(-(size - self.end.bytes) // self._all_bytes))
            for chunk in whole_lines(file, path, CHUNK_BYTES):
                at_end = size - self.end.bytes <= END_BYTES
                if at_end and self.whole_from is None:
                    self.whole_from = self.end
                for kind, lines, count in _sorted_out(chunk, self.end.bytes, 1 if at_end else every):
                    if kind == _OTHER:
                        yield from self._log.decode(lines, self.end.lines)
                    elif kind == _STEPS:
                        yield from self._columns(lines, at_end)
                    self.end = Position(self.end.bytes + len(lines), self.end.lines + count)

    def _columns(self, lines: bytes, at_end: bool) -> Iterator[StepColumns | Record]:
        try:
            whole = lines.count(_STEP_START) == lines.count(b"\n")
            points = _points.decode_lines(lines) if whole else []
            last = _steps.decode_lines(b"\n".join(lines.rsplit(b"\n", LAST + 1)[-LAST - 1 : -1])) if at_end else []
        except UNDECODABLE:
            points = []
        numbers = [point.step for point in points]
        if not numbers or not all(map(lt, numbers, numbers[1:])):
            yield from self._log.decode(lines, self.end.lines)  # one by one, or an error that names the line
            return
        yield StepColumns(
            numbers,
            [point.loss for point in points],
            [point.grad_norm for point in points],
            [point.grad_norm_clipped for point in points],
            last,
        )


def _sorted_out(chunk: bytes, offset: int, every: int) -> Iterator[tuple[int, bytes, int]]:
    """Splits `chunk`, which begins at `offset`, into runs of consecutive lines of one kind, with their counts."""
    import numpy as np

    characters = np.frombuffer(chunk, np.uint8)
    ends = np.flatnonzero(characters == ord("\n")) + 1
    starts = np.concatenate(([0], ends[:-1]))
    # As far as the tags of records differ; what is read is checked completely.
    is_step = np.ones(len(starts), bool)
    for at, letter in enumerate(b"ste", len(b'{"type":"')):
        is_step &= characters[np.minimum(starts + at, len(chunk) - 1)] == letter
    kinds = np.where(is_step, np.where((starts + offset) // PIECE_BYTES % every == 0, _STEPS, _LEFT_OUT), _OTHER)
    changes = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    for first, after in zip([0, *changes.tolist()], [*changes.tolist(), len(kinds)], strict=True):
        yield int(kinds[first]), chunk[starts[first] : ends[after - 1]], after - first
