"""Hashes whole files, none twice, and remembers which files of an encoded corpus were checked completely.

`<cache>/encoded/index.json` keeps the hashes by path, size and times; `seen.json` in the folder of an encoded corpus
has each file's size, times and inode number at the moment of the check. A file that was written since, or copied here
with the folder, differs in these and is read again.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.text.corpora.reading import changed, check_text_file, reading

_BLOCK = 1 << 20
_LARGEST_INDEX = 1 << 24
_MOST_INDEXED = 1000
_SHA256 = re.compile("[0-9a-f]{64}")
_SEEN = "seen.json"
_LARGEST_SEEN = 1 << 16
TOO_FRESH_NS = 100_000_000
"""A file changed within this many nanoseconds could change again with the same time stamp: it is not remembered."""


class _Indexed(msgspec.Struct, frozen=True):
    size: int
    mtime_ns: int
    sha256: str
    ctime_ns: int = 0
    inode: int = 0

    @classmethod
    def of(cls, found: os.stat_result, sha256: str) -> _Indexed:
        return cls(found.st_size, found.st_mtime_ns, sha256, found.st_ctime_ns, found.st_ino)


def content_hash(path: Path, cache: Path, progress: Callable[[int], None] | None = None) -> str:
    """Returns the SHA-256 of the file at `path`, from the index if the file is unchanged. Raises InputError."""
    index_path = cache / "encoded" / "index.json"
    found = check_text_file(path)
    name = os.fspath(path.absolute()).encode(errors="surrogateescape").decode(errors="backslashreplace")
    index = _read_index(index_path)
    known = index.get(name)
    if known is not None and known == _Indexed.of(found, known.sha256):
        return known.sha256
    digest = hashlib.sha256()
    done = 0
    with reading(path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            if done > found.st_size:  # another process writes faster than we read, perhaps endlessly
                raise changed(path)
            if progress is not None:
                progress(done)
    check_unchanged(path, found)
    if time.time_ns() - found.st_mtime_ns > TOO_FRESH_NS:
        index.pop(name, None)
        index[name] = _Indexed.of(found, digest.hexdigest())
        _write_index(index_path, dict(list(index.items())[-_MOST_INDEXED:]))
    return digest.hexdigest()


def check_unchanged(path: Path, before: os.stat_result) -> None:
    """Raises InputError if the file at `path` has changed."""
    now = check_text_file(path)
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise changed(path)


def _read_index(path: Path) -> dict[str, _Indexed]:
    try:
        index = msgspec.json.decode(read_small(path, _LARGEST_INDEX), type=dict[str, _Indexed])
    except (OSError, msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return {name: about for name, about in index.items() if _SHA256.fullmatch(about.sha256)}


def _write_index(path: Path, index: dict[str, _Indexed]) -> None:
    # The index only saves time: if it cannot be written, everything works without it.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(msgspec.json.encode(index))


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
        self._path = folder / _SEEN
        self._new = False
        try:
            data = read_small(self._path, _LARGEST_SEEN)
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
