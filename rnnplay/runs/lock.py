"""Locks a run so that only one process trains it, and holds a checkpoint so that it is not deleted as an old one.

The system releases both when the process ends.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.files import TAKEN, check_own, lock_now, open_own, open_plain
from rnnplay.errors import InputError

LOCK_FILE = "run.lock"

_TRIES, _TRY_SECONDS = 5, 0.01
"""`holder` takes the lock for some microseconds, which must not refuse a run."""
_MOST_TRIES = 500
"""The same where nobody trains the run: on a busy machine whoever asks may wait for a processor and keep the lock."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that trains a run."""

    pid: int | None = None
    """None if it is not known."""
    host: str = ""
    """The name of its machine; "" for this one."""

    def __str__(self) -> str:
        process = "another process" if self.pid is None else f"process {self.pid}"
        return f"{process} on {self.host}" if self.host else process


def holder(folder: Path) -> Holder | None:
    """Returns which process holds the lock of the run in `folder`; None if none does, or it cannot be known.

    On a file system of several machines that does not pass locks on, those of other machines are not seen.
    """
    try:
        descriptor = open_plain(folder / LOCK_FILE, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return None
    try:
        lock_now(descriptor, shared=True)
    except OSError as error:
        return _named(descriptor) if error.errno in TAKEN else None
    finally:
        os.close(descriptor)
    return None


def last_holder(folder: Path) -> Holder | None:
    """Returns which process took the lock last, whether it still holds it or not; None if no file says so."""
    try:
        descriptor = open_plain(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        named = _named(descriptor)
    finally:
        os.close(descriptor)
    return None if named.pid is None else named


def _named(descriptor: int) -> Holder:
    """Reads who wrote the lock file: "1234 gpu3"."""
    if sys.platform == "win32":
        return Holder()
    with contextlib.suppress(OSError):
        words = os.pread(descriptor, 300, 0).decode("utf-8", "replace").split()
        if words and words[0].isdecimal() and len(words[0]) < 20:
            host = "".join(letter for letter in "".join(words[1:2]) if letter.isalnum() or letter in "-._")[:64]
            return Holder(int(words[0]), "" if host == socket.gethostname() else host)
    return Holder()


class _Locked:
    """A file that is locked until `release`, or until this is forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def release(self) -> None:
        """Releases the lock, if it is held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.release()


class RunLock(_Locked):
    """The lock of a run, held from `take` to `release` or the end of the process. Not needed for reading."""

    @classmethod
    def take(cls, folder: Path, what: str = "run") -> RunLock:
        """Locks the run in `folder`, which must exist; `what` is the word for it in the error.

        Raises InputError if another process holds the lock, NotOwnError if the lock file may not be ours, OSError if
        it cannot be opened for writing.
        """
        lock = cls(folder / LOCK_FILE)
        check_own(lock._path)
        descriptor = open_own(lock._path, os.O_RDWR | os.O_CREAT)
        for tries in itertools.count(1):
            try:
                lock_now(descriptor)
                break
            except OSError as error:
                if error.errno in TAKEN and tries < (_TRIES if holder(folder) else _MOST_TRIES):
                    time.sleep(_TRY_SECONDS)
                    continue
                who = _named(descriptor)
                os.close(descriptor)
                if error.errno not in TAKEN:
                    return lock  # a file system without locks
                raise InputError(
                    f"The {what} {folder.name!r} is being trained by {who}; stop it there first, or start another "
                    f"{what}."
                ) from error
        lock._descriptor = descriptor
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode())
        return lock

    @property
    def in_place(self) -> bool:
        """Whether the locked folder is still there; false if it was removed, moved or replaced."""
        if self._descriptor is None:
            return True
        try:
            there, ours = os.lstat(self._path), os.fstat(self._descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # a disk that does not answer for a moment
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


class Hold(_Locked):
    """Keeps a file from being removed by those who use `unheld`, from `take` to `release` or the end of the process.

    Where files cannot be locked (Windows, some network file systems) it keeps nothing.
    """

    @classmethod
    def take(cls, path: Path) -> Hold:
        """Holds the file at `path`; afterwards `in_place` says whether it is there."""
        hold = cls(path)
        if sys.platform == "win32":  # an open file would keep its folder from being renamed
            return hold
        for _ in range(_TRIES):
            try:
                descriptor = open_plain(path, os.O_RDONLY)
            except OSError:
                break
            try:
                lock_now(descriptor, shared=True)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in TAKEN:
                    break
                time.sleep(_TRY_SECONDS)  # it is being removed
            else:
                hold._descriptor = descriptor
                break
        return hold

    @property
    def in_place(self) -> bool:
        """Whether the file is there, and is the one that is held, if any is."""
        try:
            there = os.lstat(self._path)
        except OSError:
            return False
        if self._descriptor is None:
            return True
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


@contextlib.contextmanager
def unheld(path: Path) -> Iterator[bool]:
    """Gives whether no process holds the file at `path`, and keeps it so meanwhile, for removing it."""
    descriptor = None
    try:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                descriptor = open_plain(path, os.O_RDWR)  # network file systems give no exclusive lock for reading
        if descriptor is None:
            yield True
            return
        try:
            lock_now(descriptor)
        except OSError as error:
            yield error.errno not in TAKEN
        else:
            yield True
    finally:
        if descriptor is not None:
            os.close(descriptor)
