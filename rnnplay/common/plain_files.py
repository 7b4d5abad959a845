"""Opens files that others may have made, so that a pipe or a device in the place of a file blocks nothing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class NotPlainError(OSError):
    """Neither a file nor nothing is there, but a folder, a pipe or a device."""


def open_plain(path: Path, flags: int, follow: bool = False) -> int:
    """A descriptor of the plain file `path`, made if `flags` say so; raises OSError for anything else.

    A link is such a thing too, unless `follow`: then it stands for what it leads to.
    """
    # Where a system lacks one of these it is left out. NONBLOCK: opening a pipe nobody writes to would wait forever.
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlainError(errno.EINVAL, "Not a plain file", str(path))
    return descriptor


def read_small(path: Path, limit: int) -> bytes:
    """The bytes of a plain file of at most `limit` bytes; raises OSError or ValueError for anything else."""
    with os.fdopen(open_plain(path, os.O_RDONLY, follow=True), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"{path.name} has more than {limit:,} bytes")
        return file.read(size)
