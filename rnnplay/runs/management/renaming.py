"""Renames a run."""

from __future__ import annotations

import os

import msgspec

from rnnplay.common.limits import reason
from rnnplay.errors import InputError, RnnplayError
from rnnplay.runs.folder import RunFolder, check_run_name
from rnnplay.runs.management.moving import move_run
from rnnplay.workspace import Workspace


def rename_run(folder: RunFolder, name: str, workspace: Workspace) -> RunFolder:
    """Renames the run in `folder`, and returns its new folder.

    Raises InputError if the name is invalid or taken, if the run is being trained, or if renaming is not allowed.
    """
    name = check_run_name(name)
    if name == folder.name:
        return folder
    renamed = RunFolder(workspace.checkpoints / name)
    same = os.path.lexists(renamed.path) and renamed.path.samefile(folder.path)  # another case of letters
    if os.path.lexists(renamed.path) and not same:
        raise InputError(f"There is a run {name!r} already; choose another name.")
    move_run(folder, renamed.path, "renamed")
    try:
        info = renamed.info()
    except RnnplayError:
        return renamed  # an unreadable run has a folder to rename, and no more
    try:
        renamed.write_info(msgspec.structs.replace(info, run=name))
    except OSError as error:
        raise InputError(
            f"The run is called {name!r} now, but its run.json still says {info.run!r} ({reason(error)}); allow "
            f"writing in {renamed.path}."
        ) from error
    return renamed
