"""Files: reading those that others may have made, and writing so that a file is there whole or not at all.

A run folder may have come from elsewhere. So a link is never followed out of it, a pipe or a device in the place of a
file blocks nothing, and nothing is written through a name that may be another file: what is appended to goes through
`open_own`, what is written anew goes to a new file, which then takes the old one's place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rnnplay.common.commands import quoted
from rnnplay.errors import InputError

_ASCII = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MOST_BYTES = 240
"""With what is put around it for a moment (.NAME.removed), no longer than file systems allow."""
_MOST_MARKS = 3
"""Combining marks on a letter: more would be drawn over other lines."""
_INVISIBLE = frozenset(
    (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0)
) | frozenset(range(0xE0100, 0xE01F0))
"""Letters and marks that are drawn as nothing: two names would look the same."""

_SURELY_ROOM = 1 << 26
"""Bytes that every machine has in memory."""


class NotPlainError(OSError):
    """Neither a file nor nothing is there, but a folder, a pipe or a device."""


class NotOwnError(InputError):
    """What would be written to may be another file, or is another user's."""


# --- reading


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
            if size > _SURELY_ROOM and size > _memory() // 2:
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
    import psutil  # only here: the interface starts without it

    return psutil.virtual_memory().total


def check_plain(path: Path) -> None:
    """Raises InputError if there is something else than a plain file at `path`; there may be nothing."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError(f"{path} is not a plain file, as rnnplay writes it; remove it or choose another run.")


# --- writing


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


def _foreign(path: Path, found: os.stat_result) -> str:
    # What stands against writing to a plain file, in words that follow its name; "" if nothing does.
    if found.st_nlink > 1:
        return "is a hard link, another name of a file that may be elsewhere"
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        return "belongs to another user"
    return ""


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


def write_durably(path: Path, data: bytes) -> None:
    """Writes `data` to a new file and sees it onto the disk. Raises OSError, also if there is such a file."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, data: bytes) -> None:
    """Puts `data` in the place of `path`; whoever reads sees the old file or the new one. Raises OSError."""
    with replacing(path, durable=True) as file:
        file.write(data)
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


# --- names of files and folders


def is_name(name: str, longest: int) -> bool:
    """Whether `name` has at most `longest` letters, digits, dots, dashes and underscores, a letter or digit first."""
    if len(name) > longest:
        return False
    if name.isascii():
        return re.fullmatch(_ASCII, name) is not None
    marks = _MOST_MARKS  # none may come first
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
    """`name` as keyboards type it: é is one character, not e and an accent, as some file systems have it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def as_name(text: str, longest: int) -> str:
    """A name made of `text`: each run of what a name cannot have is a dash; "" if nothing is left."""
    kept = "".join(character if is_name(f"a{character}", 2) else " " for character in composed(text))
    name = re.sub(r"[ .]+", "-", kept).strip("-_")
    while name and not is_name(name[0], 1):  # an accent on nothing
        name = name[1:]
    name = name[:longest].rstrip("-_")
    return name if is_name(name, longest) else ""
