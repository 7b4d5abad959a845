"""Renames a run."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from rnnplay.common.files import name_beside, sync_folder, write_durably
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError, RnnplayError
from rnnplay.runs.folder import RunFolder, check_run_name
from rnnplay.runs.info import encode_info
from rnnplay.runs.management.moving import move_run
from rnnplay.workspace import Workspace


def rename_run(folder: RunFolder, name: str, workspace: Workspace) -> RunFolder:
    """Renames the run in `folder`, and returns its new folder. Its branches know it by when it was created.

    Raises InputError if the name is invalid or taken, if the run is being trained, or if renaming is not allowed.
    """
    name = check_run_name(name)
    if name == folder.name:
        return folder
    renamed = RunFolder(workspace.checkpoints / name)
    same = os.path.lexists(renamed.path) and renamed.path.samefile(folder.path)  # another case of letters
    if os.path.lexists(renamed.path) and not same:
        raise InputError(f"There is a run {name!r} already; choose another name.")
    written: Path | None = None

    def write_beside() -> None:
        """Writes the new run.json, so that a full disk refuses before anything has changed."""
        nonlocal written
        try:
            info = folder.info()
        except RnnplayError:
            return  # an unreadable run has a folder to rename, and no more
        written = name_beside(folder.path / "run.json")
        write_durably(written, encode_info(msgspec.structs.replace(info, run=name)))

    try:
        move_run(folder, renamed.path, "renamed", write_beside)
    except BaseException:
        if written is not None:
            with suppress(OSError):
                written.unlink(missing_ok=True)
        raise
    if written is not None:
        try:
            (renamed.path / written.name).replace(renamed.path / "run.json")
            sync_folder(renamed.path)
        except OSError as error:  # a name needs no room; only a disk that fails gets here
            raise InputError(
                f"The run is called {name!r} now, but run.json in {renamed.path} still has its former name "
                f"({reason(error)}); {way_out(error)}."
            ) from error
    return renamed
