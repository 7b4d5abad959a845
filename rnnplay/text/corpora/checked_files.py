"""Remembers which files of an encoded corpus were checked completely, so that they need not be read again.

`seen.json` in the corpus's folder has each file's size, times and inode number at the moment of the check. A file that
was written since, or copied here with the folder, differs in these and is checked again.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing

_NAME = "seen.json"
_LARGEST = 1 << 16

TOO_FRESH_NS = 100_000_000
"""A file changed within this many nanoseconds could change again with the same time stamp: it is not remembered."""


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A file's identity at one moment. Unlike the modification time, the change time cannot be set by a program."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    check: int = 0
    """The checksum found."""

    @classmethod
    def of(cls, found: os.stat_result, check: int = 0) -> Stamp:
        """Creates a stamp from a stat result."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, check)

    @property
    def too_fresh(self) -> bool:
        """Whether a change now might leave the stamp the same."""
        return time.time_ns() - max(self.mtime_ns, self.ctime_ns) <= TOO_FRESH_NS


class CheckedFiles:
    """The checked files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._new = False
        try:
            data = read_small(self._path, _LARGEST)
            self._stamps = msgspec.json.decode(data, type=dict[str, Stamp])
        except (OSError, ValueError, RecursionError, msgspec.DecodeError):
            self._stamps = {}

    def contains(self, path: Path, stamp: Stamp) -> bool:
        """Whether exactly this file has passed an earlier check."""
        return self._stamps.get(path.name) == stamp

    def add(self, path: Path, stamp: Stamp) -> None:
        """Records that the file passed; `stamp` was taken before it was read."""
        if not stamp.too_fresh:
            self._stamps[path.name] = stamp
            self._new = True

    def save(self) -> None:
        """Saves new entries. They only save time: if they cannot be written, everything works without them."""
        if not self._new:
            return
        with suppress(OSError), replacing(self._path) as file:
            file.write(msgspec.json.encode(self._stamps))
