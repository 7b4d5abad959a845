"""Reads a run's metrics.jsonl into a RunState."""

from __future__ import annotations

from pathlib import Path

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.thinned import ThinnedLog
from rnnplay.tui.run_state import RunState


def load_run(folder: RunFolder, cache: Path) -> RunState:
    """Returns the state of a run that is not being trained. Raises RnnplayError or OSError."""
    state = RunState()
    state.begin(folder.name, folder.info().config)
    state.load(ThinnedLog(folder.log, cache).read())
    return state
