"""Maps arrays in files into memory, after checking that they are what was written."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VALUES = 1 << 16
"""Values checked at once."""
_ENDS = 1 << 16
"""Bytes at a file's start and end that the check of format 1 covers."""

BlockCheck = Callable[[NDArray[Any]], None]
"""Called with one block of an array after another; raises ValueError for invalid values."""


def mapped(path: Path, dtype: type[Any], count: int) -> NDArray[Any]:
    """Maps the file as an array of `count` values; raises ValueError if it is not a regular file of that size."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size != count * np.dtype(dtype).itemsize:
        raise ValueError(path.name)
    return np.memmap(path, dtype=dtype, mode="r") if count else np.zeros(0, dtype=dtype)


def check_whole(path: Path, dtype: type[Any], check: int | None, check_block: BlockCheck) -> None:
    """Reads the whole file once; raises ValueError unless its CRC-32 is `check` and `check_block` accepts every block.

    With `check` None the checksum is not compared.
    """
    crc = 0
    for block in _blocks(path, dtype):
        if check is not None:
            crc = zlib.crc32(block.data, crc)
        check_block(block)
    if check is not None and crc != check:
        raise ValueError(path.name)


def ids_below(size: int, dtype: type[Any]) -> BlockCheck:
    """Raises ValueError for an id of `size` or more, which would end a run in the middle."""

    def check_block(block: NDArray[Any]) -> None:
        if size <= int(np.iinfo(dtype).max) and (int(block.max()) >= size or int(block.min()) < 0):
            raise ValueError("an id is out of range")

    return check_block


def rising_to(tokens: int, count: int) -> BlockCheck:
    """Raises ValueError unless the `count` starts of lines rise from 0 to the number of tokens."""
    last, seen = -1, 0

    def check_block(block: NDArray[Any]) -> None:
        nonlocal last, seen
        if (last < 0 and block[0] != 0) or block[0] <= last or (len(block) > 1 and int(np.diff(block).min()) < 1):
            raise ValueError("starts of lines are out of order")
        last, seen = int(block[-1]), seen + len(block)
        if seen >= count and last != tokens:
            raise ValueError("starts of lines do not fit the tokens")

    return check_block


def ends_check(path: Path) -> int:
    """CRC-32 of the file's start and end, as in format 1 of the cache."""
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(file.seek(0, os.SEEK_END) - _ENDS, 0))
        return zlib.crc32(file.read(_ENDS), zlib.crc32(start))


def _blocks(path: Path, dtype: type[Any]) -> Iterator[NDArray[Any]]:
    # Read, not mapped: the pages of a mapping count as this process's memory.
    with path.open("rb") as file:
        while len(block := np.fromfile(file, dtype=dtype, count=_VALUES)):
            yield block
