"""Files: reading those that others may have written, and writing atomically.

A run folder may have come from elsewhere. So links out of it are never followed, a pipe or a device in the place of a
file blocks nothing, and nothing is written through a name that may be another file: appending goes through `open_own`,
and everything else goes to a new file, which then replaces the old one.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rnnplay.common.commands import quoted
from rnnplay.common.limits import way_out
from rnnplay.errors import InputError

_ASCII = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MOST_BYTES = 240
"""Leaves space for temporary additions (.NAME.removed) within the 255 bytes of common file systems."""
_MOST_MARKS = 3
"""Combining marks on a letter; more would be drawn over other lines."""
_INVISIBLE = frozenset(
    (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0)
) | frozenset(range(0xE0100, 0xE01F0))
"""Letters and marks that are not drawn: two names with and without them would look the same."""

_SMALL_SIZE = 1 << 26
"""Bytes of memory that every machine has."""


class NotPlainError(OSError):
    """There is a folder, a pipe or a device where a file is expected."""


class NotOwnError(InputError):
    """The file to write to may be another file, or belongs to another user."""


# --- reading


def open_plain(path: Path, flags: int, follow: bool = False) -> int:
    """Opens the plain file `path` and returns its descriptor; raises OSError for anything else.

    The file is created if `flags` say so. A link is refused too, unless `follow`, which opens its target.
    """
    # Systems may lack any of these. O_NONBLOCK: opening a pipe without a writer would wait forever.
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
        if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
            raise NotPlainError(errno.ELOOP, "A symbolic link", str(path))
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlainError(errno.EINVAL, "Not a plain file", str(path))
    return descriptor


def read_small(path: Path, limit: int) -> bytes:
    """Reads a plain file of at most `limit` bytes; raises OSError or ValueError for anything else."""
    with os.fdopen(open_plain(path, os.O_RDONLY, follow=True), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"{path.name} has more than {limit:,} bytes")
        return file.read(size)


def read_bounded(path: Path, limit: int) -> bytes:
    """Reads a plain file of at most `limit` bytes; raises InputError for anything else.

    The size is checked before memory is allocated, and may not exceed half of this machine's memory.
    """
    try:
        try:
            descriptor = open_plain(path, os.O_RDONLY)
        except OSError:
            if path.is_symlink() or not path.is_file():
                what = "is not a plain file" if path.is_symlink() or path.exists() else "is missing"
                raise InputError(f"{path} {what}; restore it or choose another run.") from None
            raise
        try:
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise InputError(
                    f"{path} is larger than the {limit:,} bytes that such a file may have; rnnplay did not write it."
                )
            if size > _SMALL_SIZE and size > _memory() // 2:
                raise InputError(f"{path} ({size:,} bytes) is larger than half of this machine's memory.")
            data = os.read(descriptor, size + 1)
            while len(data) < size and (more := os.read(descriptor, size + 1 - len(data))):  # from 2 GB on
                data += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); {way_out(error, reading=True)} or choose another run."
        ) from error
    if len(data) > size:
        raise InputError(f"{path} grew while it was read; try again when no program writes to it.")
    return data


def open_if_there(path: Path) -> int | None:
    """Opens the plain file `path` for reading and returns its descriptor; None if there is nothing.

    Raises InputError for anything else, and for a file that cannot be read.
    """
    try:
        check_plain(path)
        return open_plain(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); {way_out(error, reading=True)} or choose another run."
        ) from error


def _memory() -> int:
    import psutil  # imported only here: the interface starts without it

    return psutil.virtual_memory().total


def check_plain(path: Path) -> None:
    """Raises InputError if there is something other than a plain file at `path`; there may be nothing."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError(f"{path} is not a plain file, as rnnplay writes it; remove it or choose another run.")


# --- writing


def open_own(path: Path, flags: int) -> int:
    """Opens the plain file `path` for writing and returns its descriptor; `flags` may create it, but not truncate it.

    The checks are on the open descriptor, before anything is changed: the file has no other name, and belongs to the
    user or to the owner of its folder. Raises NotPlainError (an OSError) for anything else.
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
        return  # nothing there, or nothing that can be opened
    if path.is_symlink() or not path.is_file():
        raise NotOwnError(f"{path} is not a plain file, as rnnplay writes it; remove it or choose another run.")
    if why := _foreign(path, found):
        name, beside = quoted(str(path)), quoted(f"{path}.own")
        raise NotOwnError(
            f"{path} {why}; nothing was written. To write to a copy in its place: cp {name} {beside} && "
            f"mv {beside} {name}"
        )


def _foreign(path: Path, found: os.stat_result) -> str:
    # What stands against writing to a plain file, in words that follow its name; "" if nothing does.
    if found.st_nlink > 1:
        return "is a hard link, another name of a file that may be elsewhere"
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        return "belongs to another user"
    return ""


@contextlib.contextmanager
def replacing(path: Path, durable: bool = False, keep_mode: bool = False) -> Iterator[BinaryIO]:
    """Opens a new file that replaces `path` if the block succeeds and is removed otherwise. Raises OSError.

    `durable`: flushes it to disk first; `keep_mode`: gives it the permissions of the file it replaces, and refuses to
    replace one that may not be written.
    """
    if keep_mode and path.exists() and not os.access(path, os.W_OK):  # the folder alone would let it be replaced
        raise PermissionError(errno.EACCES, "it is for reading only", str(path))
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
    """Returns a random name for a file that will replace `path`: hidden, in the same folder."""
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.partial")


@contextlib.contextmanager
def creating(path: Path) -> Iterator[BinaryIO]:
    """Opens a new file, which is removed if the block fails. Raises OSError, also if the file exists."""
    with path.open("xb") as file:
        try:
            yield file
            file.flush()
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            raise


def write_durably(path: Path, data: bytes) -> None:
    """Writes `data` to a new file and flushes it to disk. Raises OSError, also if the file exists."""
    with creating(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_new(folder: Path, stem: str, suffix: str, text: str) -> Path:
    """Writes a new file, with a number after `stem` if the name is taken, and returns its path. Raises OSError."""
    for number in itertools.count(1):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        with contextlib.suppress(FileExistsError), creating(path) as file:  # replaces no file
            file.write(text.encode())
            return path
    raise AssertionError


def replace_durably(path: Path, data: bytes) -> None:
    """Replaces the content of `path` atomically and durably: readers see the old file or the new one.

    Raises OSError.
    """
    with replacing(path, durable=True) as file:
        file.write(data)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flushes the names in `folder` to disk, where the system can do that."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Deletes a folder with its contents, a file, or a link (not its target), if it exists. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- names of files and folders


def is_name(name: str, longest: int) -> bool:
    """Whether `name` has at most `longest` letters, digits, dots, dashes and underscores, a letter or digit first."""
    if len(name) > longest:
        return False
    if name.isascii():
        return re.fullmatch(_ASCII, name) is not None
    marks = _MOST_MARKS  # a mark may not come first
    for character in name:
        category = unicodedata.category(character)
        if category in ("Mn", "Mc"):
            marks += 1
            if marks > _MOST_MARKS:
                return False
        elif category[0] == "L" or category == "Nd":
            marks = 0
        elif character in "._-" and name[0] not in "._-":
            marks = _MOST_MARKS
        else:
            return False
        if ord(character) in _INVISIBLE:
            return False
    return len(name.encode("utf-8", "surrogatepass")) <= _MOST_BYTES


def composed(name: str) -> str:
    """Returns `name` in NFC, as keyboards type it: é is one character, not e and an accent, as in some file systems."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def as_name(text: str, longest: int) -> str:
    """Derives a valid name from `text`: each run of invalid characters becomes a dash; "" if nothing is left."""
    kept = "".join(character if is_name(f"a{character}", 2) else " " for character in composed(text))
    name = re.sub(r"[ .]+", "-", kept).strip("-_")
    while name and not is_name(name[0], 1):  # a combining mark without a letter
        name = name[1:]
    name = name[:longest].rstrip("-_")
    return name if is_name(name, longest) else ""


# --- locks

TAKEN = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""Error numbers of a lock that another process holds."""

if sys.platform == "win32":
    import msvcrt

    def lock_now(descriptor: int, shared: bool = False) -> None:  # noqa: ARG001 (only exclusive ones there)
        """Locks an open file until it is closed; raises OSError at once if it cannot, with one of TAKEN if it is."""
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the contents: Windows refuses to read locked bytes
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def lock_now(descriptor: int, shared: bool = False) -> None:
        """Locks an open file until it is closed; raises OSError at once if it cannot, with one of TAKEN if it is."""
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
