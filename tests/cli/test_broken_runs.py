"""What is wrong with a run's folder is said as it is, by every command that opens runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.records import Finished
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import add_checkpoint, make_run

Invoke = Callable[..., Result]

COMMANDS = {
    "watch": ("watch", "run", "--plain"),
    "show": ("runs", "show", "run"),
    "compare": ("compare", "run", "whole"),
    "export": ("export", "run", "--to", "jsonl", "--out", "run.jsonl"),
    "samples": ("samples", "run"),
}
FINE = r"^(?!.*Error)"
WRITE = r"has no samples\. Write with it: rnnplay generate run\n"


def unused(why: str) -> dict[str, str]:
    """What is said where the records are whole, but nothing can be written with the run."""
    return {
        "watch": f"run has finished at step 3. It cannot be used: {why}",
        "samples": f"has no samples. It cannot be used: {why}",
    }


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def spoil(run: Path, name: str) -> None:
    for checkpoint in run.glob("step-*"):
        (checkpoint / name).write_text("spoilt")


def remove_checkpoints(run: Path) -> None:
    for checkpoint in run.glob("step-*"):
        shutil.rmtree(checkpoint)


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def into_file(run: Path) -> None:
    shutil.rmtree(run)
    run.write_text("")


def forbid(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """As if `path` were not the user's to read; root may read all."""
    opened, scanned, holds = os.open, os.scandir, RunFolder.holds_run

    def guarded_open(what: str | Path, flags: int, mode: int = 0o777, **other: int) -> int:
        if Path(what) == path:
            raise PermissionError(13, "Permission denied", str(what))
        return opened(what, flags, mode, **other)

    def guarded_scan(what: str | Path = ".") -> object:
        if Path(what) == path:
            raise PermissionError(13, "Permission denied", str(what))
        return scanned(what)

    monkeypatch.setattr(os, "open", guarded_open)
    monkeypatch.setattr(os, "scandir", guarded_scan)
    monkeypatch.setattr(RunFolder, "holds_run", lambda run: run.path != path and holds(run))


CASES: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], object], str, dict[str, str]]] = {
    "no run.json": (lambda run, _: (run / "run.json").unlink(), "run.json is missing", {}),
    "broken run.json": (lambda run, _: cut(run / "run.json"), "run.json is broken", {}),
    "a folder for run.json": (
        lambda run, _: into_folder(run / "run.json"), "run.json is not a plain file", {}
    ),
    "newer": (
        lambda run, _: (run / "run.json").write_text((run / "run.json").read_text().replace(": ", ": 9", 1)),
        "was written by a later rnnplay", {},
    ),
    "forbidden run.json": (
        lambda run, patch: forbid(patch, run / "run.json"),
        r"run.json cannot be read \(Permission denied\)", {},
    ),
    "no metrics": (
        lambda run, _: (run / "metrics.jsonl").unlink(),
        FINE, {"watch": r"Nobody trains run now \(at step 3\)", "samples": WRITE},
    ),
    "truncated metrics": (
        lambda run, _: cut(run / "metrics.jsonl"),
        FINE, {"watch": r"Nobody trains run now \(at step 3\)", "samples": WRITE},
    ),
    "no record": (
        lambda run, _: (run / "metrics.jsonl").write_text("what?\n"), "line 1, is not a record", {"samples": WRITE}
    ),
    "forbidden metrics": (
        lambda run, patch: forbid(patch, run / "metrics.jsonl"),
        r"metrics.jsonl cannot be read \(Permission denied\); allow reading it", {"samples": WRITE},
    ),
    "no checkpoint": (
        lambda run, _: remove_checkpoints(run),
        FINE, unused("The run 'run' has no checkpoint that can be read"),
    ),
    "spoilt state": (
        lambda run, _: spoil(run, "state.json"),
        FINE, unused("The run 'run' has no checkpoint that can be read"),
    ),
    "spoilt weights": (
        lambda run, _: spoil(run, "weights.safetensors"),
        FINE, unused("the checkpoints of run are damaged"),
    ),
    "no vocabulary": (
        lambda run, _: (run / "vocabulary.json").unlink(), FINE, unused(".*vocabulary.json is missing")
    ),
    "a file for the folder": (lambda run, _: into_file(run), "There is no run 'run'; the runs are whole.", {}),
    "forbidden folder": (
        lambda run, patch: forbid(patch, run), r"checkpoints/run cannot be read \(Permission denied\)", {}
    ),
    "gone": (lambda run, _: shutil.rmtree(run), "There is no run 'run'; the runs are whole.", {}),
}  # fmt: skip


@pytest.fixture
def run(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run with a checkpoint, beside another."""
    monkeypatch.chdir(tmp_path)
    for name in ("whole", "run"):
        add_checkpoint(made := make_run(Workspace(workspace), name))
    return made.path


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said_as_it_is(invoke: Invoke, run: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    damage, sentence, others = CASES[case]
    damage(run, monkeypatch)
    for name, words in COMMANDS.items():
        result = invoke(*words)
        said = f"{result.stdout}{result.stderr}"
        assert re.search(others.get(name, sentence), said, re.DOTALL), (name, said)
        assert "Errno" not in said and "Traceback" not in said and "whole account" not in said, (name, said)


def test_an_earlier_checkpoint_is_suggested_where_the_latest_is_damaged(invoke: Invoke, run: Path) -> None:
    spoil(run, "weights.safetensors")
    add_checkpoint(RunFolder(run), 2)
    said = invoke("watch", "run", "--plain").stderr
    assert "Its latest checkpoint is damaged. Write with it: rnnplay generate run --checkpoint 2" in said


def test_a_stopped_run_is_gone_on_with_as_far_as_it_is_whole(invoke: Invoke, run: Path) -> None:
    log = MetricsLog(run / "metrics.jsonl")
    log.append([Finished(step=3, reason="stopped")])
    log.flush()
    onward = "run was stopped at step 3. Go on with: rnnplay train --resume --run run\n"
    assert onward in invoke("watch", "run", "--plain").stderr
    spoil(run, "weights.safetensors")
    damaged = "run was stopped at step 3. It cannot be resumed: the checkpoints of run are damaged"
    assert damaged in invoke("watch", "run", "--plain").stderr
