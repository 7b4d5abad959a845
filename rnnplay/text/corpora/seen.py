"""Which files of an encoded corpus were read and checked whole, so that nobody reads them again to check them.

`seen.json` in the corpus's folder has each file's size, times and number in the file system at the moment when it was
checked. A file that was written since, or copied here with the folder, has others, and is checked again.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from rnnplay.common.plain_files import read_small

_NAME = "seen.json"
_LARGEST = 1 << 16

TOO_FRESH_NS = 100_000_000
"""A file changed this shortly ago could change again with the same time: such a moment is not remembered."""


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A file at one moment. The change time cannot be set by hand, as the modification time can."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    check: int = 0
    """The checksum that it was found to have."""

    @classmethod
    def of(cls, found: os.stat_result, check: int = 0) -> Stamp:
        """From what the system says of the file."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, check)

    @property
    def too_fresh(self) -> bool:
        """Whether a change that came now might leave it as it is."""
        return time.time_ns() - max(self.mtime_ns, self.ctime_ns) <= TOO_FRESH_NS


class Seen:
    """The files of one folder that were found to be whole."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._new = False
        try:
            data = read_small(self._path, _LARGEST)
            self._stamps = msgspec.json.decode(data, type=dict[str, Stamp])
        except (OSError, ValueError, RecursionError, msgspec.DecodeError):
            self._stamps = {}

    def knows(self, path: Path, stamp: Stamp) -> bool:
        """Whether this very file was found whole before."""
        return self._stamps.get(path.name) == stamp

    def add(self, path: Path, stamp: Stamp) -> None:
        """It was found whole; `stamp` is of before it was read."""
        if not stamp.too_fresh:
            self._stamps[path.name] = stamp
            self._new = True

    def keep(self) -> None:
        """Writes what is new. It only saves time: where nothing can be written, all works without."""
        if not self._new:
            return
        with suppress(OSError):
            handle, beside = tempfile.mkstemp(prefix=".seen-", suffix=".partial", dir=self._path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.encode(self._stamps))
                Path(beside).replace(self._path)
            except OSError:
                Path(beside).unlink(missing_ok=True)
