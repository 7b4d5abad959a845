"""The model that comes with rnnplay, so that a prompt is answered before anything was trained.

It is a run folder inside the package, without records and optimizer: it can be prompted, evaluated and branched from,
and nothing is ever written to it. `python -m tools.shipped_model` trained it.
"""

from __future__ import annotations

from pathlib import Path

from rnnplay.runs.folder import RunFolder, find_run, list_runs
from rnnplay.workspace import Workspace

SHIPPED = "shipped-model"
"""Its name; a run of that name in the workspace comes first."""


def shipped_run() -> RunFolder:
    """The folder of the shipped model."""
    return RunFolder(Path(__file__).parents[1] / "shipped" / SHIPPED)


def is_shipped(name: str, workspace: Workspace) -> bool:
    """Whether `name` means the shipped model."""
    return name == SHIPPED and not RunFolder(workspace.checkpoints / SHIPPED).holds_run() and shipped_run().holds_run()


def find_model(name: str, workspace: Workspace) -> RunFolder:
    """Finds the run of that name, or the shipped model, to be read; raises InputError naming those that exist."""
    return shipped_run() if is_shipped(name, workspace) else find_run(name, workspace)


def shipped_is_first(workspace: Workspace) -> bool:
    """Whether there is a shipped model and no run in the workspace."""
    return shipped_run().holds_run() and not list_runs(workspace)
