"""Locks a run so that only one process trains it; the system releases the lock when the process ends."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from rnnplay.common.files import check_own, open_own
from rnnplay.errors import InputError

LOCK_FILE = "run.lock"

_TAKEN = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class RunLock:
    """The lock of a run, held from `take` to `release` or the end of the process. Not needed for reading."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @classmethod
    def take(cls, folder: Path) -> RunLock:
        """Locks the run in `folder`, which must exist.

        Raises InputError if another process holds the lock, NotOwnError if the lock file may not be ours, OSError if
        it cannot be opened for writing.
        """
        lock = cls(folder / LOCK_FILE)
        check_own(lock._path)
        descriptor = open_own(lock._path, os.O_RDWR | os.O_CREAT)
        try:
            _lock(descriptor)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() if os.name != "nt" else ""
            os.close(descriptor)
            if error.errno not in _TAKEN:
                return lock  # a file system without locks
            who = f"another process ({holder})" if holder.isdigit() else "another process"
            raise InputError(
                f"The run {folder.name!r} is being trained by {who}; stop it there first, or start another run."
            ) from error
        lock._descriptor = descriptor
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, b"%d\n" % os.getpid())
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

    def release(self) -> None:
        """Releases the lock, if it is held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.release()


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the contents: Windows refuses to read locked bytes
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
