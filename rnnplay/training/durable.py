"""Files that are there whole or not at all, and bounded reading of files that somebody else may have made."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from rnnplay.errors import InputError


def write_durably(path: Path, data: bytes) -> None:
    """Writes `data` to a new file and sees it onto the disk. Raises OSError."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, data: bytes) -> None:
    """Puts `data` in the place of `path`; whoever reads sees the old file or the new one. Raises OSError."""
    beside = path.with_name(f".{path.name}.partial")
    try:
        write_durably(beside, data)
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sees the names in `folder` onto the disk, where the system can do that."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a plain file of at most `limit` bytes; raises InputError for anything else."""
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "is missing"
            raise InputError(f"{path} {what}; restore it or choose another run.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); allow reading it or choose another run."
        ) from error
    if len(data) > limit:
        raise InputError(f"{path} is larger than the {limit:,} bytes that such a file may have; it is not rnnplay's.")
    return data
