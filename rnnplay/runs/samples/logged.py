"""Writes and reads samples.jsonl: what fixed prompts were completed with, by step. Does not load torch.

One line of JSON a sample, appended at validations, and cut back when a run resumes from a checkpoint or is rolled back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from rnnplay.common.files import check_own, open_if_there, open_own
from rnnplay.common.jsonl import UNDECODABLE, append_lines, decode_line, encode_line, whole_lines
from rnnplay.errors import InputError
from rnnplay.runs.metrics.records import StepNumber

FILE = "samples.jsonl"
MOST_BYTES = 1 << 26
"""Only this much of the end of a larger file is read."""

_LONGEST_LINE = 1 << 20
_Text = Annotated[str, msgspec.Meta(max_length=20_000)]


class LoggedSample(msgspec.Struct, frozen=True, kw_only=True):
    """What a prompt was completed with after `step` steps. Neither text is cleaned for a terminal."""

    step: StepNumber
    prompt: _Text
    text: _Text
    """The continuation, without the prompt."""
    loss: float | None = None
    """Validation loss at that step, nats per token; None if there was no validation."""


_decoder = msgspec.json.Decoder(LoggedSample, strict=False)


class Stamp(NamedTuple):
    """Identifies what a file holds: it has changed if this has."""

    inode: int
    size: int
    changed: int
    """Nanoseconds since 1970."""


class SampleFile:
    """The samples.jsonl in a run's folder; it need not exist."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def append(self, samples: Iterable[LoggedSample]) -> None:
        """Adds samples. Raises OSError."""
        append_lines(self.path, b"".join(map(encode_line, samples)))

    def cut(self, after_step: int) -> None:
        """Drops the samples after step `after_step`, and everything from the first unreadable line on.

        Raises OSError, or InputError for a file that may be another.
        """
        check_own(self.path)
        if not os.path.lexists(self.path):
            return
        with open(open_own(self.path, os.O_RDWR), "r+b") as file:  # noqa: PTH123 (a descriptor)
            kept = 0
            for line in iter(lambda: file.readline(_LONGEST_LINE), b""):
                try:
                    step = decode_line(line, LoggedSample).step
                except UNDECODABLE:
                    break
                if step > after_step or not line.endswith(b"\n"):
                    break
                kept += len(line)
            if kept < os.fstat(file.fileno()).st_size:
                file.truncate(kept)

    def read(self) -> list[LoggedSample]:
        """Reads the samples, oldest first; none if there is no file. Raises InputError naming an unreadable line.

        An incomplete last line is still being written and is left out.
        """
        return self.read_from(0)[0]

    def read_from(self, start: int) -> tuple[list[LoggedSample], int, bytes]:
        """Reads the samples from byte `start` on, which begins a line.

        Also returns where the next line will begin, and the last whole line. Raises InputError as `read` does.
        """
        if (descriptor := open_if_there(self.path)) is None:
            return [], 0, b""
        found: list[LoggedSample] = []
        last = b""
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
            at = max(start, os.fstat(descriptor).st_size - MOST_BYTES)
            where = "" if not at else f"after byte {at:,}, "
            if at > start:
                file.seek(at - 1)
                at += len(file.readline()) - 1
            file.seek(at)
            for whole in whole_lines(file, self.path):
                lines = whole.splitlines(keepends=True)
                found += [self._decoded(line, f"{where}line {len(found) + k}") for k, line in enumerate(lines, start=1)]
                at, last = at + len(whole), lines[-1]
        return found, at, last

    def stamp(self) -> Stamp | None:
        """Changes when the file does; None if there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)

    def _decoded(self, line: bytes, where: str) -> LoggedSample:
        try:
            return _decoder.decode(line)
        except UNDECODABLE as error:
            raise InputError(f"{self.path}, {where}, is not a sample of rnnplay; remove that line.") from error


def prompts_of(samples: Iterable[LoggedSample]) -> list[str]:
    """The prompts of `samples`, each once, in order of appearance."""
    return list(dict.fromkeys(sample.prompt for sample in samples))


class SampleFollower:
    """Reads a samples.jsonl again and again while another process writes it, each time only what is new."""

    def __init__(self, file: SampleFile) -> None:
        self.samples: list[LoggedSample] = []
        self._file = file
        self._stamp: Stamp | None = None
        self._end = 0
        self._last = b""
        """The last line read, which stands before byte `_end`."""

    def look(self) -> bool:
        """Brings `samples` up to date; returns whether anything has changed. Raises InputError."""
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return False
        if self._samples_stand(stamp):
            found, self._end, last = self._file.read_from(self._end)
            self._last = last or self._last
            self.samples = self.samples + found
        else:
            self.samples, self._end, self._last = self._file.read_from(0)
        self._stamp = stamp
        return True

    def _samples_stand(self, stamp: Stamp | None) -> bool:
        """Whether what was read is still in the file: it may have been cut back, and written on."""
        if stamp is None or self._stamp is None or stamp.inode != self._stamp.inode or stamp.size < self._end:
            return False
        try:
            with self._file.path.open("rb") as file:
                file.seek(self._end - len(self._last))
                return file.read(len(self._last)) == self._last
        except OSError:
            return False
