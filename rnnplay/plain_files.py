"""Opening files that somebody else may have made: a pipe or a device in a file's place holds nobody up."""

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
