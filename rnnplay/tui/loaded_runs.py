"""Reads a run's metrics.jsonl into a RunState."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rnnplay.engine.messages import BranchFrom
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import Parent
from rnnplay.runs.metrics.step_columns import Position
from rnnplay.runs.metrics.thinned import ThinnedLog
from rnnplay.tui.run_state import RunState


class LoadedRun(NamedTuple):
    """A run as it is on disk."""

    state: RunState
    end: Position
    """Up to where metrics.jsonl was read."""
    created: str
    """`RunInfo.created`."""
    parent: Parent | None
    """What it was branched from."""


def read_run(folder: RunFolder, cache: Path) -> LoadedRun:
    """Reads a run. Raises RnnplayError or OSError."""
    info = folder.info()
    branch = BranchFrom(checkpoint=info.parent.name) if info.parent is not None else None
    state = RunState()
    state.begin(folder.name, info.config, branch)
    log = ThinnedLog(folder.log, cache)
    state.load(log.read())
    return LoadedRun(state, log.end, info.created, info.parent)


def load_run(folder: RunFolder, cache: Path) -> RunState:
    """Returns the state of a run that is not being trained. Raises RnnplayError or OSError."""
    return read_run(folder, cache).state
