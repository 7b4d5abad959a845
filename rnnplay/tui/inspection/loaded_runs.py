"""Reads a run's metrics.jsonl into a RunState."""

from __future__ import annotations

from pathlib import Path

from rnnplay.engine.messages import BranchFrom
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.thinned import ThinnedLog
from rnnplay.tui.run_state import RunState


def load_run(folder: RunFolder, cache: Path) -> RunState:
    """Returns the state of a run that is not being trained. Raises RnnplayError or OSError."""
    state = RunState()
    info = folder.info()
    branch = BranchFrom(checkpoint=info.parent.name) if info.parent is not None else None
    state.begin(folder.name, info.config, branch)
    state.load(ThinnedLog(folder.log, cache).read())
    return state
