"""What is on disk is read in threads, the first screenful of thousands before the rest."""

from __future__ import annotations

import pytest

from rnnplay.runs.lock import RunLock
from rnnplay.tui.runs import run_reader
from rnnplay.tui.runs.run_reader import RunReader
from rnnplay.workspace import Workspace
from tests.tui.stage import make_run


def test_the_first_are_shown_before_all_are_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reader, "PATIENCE_SECONDS", -1)
    monkeypatch.setattr(run_reader, "SCREEN_ROWS", 2)
    for name in "abcd":
        make_run(workspace, name)
    reader = RunReader(workspace)
    shown: list[int] = []
    runs = reader.read(lambda: False, lambda some: shown.append(len(some)))
    assert shown == [2] and runs is not None and len(runs) == 4
    reader.read(lambda: False, lambda some: shown.append(len(some)))
    assert shown == [2], "later all at once"
    assert reader.read(lambda: True, lambda some: None) is None and reader.runs == reader.runs


def test_it_is_known_when_runs_come_and_which_are_trained(workspace: Workspace) -> None:
    make_run(workspace, "a")
    reader = RunReader(workspace)
    assert reader.is_outdated()
    runs = reader.read(lambda: False, lambda some: None)
    assert runs is not None and not reader.is_outdated() and reader.training(runs) == {}
    lock = RunLock.take(workspace.checkpoints / "a")
    assert list(reader.training(runs)) == list(reader.training(runs, ())) == ["a"]
    lock.release()
    assert reader.training(runs, ("a",)) == {}
    make_run(workspace, "b")
    assert reader.is_outdated()
