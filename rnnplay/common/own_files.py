"""Writing only to files that are the user's own: nothing is written through a name that may be another file.

A symbolic link, a hard link, a pipe or a device in a file's place may have come with a folder from elsewhere. What is
appended to goes through `open_own`; what is written anew goes to a new file, which then takes the old one's place.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rnnplay.common.commands import quoted
from rnnplay.common.plain_files import NotPlainError, open_plain
from rnnplay.errors import InputError


class NotOwnError(InputError):
    """What would be written to may be another file, or is another user's."""


def open_own(path: Path, flags: int) -> int:
    """A descriptor to write to the plain file `path`, made if `flags` say so; `flags` never truncate it.

    All is checked on the open descriptor, before anything is changed: the file has no other name, and belongs to the
    user or to the owner of the folder that it is in. Raises NotPlainError (an OSError) for anything else.
    """
    if flags & os.O_TRUNC:
        raise ValueError("a file is not emptied before it is known whose it is")
    descriptor = open_plain(path, flags)
    try:
        if why := _foreign(path, os.fstat(descriptor)):
            raise NotPlainError(errno.EPERM, why[0].upper() + why[1:], str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_own(path: Path) -> None:
    """Raises NotOwnError, with what to do, if `open_own` would refuse what is at `path`; there may be nothing."""
    try:
        found = path.lstat()
    except OSError:
        return  # nothing, or nothing that can be opened
    if path.is_symlink() or not path.is_file():
        raise NotOwnError(f"{path} is not a plain file, as rnnplay writes it; remove it or choose another run.")
    if why := _foreign(path, found):
        name, beside = quoted(str(path)), quoted(f"{path}.own")
        raise NotOwnError(
            f"{path} {why}; nothing was written. To write to a copy in its place: cp {name} {beside} && "
            f"mv {beside} {name}"
        )


@contextlib.contextmanager
def replacing(path: Path, durable: bool = False, keep_mode: bool = False) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends well, and is removed otherwise. Raises OSError.

    `durable`: onto the disk first; `keep_mode`: with the permissions of the file that it replaces.
    """
    beside = name_beside(path)
    try:
        with beside.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if keep_mode:
            with contextlib.suppress(OSError):
                beside.chmod(path.stat().st_mode & 0o7777)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def name_beside(path: Path) -> Path:
    """A name for what will take the place of `path`: hidden, in the same folder, and not to be known before."""
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.partial")


def _foreign(path: Path, found: os.stat_result) -> str:
    # What stands against writing to a plain file, in words that follow its name; "" if nothing does.
    if found.st_nlink > 1:
        return "is a hard link, another name of a file that may be elsewhere"
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        return "belongs to another user"
    return ""
