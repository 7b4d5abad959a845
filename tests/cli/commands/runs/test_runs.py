"""`rnnplay runs`: the list and its filter, and what is done with whole runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rnnplay.runs.lock import RunLock
from rnnplay.workspace import Workspace
from tests.tui.stage import make_run

Invoke = Callable[..., Result]


@pytest.fixture
def runs(workspace: Path) -> Workspace:
    """Three runs without weights."""
    found = Workspace(workspace)
    make_run(found, "first", {"lr": 0.3}, created="2026-03-01T10:15:00+00:00", steps=20, loss=1.5)
    make_run(found, "second", {"cell": "gru"}, created="2026-03-02T10:15:00+00:00", steps=10, loss=0.5)
    make_run(found, "third", created="2026-03-03T10:15:00+00:00")
    return found


def names(result: Result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [run["run"] for run in json.loads(result.stdout)]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), ["third", "second", "first"]),
        (("--sort", "valid"), ["second", "first", "third"]),
        (("--sort", "step", "--reverse"), ["second", "first", "third"]),
        (("--filter", "lr>=0.3"), ["first"]),
        (("--filter", "cell=lstm valid<9"), ["first"]),
    ],
)
def test_the_list_is_filtered_and_ordered(
    invoke: Invoke, runs: Workspace, arguments: tuple[str], found: list[str]
) -> None:
    assert names(invoke("runs", "list", "--json", *arguments)) == names(invoke("runs", *arguments, "--json")) == found


def test_a_wrong_filter_and_one_that_nothing_is_like(invoke: Invoke, runs: Workspace) -> None:
    wrong = invoke("runs", "--filter", "lr>")
    assert wrong.exit_code == 2 and "lr> needs a number" in wrong.stderr
    none = invoke("runs", "--filter", "cell=rnn")
    assert none.exit_code == 0 and not none.stdout and "None of the 3 runs" in none.stderr


def test_runs_that_are_being_trained_are_told(invoke: Invoke, runs: Workspace) -> None:
    lock = RunLock.take(runs.checkpoints / "first")
    found = {run["run"]: run["training"] for run in json.loads(invoke("runs", "--json").stdout)}
    assert found["second"] is None and found["first"]["step"] == 20
    assert "being trained" in invoke("runs").stdout
    assert "training" in invoke("runs", "show", "first").stdout
    lock.release()


def test_a_removed_run_comes_back_by_the_command_that_is_told(invoke: Invoke, runs: Workspace) -> None:
    removed = invoke("runs", "rm", "first", "second")
    assert removed.exit_code == 0 and names(invoke("runs", "--json")) == ["third"]
    listed = json.loads(invoke("runs", "trash", "--json").stdout)
    assert [run["run"] for run in listed] == ["second", "first"] and listed[0]["disk_bytes"] > 0
    assert "first" in invoke("runs", "trash").stdout
    back = removed.stdout.splitlines()[0].partition("bring it back: ")[2]
    assert invoke(*shlex.split(back)[1:]).stdout == "first is back.\n"
    assert names(invoke("runs", "--json")) == ["third", "first"]
    assert invoke("runs", "restore", "nothing").exit_code == 2


def test_the_trash_is_emptied_only_after_a_yes(invoke: Invoke, runs: Workspace) -> None:
    assert "is empty" in invoke("runs", "trash", "--empty").stderr
    invoke("runs", "rm", "first")
    for answer, left in (("n\n", 1), ("", 1), ("y\n", 0)):
        invoke("runs", "trash", "--empty", answer=answer)
        assert len(json.loads(invoke("runs", "trash", "--json").stdout)) == left
    invoke("runs", "rm", "second")
    assert "Deleted 1 run" in invoke("runs", "trash", "--empty", "--yes").stderr
    assert not list(runs.trash.iterdir())


def test_a_run_is_renamed(invoke: Invoke, runs: Workspace) -> None:
    assert invoke("runs", "rename", "first", "best").stdout == "first is called best now.\n"
    assert names(invoke("runs", "--json")) == ["third", "second", "best"]
    for new in ("second", "../x", ""):
        assert invoke("runs", "rename", "best", new).exit_code == 2
    lock = RunLock.take(runs.checkpoints / "best")
    for refused in (invoke("runs", "rename", "best", "other"), invoke("runs", "rm", "best")):
        assert refused.exit_code == 2 and "is being trained" in refused.stderr
    lock.release()
    for name in ("second", "third"):
        assert not invoke("runs", "rename", name, f"race-07-{name}").stderr
    for words in (
        ("rename", "race-07-second", "alone"),
        ("rename", "alone", "race-07-second"),
        ("rm", "race-07-third"),
    ):
        told = "The race race-07 knows it by this name" in invoke("runs", *words).stderr
        assert told is (words[1] != "alone")


def test_notes_and_tags_are_kept_shown_and_found(invoke: Invoke, runs: Workspace) -> None:
    assert "neither" in invoke("runs", "note", "first").stderr
    invoke("runs", "note", "first", "the one for the paper", "--tag", "good", "--tag", "paper")
    invoke("runs", "note", "first", "--untag", "good", "--tag", "fig2")
    told = json.loads(invoke("runs", "note", "first", "--json").stdout)
    assert told == {"run": "first", "note": "the one for the paper", "tags": ["paper", "fig2"]}
    for shown in (invoke("runs", "note", "first").stdout, invoke("runs", "show", "first").stdout):
        assert "the one for the paper" in shown and "paper fig2" in shown
    assert "paper fig2" in invoke("runs").stdout
    assert names(invoke("runs", "--json", "--filter", "tag:fig2")) == ["first"]
    assert invoke("runs", "note", "first", "--tag", "two words").exit_code == 2
    invoke("runs", "note", "first", "", "--untag", "paper", "--untag", "fig2")
    assert not (runs.checkpoints / "first" / "notes.json").exists()


def test_a_run_elsewhere_is_not_moved(invoke: Invoke, runs: Workspace, tmp_path: Path) -> None:
    (runs.checkpoints / "third").rename(tmp_path / "third")
    (runs.checkpoints / "third").symlink_to(tmp_path / "third")
    for words in (("rm", "third"), ("rename", "third", "other"), ("rm", "--permanently", "--yes", "third")):
        refused = invoke("runs", *words)
        assert refused.exit_code == 2 and "by hand" in refused.stderr
    assert (tmp_path / "third").is_dir()


def test_runs_are_compared(invoke: Invoke, runs: Workspace) -> None:
    found = json.loads(invoke("compare", "first", "second", "--json").stdout)
    assert found["differences"]["cell"] == ["lstm", "gru"] and "hidden" not in found["differences"]
    assert [run["step"] for run in found["runs"]] == [20, 10]
    heads, *rows = (line.split("\t") for line in invoke("compare", "first", "second").stdout.splitlines())
    assert heads == ["", "first", "second"] and ["cell", "lstm", "gru"] in rows
    for words in (("first",), ("first", "first"), ("first", "nothing")):
        assert invoke("compare", *words).exit_code == 2
