"""Files that are there whole or not at all, and bounded reading of files that somebody else may have made.

A link is never followed, neither to read nor to write: a run folder that came from elsewhere cannot lead out of itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from rnnplay.common.plain_files import open_plain
from rnnplay.errors import InputError


def check_plain(path: Path) -> None:
    """Raises InputError if there is something else than a plain file at `path`; there may be nothing."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError(f"{path} is not a plain file, as rnnplay writes it; remove it or choose another run.")


def write_durably(path: Path, data: bytes) -> None:
    """Writes `data` to a new file and sees it onto the disk. Raises OSError, also if there is such a file."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, data: bytes) -> None:
    """Puts `data` in the place of `path`; whoever reads sees the old file or the new one. Raises OSError."""
    beside = path.with_name(f".{path.name}.partial")
    beside.unlink(missing_ok=True)
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


def remove_tree(path: Path) -> None:
    """Deletes a folder and all in it, or a file, or a link (not what it leads to), if there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a plain file of at most `limit` bytes; raises InputError for anything else.

    The size is looked at before memory is taken, and is also bounded by half of this machine's memory.
    """
    try:
        if path.is_symlink() or not path.is_file():
            what = "is not a plain file" if path.is_symlink() or path.exists() else "is missing"
            raise InputError(f"{path} {what}; restore it or choose another run.")
        descriptor = open_plain(path, os.O_RDONLY)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise InputError(
                    f"{path} is larger than the {limit:,} bytes that such a file may have; it is not rnnplay's."
                )
            if size > _memory() // 2:
                raise InputError(f"{path} ({size:,} bytes) is larger than this machine's memory has room for.")
            data = file.read(size + 1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); allow reading it or choose another run."
        ) from error
    if len(data) > size:
        raise InputError(f"{path} grew while it was read; try again when nobody writes to it.")
    return data


def _memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 36
