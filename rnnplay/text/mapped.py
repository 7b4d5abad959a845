"""Arrays in files, mapped into memory once it is sure that they are what was written: nobody need have written it."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VALUES = 1 << 16
"""Checked at once."""
_ENDS = 1 << 16
"""Bytes at a file's start and end that its check covers: whole files would take too long."""


def mapped(path: Path, dtype: type[Any], count: int, check: int | None) -> NDArray[Any]:
    """The file as an array; raises ValueError if it is not the one that was written."""
    found = path.stat()
    if (
        not stat.S_ISREG(found.st_mode)
        or found.st_size != count * np.dtype(dtype).itemsize
        or ends_check(path) != check
    ):
        raise ValueError(path.name)
    return np.memmap(path, dtype=dtype, mode="r") if count else np.zeros(0, dtype=dtype)


def _blocks(path: Path, dtype: type[Any]) -> Iterator[NDArray[Any]]:
    # Read, not mapped: pages of a mapping count as this process's memory.
    with path.open("rb") as file:
        while len(block := np.fromfile(file, dtype=dtype, count=_VALUES)):
            yield block


def check_ids(path: Path, dtype: type[Any], size: int) -> None:
    """Raises ValueError unless all ids are below `size`: another would end a run in the middle of it."""
    if size > int(np.iinfo(dtype).max):
        return
    for block in _blocks(path, dtype):
        if int(block.max()) >= size or int(block.min()) < 0:
            raise ValueError("an id out of range")


def check_lines(path: Path, tokens: int) -> None:
    """Raises ValueError unless the starts of lines go up from 0 to the number of tokens."""
    last = -1
    for block in _blocks(path, np.int64):
        if (last < 0 and block[0] != 0) or block[0] <= last or (len(block) > 1 and int(np.diff(block).min()) < 1):
            raise ValueError("lines out of order")
        last = int(block[-1])
    if last != tokens:
        raise ValueError("lines that do not fit their tokens")


def ends_check(path: Path) -> int:
    """The CRC-32 of the file's start and end."""
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(file.seek(0, os.SEEK_END) - _ENDS, 0))
        return zlib.crc32(file.read(_ENDS), zlib.crc32(start))
