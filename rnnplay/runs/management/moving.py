"""Moves the folder of a run that no process trains."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rnnplay.common.files import NotOwnError
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.lock import RunLock


def move_run(folder: RunFolder, target: Path, done: str, prepare: Callable[[], object] = lambda: None) -> None:
    """Renames the folder of a run to `target`, in one step; `done` says for an error what that is ("renamed").

    `prepare` is called before, when nobody can begin to train the run. Raises InputError if it is not a run's folder,
    if the run is being trained, or if moving is not allowed.
    """
    path = folder.path
    if path.is_symlink() or not folder.holds_run():
        raise InputError(f"{path} is not a run's folder; nothing was {done}.")
    try:
        lock: RunLock | None = RunLock.take(path)
    except (OSError, NotOwnError):
        lock = None  # also possible on a full disk, and if the lock file is not ours
    try:
        prepare()
        if lock is not None and sys.platform == "win32":
            lock.release()  # Windows cannot rename a folder that contains an open file
        path.rename(target)
    except OSError as error:
        check_still_there(path, done)
        places = " and ".join(dict.fromkeys(map(str, (path.parent, target.parent))))
        raise InputError(
            f"The run {folder.name!r} cannot be {done} ({reason(error)}: {places}); {way_out(error)}."
        ) from error
    finally:
        if lock is not None:
            lock.release()


def check_still_there(path: Path, done: str) -> None:
    """Raises InputError if a run's folder, which could not be `done`, is gone: somebody else was faster."""
    if not path.is_dir():
        raise InputError(f"{path} has just been removed or moved by somebody else; nothing was {done}.")
