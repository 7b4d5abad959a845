"""Removes runs: to the trash of a workspace, each in a folder trash/<time>-<name> until it is emptied, or for good."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rnnplay.common.files import NotOwnError, composed, sync_folder
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder, check_run_name
from rnnplay.runs.lock import RunLock
from rnnplay.runs.management.moving import check_still_there, move_run
from rnnplay.workspace import Workspace

_STAMP = "%Y%m%dT%H%M%S%f"
_ENTRY = re.compile(r"([0-9]{8}T[0-9]{12})-(.+)", re.DOTALL)


class TrashedRun(NamedTuple):
    """A run in the trash."""

    name: str
    removed: datetime
    """UTC."""
    path: Path


def move_to_trash(folder: RunFolder, workspace: Workspace) -> TrashedRun:
    """Moves a run to the trash, from which `restore_run` brings it back.

    Raises InputError if it is not a run's folder, if the run is being trained, or if moving is not allowed.
    """
    removed = datetime.now(UTC)
    path = workspace.trash / f"{removed:{_STAMP}}-{folder.name}"
    try:
        workspace.trash.mkdir(exist_ok=True)
        elsewhere = not on_one_disk(workspace.trash, folder.path)
    except OSError as error:
        check_still_there(folder.path, "removed")
        raise InputError(f"{workspace.trash} cannot be used ({reason(error)}); {way_out(error)}.") from error
    if elsewhere:
        remove = workspace.command("runs", "rm", folder.name, permanently=True)
        raise InputError(f"The trash is on another disk than {folder.path}; to remove it for good: {remove}")
    move_run(folder, path, "removed")
    return TrashedRun(folder.name, removed, path)


def on_one_disk(one: Path, other: Path) -> bool:
    """Whether a folder can be renamed from the one into the other. Raises OSError."""
    return one.stat().st_dev == other.lstat().st_dev


def list_trash(workspace: Workspace) -> list[TrashedRun]:
    """Lists the runs in the trash, the one removed last first."""
    found = []
    with suppress(OSError):
        for path in workspace.trash.iterdir():
            match = _ENTRY.fullmatch(path.name)
            if match is None or path.is_symlink() or not path.is_dir():
                continue
            with suppress(ValueError, InputError):
                removed = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                found.append(TrashedRun(check_run_name(match[2]), removed, path))
    return sorted(found, key=lambda run: (run.removed, run.name), reverse=True)


def find_trashed(name: str, workspace: Workspace) -> TrashedRun:
    """Finds the run of that name that was removed last; raises InputError naming those that are in the trash."""
    trashed = list_trash(workspace)
    for run in trashed:
        if run.name == composed(name):
            return run
    names = list(dict.fromkeys(run.name for run in trashed))
    if not names:
        raise InputError(f"There is no run {name!r} in the trash, which is empty.")
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    raise InputError(f"There is no run {name!r} in the trash; there are {', '.join(names[:20])}{more}.")


def restore_run(trashed: TrashedRun, workspace: Workspace) -> RunFolder:
    """Moves a run back from the trash; raises InputError if its name is taken, or if moving is not allowed."""
    folder = RunFolder(workspace.checkpoints / trashed.name)
    if os.path.lexists(folder.path):
        rename = workspace.command("runs", "rename", trashed.name, f"{trashed.name[:70]}-other")
        raise InputError(
            f"There is another run {trashed.name!r} by now, so the one in the trash stays there; rename the other "
            f"first: {rename}"
        )
    try:
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        trashed.path.rename(folder.path)
    except OSError as error:
        raise InputError(
            f"The run {trashed.name!r} cannot be brought back ({reason(error)}: {workspace.checkpoints} and "
            f"{workspace.trash}); {way_out(error)}."
        ) from error
    return folder


def delete_trashed(trashed: TrashedRun) -> None:
    """Deletes a run in the trash for good; raises InputError if that is not possible."""
    try:
        shutil.rmtree(trashed.path)
        sync_folder(trashed.path.parent)
    except OSError as error:
        raise InputError(
            f"{trashed.path} cannot be deleted ({reason(error)}); allow it, or delete it by hand."
        ) from error


def remove_run(folder: RunFolder) -> None:
    """Deletes a run and all its checkpoints atomically.

    Raises InputError if it is not a run's folder, if the run is being trained, or if deleting is not allowed.
    """
    path = folder.path
    if path.is_symlink() or not folder.holds_run():
        raise InputError(f"{path} is not a run's folder; nothing was deleted.")
    try:
        lock: RunLock | None = RunLock.take(path)
    except (OSError, NotOwnError):
        lock = None  # a run must be removable from a full disk, and even if its lock file is not ours
    away = path.with_name(f".{path.name}.removed")
    try:
        shutil.rmtree(away, ignore_errors=True)
        if lock is not None and sys.platform == "win32":
            lock.release()  # Windows cannot rename a folder that contains an open file
        path.rename(away)
    except OSError as error:
        check_still_there(path, "removed")
        raise InputError(
            f"The run {folder.name!r} cannot be removed ({reason(error)}: {path.parent}); {way_out(error)}, "
            "then remove it again."
        ) from error
    finally:
        if lock is not None:
            lock.release()
    try:
        shutil.rmtree(away)
    except OSError as error:
        raise InputError(
            f"The run {folder.name!r} is removed, but not all of its files are ({error.strerror or error}); delete "
            f"{away} by hand."
        ) from error
