"""Lists of runs say the same whether each run was read or known from before."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rnnplay.config import RunConfig
from rnnplay.runs import index as run_index
from rnnplay.runs.checkpoint_state import TrainingState, ValidationHistory, encode_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.index import ListedRun, list_quickly, listed
from rnnplay.runs.info import RunInfo
from rnnplay.runs.management.notes import RunNotes, write_notes
from rnnplay.workspace import Workspace


def checkpoint(folder: RunFolder, step: int, loss: float) -> None:
    state = TrainingState(
        format=1,
        step=step,
        tokens=step,
        seconds=1.0,
        epoch=0.0,
        created=1e9 + step,
        feed={},
        validations=ValidationHistory(best_loss=1.0, best_step=step, last_loss=loss, last_step=step),
        live={},
        device="cpu",
        precision="float32",
        threads=1,
        metrics_bytes=0,
        sha256={},
    )
    folder.checkpoint_path(step).mkdir()
    (folder.checkpoint_path(step) / "state.json").write_bytes(encode_state(state))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two runs and one that cannot be read, as old as they need to be."""
    monkeypatch.setattr(run_index, "FRESH_NS", -1)
    workspace = Workspace(tmp_path).create()
    for name, config in (("one", RunConfig()), ("two", RunConfig(cell="gru", hidden=7, lr=0.5, corpus="my text"))):
        folder = RunFolder(workspace.checkpoints / name)
        folder.path.mkdir()
        about = {"run": name, "corpus_sha256": "0" * 64, "rnnplay": "1", "torch": "2", "created": "2026-01-01"}
        info = {**about, "config": msgspec.to_builtins(config), "format": 1, "parameters": 5, "vocabulary": 9}
        folder.write_info(msgspec.convert(info, RunInfo))
        checkpoint(folder, 3, 2.5)
        checkpoint(folder, 6, math.inf)
    (workspace.checkpoints / "broken").mkdir()
    (workspace.checkpoints / "broken" / "run.json").write_text("{")
    for path in [*workspace.checkpoints.iterdir(), *workspace.checkpoints.glob("*/run.json")]:
        os.utime(path, (1e9, 1e9))
    return workspace


def told(run: ListedRun) -> tuple[object, ...]:
    return run.name, run.info, run.checkpoints, run.problem, run.step, run.best_loss, run.notes


def now(workspace: Workspace) -> list[tuple[object, ...]]:
    """What every run is, read anew."""
    names = sorted(path.name for path in workspace.checkpoints.iterdir())
    return [told(listed(RunFolder(workspace.checkpoints / name))) for name in names]


def quickly(workspace: Workspace) -> list[tuple[object, ...]]:
    return sorted((told(run) for run in list_quickly(workspace)), key=lambda run: str(run[0]))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that were read, not known."""
    names: list[str] = []

    def noted(folder: RunFolder) -> ListedRun:
        names.append(folder.name)
        return listed(folder)

    monkeypatch.setattr(run_index, "listed", noted)
    return names


def test_a_run_that_is_as_it_was_is_not_read_again(workspace: Workspace, read: list[str]) -> None:
    expected = now(workspace)
    assert quickly(workspace) == expected and sorted(read) == ["broken", "one", "two"]
    read.clear()
    assert quickly(workspace) == expected
    assert read == ["broken"], "what cannot be read may be soon"
    assert [run[5] for run in expected] == [None, 2.5, 2.5] and expected[1][4] == 6


CHANGES = [
    "a checkpoint more", "one less", "another run.json", "another run", "as old as before", "gone", "new",
    "a state edited", "a state replaced", "a state spoilt", "a state gone", "a state mended", "a note",
    "a note edited",
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_read(workspace: Workspace, read: list[str], change: str) -> None:
    one, two = (RunFolder(workspace.checkpoints / name) for name in ("one", "two"))
    state = one.checkpoint_path(6) / "state.json"
    whole = state.read_bytes()
    if change == "a state mended":
        state.write_text("{")
    write_notes(one.path, RunNotes("good" if change == "a note edited" else ""))
    quickly(workspace)
    if change.startswith("a note"):
        write_notes(one.path, RunNotes("a better note" * (change == "a note"), ("tag",)))
        os.utime(one.path, (1e9, 1e9))
    if change == "a state edited":
        state.write_bytes(whole.replace(b'"last_loss":"inf"', b'"last_loss":0.125'))
        assert state.read_bytes() != whole
    elif change == "a state replaced":
        (another := state.with_name("another")).write_bytes(whole.replace(b'"last_loss":"inf"', b'"last_loss":0.125'))
        another.replace(state)
    elif change == "a state spoilt":
        state.write_text("{")
    elif change == "a state gone":
        state.unlink()
    elif change == "a state mended":
        state.write_bytes(whole)
    elif change == "a checkpoint more":
        checkpoint(one, 9, 1.25)
    elif change == "one less":
        one.remove_checkpoint(one.checkpoint_path(3))
    elif change == "another run.json":
        one.write_info(msgspec.structs.replace(one.info(), config=RunConfig(hidden=99)))
    elif change == "another run":
        shutil.rmtree(one.path)
        shutil.copytree(two.path, one.path)
    elif change == "as old as before":
        (one.path / "run.json").write_bytes((two.path / "run.json").read_bytes())
        for path in (one.path, one.path / "run.json"):
            os.utime(path, (1e9, 1e9))
    elif change == "gone":
        shutil.rmtree(one.path)
    else:
        shutil.copytree(two.path, workspace.checkpoints / "three")
    read.clear()
    assert quickly(workspace) == now(workspace) and "two" not in read


def test_what_has_just_changed_is_read_once_more(
    workspace: Workspace, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time stamp may be too coarse to tell of a second change that follows at once."""
    quickly(workspace)
    monkeypatch.setattr(run_index, "FRESH_NS", 10**12)
    (workspace.checkpoints / "one" / "new file").touch()
    quickly(workspace)
    read.clear()
    quickly(workspace)
    assert "one" in read and "two" not in read


def spoil(data: bytes) -> bytes:
    return data[: len(data) // 2]


def rename(data: bytes) -> bytes:
    return data.replace(b"\xa6hidden", b"\xa6hiddem")


def not_allowed(data: bytes) -> bytes:
    return data.replace(b"\xa6hidden\x07", b"\xa6hidden\x00")


def another_kind(data: bytes) -> bytes:
    return data.replace(b"\xa4cell\xa3gru", b"\xa4cell\xcd\x01\x00")


def escape(data: bytes) -> bytes:
    return data.replace(b"\xaa2026-01-01", b"\xaa2026\x1b[31m")


@pytest.mark.parametrize("change", [spoil, rename, not_allowed, another_kind, escape])
def test_an_index_that_cannot_be_used_is_made_anew(workspace: Workspace, change: Callable[[bytes], bytes]) -> None:
    expected = now(workspace)
    quickly(workspace)
    place = workspace.cache / "runs.bin"
    body = place.read_bytes()[32:]
    forged = change(body)
    assert forged != body
    place.write_bytes(hashlib.sha256(forged).digest() + forged)
    assert quickly(workspace) == expected


def test_no_bit_of_an_index_can_be_flipped_unnoticed(workspace: Workspace, read: list[str]) -> None:
    expected = now(workspace)
    quickly(workspace)
    place = workspace.cache / "runs.bin"
    whole = place.read_bytes()
    for at in range(0, len(whole), 37):
        flipped = bytearray(whole)
        flipped[at] ^= 1
        place.write_bytes(flipped)
        read.clear()
        assert quickly(workspace) == expected and "one" in read


def test_without_a_cache_the_runs_are_listed_as_well(workspace: Workspace) -> None:
    expected = now(workspace)
    workspace.cache.rmdir()
    workspace.cache.write_text("a file in the folder's place")
    assert quickly(workspace) == expected == quickly(workspace)


def test_the_newest_of_what_is_read_come_first(workspace: Workspace) -> None:
    for age, name in enumerate(("two", "broken", "one")):
        os.utime(workspace.checkpoints / name, (1e9 - age * 1e6,) * 2)
        os.utime(workspace.checkpoints / name / "run.json", (1e8,) * 2)
    assert [run.name for run in list_quickly(workspace)] == ["two", "broken", "one"]


def test_who_stops_waiting_finds_what_was_read_all_the_same(workspace: Workspace, read: list[str]) -> None:
    (workspace.checkpoints / "broken" / "run.json").unlink()
    listing = list_quickly(workspace)
    next(listing)
    listing.close()
    assert len(read) == 1
    assert quickly(workspace) and sorted(read) == ["one", "two"]
    next(list_quickly(workspace))
    read.clear()
    assert len(quickly(workspace)) == 2 and not read, "both are known still"
