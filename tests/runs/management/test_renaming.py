"""A run is renamed with its run.json, and only if its new name is free."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder, list_runs
from rnnplay.runs.lock import RunLock
from rnnplay.runs.management import renaming
from rnnplay.runs.management.renaming import rename_run
from rnnplay.workspace import Workspace


def test_the_folder_and_run_json_have_the_new_name(workspace: Workspace) -> None:
    renamed = rename_run(RunFolder(workspace.checkpoints / "one"), "first.try", workspace)
    assert renamed.name == renamed.info().run == "first.try"
    assert [run.name for run in list_runs(workspace)] == ["first.try", "two"]
    RunLock.take(renamed.path).release()


@pytest.mark.parametrize("name", ["two", "", "../one", "a b", "-x", "x" * 81, "é\x1b"])
def test_a_name_that_is_taken_or_invalid_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(InputError):
        rename_run(RunFolder(workspace.checkpoints / "one"), name, workspace)
    assert [run.name for run in list_runs(workspace)] == ["one", "two"]


def test_a_run_that_is_trained_keeps_its_name(workspace: Workspace) -> None:
    folder = RunFolder(workspace.checkpoints / "one")
    lock = RunLock.take(folder.path)
    with pytest.raises(InputError, match="is being trained"):
        rename_run(folder, "other", workspace)
    lock.release()
    assert rename_run(folder, "one", workspace).name == "one"


def test_a_run_whose_run_json_is_broken_can_be_renamed(workspace: Workspace) -> None:
    folder = RunFolder(workspace.checkpoints / "one")
    (folder.path / "run.json").write_text("{")
    assert rename_run(folder, "broken", workspace).holds_run()


def test_a_full_disk_refuses_before_anything_is_renamed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    folder = RunFolder(workspace.checkpoints / "one")
    before = sorted(path.name for path in folder.path.iterdir())
    monkeypatch.setattr(renaming, "write_durably", full)
    with pytest.raises(InputError, match=r"'one' cannot be renamed \(.*[Nn]o space"):
        rename_run(folder, "other", workspace)
    assert [run.name for run in list_runs(workspace)] == ["one", "two"] and folder.info().run == "one"
    assert {path.name for path in folder.path.iterdir()} - {"run.lock"} == set(before) - {"run.lock"}


def test_where_the_folder_cannot_be_moved_nothing_is_left_beside_its_run_json(workspace: Workspace) -> None:
    folder = RunFolder(workspace.checkpoints / "one")
    lock = RunLock.take(folder.path)
    with pytest.raises(InputError):
        rename_run(folder, "other", workspace)
    lock.release()
    assert not list(folder.path.glob("*.partial")) and not list(folder.path.glob(".*.partial"))
