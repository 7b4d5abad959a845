"""Runs for lists, without files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from rnnplay.config import RunConfig, with_values
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.index import ListedCheckpoint, ListedRun
from rnnplay.runs.info import Parent
from rnnplay.runs.management.notes import RunNotes
from tests.runs.test_folder import info


def a_run(
    name: str,
    created: str = "2026-03-01T10:00:00+00:00",
    *,
    step: int | None = None,
    valid: float | None = None,
    note: str = "",
    tags: tuple[str, ...] = (),
    parent: ListedRun | None = None,
    **values: Any,
) -> ListedRun:
    """A run with knobs of these values."""
    branched = Parent(run=parent.name, step=3, created=parent.info.created) if parent and parent.info else None
    about = msgspec.structs.replace(
        info(name), config=with_values(RunConfig(), values), created=created, parameters=100, parent=branched
    )
    checkpoints = [] if step is None else [ListedCheckpoint(step, valid, 0.0)]
    return ListedRun(RunFolder(Path("checkpoints") / name), about, checkpoints, notes=RunNotes(note, tags))


def a_broken_run(name: str) -> ListedRun:
    """A run that cannot be read."""
    return ListedRun(RunFolder(Path("checkpoints") / name), None, problem="broken")
