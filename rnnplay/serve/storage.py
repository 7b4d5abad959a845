"""How much of the disk a visitor has taken, and what is done when it is too much."""

from __future__ import annotations

import contextlib

from rnnplay.common.formatting import size_text
from rnnplay.errors import InputError
from rnnplay.runs.management.disk_use import disk_use
from rnnplay.runs.management.trash import delete_trashed, list_trash
from rnnplay.workspace import Workspace


def taken(workspace: Workspace, most: int) -> int:
    """Returns the bytes that a workspace takes; texts that it shares with the class do not count.

    While these are more than `most`, runs in the trash are deleted for good, the one removed first before the others.
    """
    size = disk_use(workspace.root, linked=False)
    for run in reversed(list_trash(workspace)) if size > most else ():
        with contextlib.suppress(InputError):
            delete_trashed(run)
        if (size := disk_use(workspace.root, linked=False)) <= most:
            break
    return size


def full_text(most: int) -> str:
    """What a visitor reads who has taken `most` bytes."""
    return (
        f"Your {size_text(most)} on this server are used up: training stops, with a checkpoint. To make room, remove "
        "runs in the list of runs."
    )
