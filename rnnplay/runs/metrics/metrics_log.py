"""Reads and writes metrics.jsonl: a record per line, appended, and cut back to a checkpoint that a run resumes from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from rnnplay.common.files import check_own, open_if_there, open_own
from rnnplay.common.jsonl import (
    TAIL_BYTES,
    UNDECODABLE,
    cut_partial_line,
    decode_line,
    encode_line,
    whole_lines,
)
from rnnplay.errors import InputError
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Step

FLUSH_SECONDS = 0.3
"""A record waits in memory no longer than this for the next one, in seconds."""

MOST_WAITING = 50_000
"""Records kept while they cannot be written; beyond that every other step is dropped."""

RECORDS_PER_WRITE = 5_000

_encoder = msgspec.json.Encoder()
# Not strict: only so does msgspec read "nan" and "inf" into floats.
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record, strict=False)


class MetricsLog:
    """The records of one run. Appending buffers; flushed records survive the process being killed.

    Records that cannot be written stay in memory, in order, and are written when that is possible again.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._waiting: list[Record] = []
        self._flushed = clock()
        self._size = 0
        self.flushes = 0
        """Number of successful flushes."""
        self.left_out = 0
        """Step records dropped because too many were waiting."""

    @property
    def size(self) -> int:
        """Bytes of whole lines on disk after the last flush, even if that failed."""
        return self._size

    def append(self, records: Iterable[Record]) -> None:
        """Adds records; they reach the disk within FLUSH_SECONDS, if others follow. Raises OSError."""
        self._waiting.extend(records)
        if self._waiting and self._clock() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self, durable: bool = False) -> int:
        """Writes all buffered records (`durable`: with fsync); returns the file's size in bytes.

        Raises OSError if that is impossible; unwritten records stay buffered.
        """
        self._flushed = self._clock()  # even if it fails: the next attempt is FLUSH_SECONDS later
        try:
            descriptor = open_own(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            try:
                self._size = cut_partial_line(descriptor)
                self._write(descriptor)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            self._drop_steps()
            raise
        self.flushes += 1
        return self._size

    def _write(self, descriptor: int) -> None:
        while self._waiting:
            data = encode_lines(self._waiting[:RECORDS_PER_WRITE])
            written = 0
            try:
                while written < len(data):
                    written += _put(descriptor, memoryview(data)[written:])
            finally:
                # A partly written line is cut off before the next attempt.
                whole = data[:written].rfind(b"\n") + 1
                del self._waiting[: data.count(b"\n", 0, whole)]
                self._size += whole

    def _drop_steps(self) -> None:
        """Drops every other step while too many records are waiting."""
        if len(self._waiting) <= MOST_WAITING:
            return
        before = len(self._waiting)
        kept = [one for number, one in enumerate(self._waiting) if number % 2 or not isinstance(one, Step)]
        self._waiting = kept if len(kept) <= MOST_WAITING else kept[-MOST_WAITING // 2 :]
        self.left_out += before - len(self._waiting)

    def read(self) -> Iterator[Record]:
        """Reads the records on disk, oldest first.

        An incomplete last line is still being written and is left out. Records before a Rollback may belong to steps
        that were undone. Raises InputError, naming an unreadable line.
        """
        if (descriptor := open_if_there(self.path)) is None:
            return
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
            before = 0
            for whole in whole_lines(file, self.path):
                yield from self.decode(whole, before)
                before += whole.count(b"\n")

    def cut(self, after_step: int, size: int | None = None) -> None:
        """Drops what was recorded after the checkpoint of step `after_step`, in memory and on disk.

        `size` is the file's size when that checkpoint was written; without it, or if the file has changed, the place is
        found by reading. The file is only shortened, atomically. Raises OSError, or InputError for a file that is not
        rnnplay's own.
        """
        self._waiting = []
        check_own(self.path)
        if not os.path.lexists(self.path):
            return
        with open(open_own(self.path, os.O_RDWR), "r+b") as file:  # noqa: PTH123 (a descriptor)
            if size is None or not _ends_by(file, size, after_step):
                file.seek(0)
                size = _size_by(file, self.path, after_step)
            file.truncate(size)
            os.fsync(file.fileno())

    def decode(self, whole: bytes, before: int) -> list[Record]:
        """Decodes the records in whole lines, `before` of which precede them; raises InputError naming the bad line."""
        try:
            return _decoder.decode_lines(whole)
        except UNDECODABLE:
            pass
        records = []
        for number, line in enumerate(whole.splitlines(), start=before + 1):
            if line.strip():
                records.append(self._decode_one(line, number))
        return records

    def _decode_one(self, line: bytes, number: int) -> Record:
        try:
            return _decoder.decode(line)
        except UNDECODABLE as error:
            raise InputError(f"{self.path}, line {number}, is not a record of rnnplay; remove that line.") from error


def _put(descriptor: int, data: memoryview) -> int:
    return os.write(descriptor, data)


def _ends_by(file: BinaryIO, size: int, step: int) -> bool:
    """Whether the first `size` bytes are whole lines that end at `step` or before."""
    if size <= 0:
        return size == 0
    if file.seek(0, os.SEEK_END) < size:
        return False
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read(min(size, TAIL_BYTES))
    if not tail.endswith(b"\n"):
        return False
    try:
        record: Record = decode_line(tail.splitlines()[-1], Record)
    except UNDECODABLE:
        return False
    return (record.to if isinstance(record, Rollback) else record.step) <= step


def _size_by(file: BinaryIO, path: Path, step: int) -> int:
    """Returns the bytes of the records up to `step`.

    A run that was rolled back past `step` reaches it again: the last time counts.
    """
    size, found = 0, None
    for whole in whole_lines(file, path):
        for line in whole.splitlines(keepends=True):
            try:
                record: Record = _decoder.decode(line)
            except UNDECODABLE:
                return size if found is None else found
            if isinstance(record, Rollback):
                if record.to <= step:
                    found = None
            elif found is None and (record.step > step or (record.step == step and isinstance(record, Finished))):
                found = size
            size += len(line)
    return size if found is None else found


def encode_lines(records: list[Record]) -> bytes:
    """Encodes `records` as lines of JSON, each as `rnnplay.common.jsonl.encode_line` does."""
    lines = _encoder.encode_lines(records)
    # As there: null stands for a number that is not finite, and is written out.
    return b"".join(map(encode_line, records)) if b"null" in lines else lines
