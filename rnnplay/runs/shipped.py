"""The model that comes with rnnplay, so that a prompt is answered before anything was trained.

It is a run folder inside the package, without records and optimizer: it can be prompted, evaluated and branched from,
and nothing is ever written to it. `python -m tools.shipped_model` trained it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from rnnplay.runs.folder import RunFolder, find_run, names_in
from rnnplay.workspace import Workspace

SHIPPED = "shipped-model"
"""Its name; a run of that name in the workspace comes first."""
_TRIED = 20
"""The number of runs without a good checkpoint after which none is looked for any more."""


def shipped_run() -> RunFolder:
    """The folder of the shipped model."""
    return RunFolder(Path(__file__).parents[1] / "shipped" / SHIPPED)


def is_shipped(name: str, workspace: Workspace) -> bool:
    """Whether `name` means the shipped model."""
    return name == SHIPPED and not RunFolder(workspace.checkpoints / SHIPPED).holds_run() and shipped_run().holds_run()


def find_model(name: str, workspace: Workspace) -> RunFolder:
    """Finds the run of that name, or the shipped model, to be read; raises InputError naming those that exist."""
    return shipped_run() if is_shipped(name, workspace) else find_run(name, workspace)


def last_model(workspace: Workspace) -> tuple[str, str]:
    """Returns the run that was written to last and the newest checkpoint to use, or the shipped model and "latest".

    Reads the newest runs from disk until one has a good checkpoint, among thousands too.
    """
    newest = sorted(names_in(workspace.checkpoints), key=lambda name: _written(workspace, name), reverse=True)
    for name in newest[:_TRIED]:
        run = RunFolder(workspace.checkpoints / name)
        if good := run.good_checkpoints():
            return name, str(good[-1].step)
    return SHIPPED, "latest"


def _written(workspace: Workspace, name: str) -> int:
    """When something in the run's folder last came or went, e.g. a checkpoint; nanoseconds since 1970."""
    with suppress(OSError):
        return os.stat(workspace.checkpoints / name).st_mtime_ns  # noqa: PTH116 (of thousands of runs)
    return 0
