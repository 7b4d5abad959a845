"""metrics.jsonl: one record a line, only ever appended to, and cut back to a checkpoint when a run goes on from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from rnnplay.errors import InputError
from rnnplay.jsonlines import decode_line, encode_line
from rnnplay.training.records import Finished, Record

FLUSH_SECONDS = 1.0
"""A record waits in memory no longer than this for the next one."""

CHUNK_BYTES = 1 << 22

_encoder = msgspec.json.Encoder()
# Not strict: only so does msgspec read "nan" and "inf" into floats.
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record, strict=False)


class MetricsLog:
    """The records of one run. Appending buffers; what was flushed survives the process being killed."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._waiting: list[Record] = []
        self._flushed = clock()

    def append(self, records: Iterable[Record]) -> None:
        """Adds records; they are on their way to disk within a second, if others follow. Raises OSError."""
        self._waiting.extend(records)
        if self._waiting and self._clock() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self, durable: bool = False) -> int:
        """Hands all records to the system (`durable`: onto the disk too); returns the file's size in bytes."""
        with self.path.open("ab") as file:
            if self._waiting:
                file.write(encode_lines(self._waiting))
                self._waiting = []
                file.flush()
            if durable:
                os.fsync(file.fileno())
            size = file.tell()
        self._flushed = self._clock()
        return size

    def read(self) -> Iterator[Record]:
        """The records on disk, oldest first. A last line without its end is still being written and is left out.

        Raises InputError naming the line that cannot be read.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"{self.path} cannot be read ({error.strerror}); allow reading it.") from error
        with file:
            before = 0
            for whole in _whole_lines(file, self.path):
                yield from self._decode(whole, before)
                before += whole.count(b"\n")

    def cut(self, after_step: int, size: int | None = None) -> None:
        """Forgets what was recorded after step `after_step`'s checkpoint, in memory and on disk.

        `size` is the file's size when that checkpoint was written; without it, or if the file is not as it was
        then, the place is found by reading. The file only gets shorter, which happens as a whole or not at all.
        """
        self._waiting = []
        if not self.path.exists():
            return
        if size is None or not self._ends_by(size, after_step):
            size = self._size_by(after_step)
        with self.path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())

    def _decode(self, whole: bytes, before: int) -> list[Record]:
        try:
            return _decoder.decode_lines(whole)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        records = []
        for number, line in enumerate(whole.splitlines(), start=before + 1):
            if line.strip():
                records.append(self._decode_one(line, number))
        return records

    def _decode_one(self, line: bytes, number: int) -> Record:
        try:
            return _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path}, line {number}, is not a record of rnnplay; remove that line.") from error

    def _ends_by(self, size: int, step: int) -> bool:
        # Whether the first `size` bytes are whole lines, the last of which belongs to `step` or an earlier one.
        if size <= 0:
            return size == 0
        with self.path.open("rb") as file:
            if file.seek(0, os.SEEK_END) < size:
                return False
            file.seek(max(0, size - 4096))
            tail = file.read(min(size, 4096))
        if not tail.endswith(b"\n"):
            return False
        try:
            record: Record = decode_line(tail.splitlines()[-1], Record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        return record.step <= step

    def _size_by(self, step: int) -> int:
        size = 0
        with self.path.open("rb") as file:
            for whole in _whole_lines(file, self.path):
                for line in whole.splitlines(keepends=True):
                    try:
                        record: Record = _decoder.decode(line)
                    except (msgspec.DecodeError, UnicodeDecodeError):
                        return size
                    if record.step > step or (record.step == step and isinstance(record, Finished)):
                        return size
                    size += len(line)
        return size


def encode_lines(records: list[Record]) -> bytes:
    """`records` as lines of JSON, as `rnnplay.jsonlines.encode_line` writes each."""
    lines = _encoder.encode_lines(records)
    # As there: null stands for a number that is not finite, and is spelt out.
    return b"".join(map(encode_line, records)) if b"null" in lines else lines


def _whole_lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(CHUNK_BYTES):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > CHUNK_BYTES:
            raise InputError(f"{path} has a line of more than {CHUNK_BYTES:,} bytes; it is not rnnplay's.")
