"""A removed run is in the trash, and comes back as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder, list_runs
from rnnplay.runs.lock import RunLock
from rnnplay.runs.management import trash
from rnnplay.runs.management.disk_use import disk_use
from rnnplay.runs.management.trash import (
    delete_trashed,
    find_trashed,
    list_trash,
    move_to_trash,
    remove_run,
    restore_run,
)
from rnnplay.workspace import Workspace


def run(workspace: Workspace, name: str) -> RunFolder:
    return RunFolder(workspace.checkpoints / name)


def names(workspace: Workspace) -> list[str]:
    return [folder.name for folder in list_runs(workspace)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.lock"}


def test_a_removed_run_comes_back_as_it_was(workspace: Workspace) -> None:
    before = contents(run(workspace, "one").path)
    trashed = move_to_trash(run(workspace, "one"), workspace)
    assert names(workspace) == ["two"] and list_trash(workspace) == [trashed]
    assert restore_run(find_trashed("one", workspace), workspace).path == run(workspace, "one").path
    assert contents(run(workspace, "one").path) == before
    assert names(workspace) == ["one", "two"] and not list_trash(workspace)


def test_of_several_runs_of_a_name_the_last_comes_back_and_none_is_overwritten(workspace: Workspace) -> None:
    move_to_trash(run(workspace, "one"), workspace)
    run(workspace, "two").path.rename(run(workspace, "one").path)
    last = move_to_trash(run(workspace, "one"), workspace)
    assert find_trashed("one", workspace) == last
    restore_run(last, workspace)
    with pytest.raises(InputError, match="another run 'one' by now"):
        restore_run(find_trashed("one", workspace), workspace)
    assert len(list_trash(workspace)) == 1


def test_a_run_that_is_trained_is_not_removed(workspace: Workspace) -> None:
    lock = RunLock.take(run(workspace, "one").path)
    with pytest.raises(InputError, match="is being trained"):
        move_to_trash(run(workspace, "one"), workspace)
    lock.release()
    assert names(workspace) == ["one", "two"] and not list_trash(workspace)


def test_what_is_no_run_is_not_removed(workspace: Workspace) -> None:
    (workspace.checkpoints / "link").symlink_to(run(workspace, "one").path)
    (workspace.checkpoints / "empty").mkdir()
    for name in ("link", "empty", "missing"):
        with pytest.raises(InputError):
            move_to_trash(run(workspace, name), workspace)
    assert (workspace.checkpoints / "link").is_symlink() and (workspace.checkpoints / "empty").is_dir()


def test_the_trash_is_emptied_for_good_and_of_its_own_folders_only(workspace: Workspace) -> None:
    trashed = move_to_trash(run(workspace, "one"), workspace)
    (workspace.trash / "something else").mkdir()
    (workspace.trash / f"{trashed.path.name.split('-')[0]}-.hidden").mkdir()
    assert [one.name for one in list_trash(workspace)] == ["one"]
    delete_trashed(trashed)
    assert not trashed.path.exists() and not list_trash(workspace)
    assert (workspace.trash / "something else").is_dir()
    with pytest.raises(InputError, match="in the trash, which is empty"):
        find_trashed("one", workspace)


def test_a_trash_on_another_disk_is_refused_with_what_to_do(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "on_one_disk", lambda one, other: False)
    with pytest.raises(InputError, match=r"rnnplay runs rm one --permanently --workspace .*"):
        move_to_trash(run(workspace, "one"), workspace)
    assert names(workspace) == ["one", "two"]


def test_disk_use_counts_files_and_follows_no_link(workspace: Workspace) -> None:
    folder = run(workspace, "one").path
    before = disk_use(folder)
    (folder / "step").mkdir()
    (folder / "step" / "weights").write_bytes(b"x" * 1000)
    (folder / "link").symlink_to("/")
    assert before + 1000 <= disk_use(folder) < before + 1100
    assert disk_use(folder / "missing") == 0 and disk_use(folder, lambda: True) == 0


@pytest.mark.parametrize(
    "remove", [move_to_trash, lambda folder, _: remove_run(folder)], ids=["to the trash", "for good"]
)
def test_a_run_that_another_process_has_just_removed_is_said_to_be_gone(
    remove: Callable[[RunFolder, Workspace], object], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = run(workspace, "one")
    shutil.rmtree(gone.path)
    monkeypatch.setattr(RunFolder, "holds_run", lambda _: True)  # as it was when it was looked at
    with pytest.raises(InputError, match="one has just been removed or moved by somebody else; nothing was removed"):
        remove(gone, workspace)
