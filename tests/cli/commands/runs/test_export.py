"""`rnnplay export` says what it wrote; `train --tensorboard` writes what TensorBoard reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rnnplay.workspace import Workspace
from tests.cli.conftest import Invoke
from tests.experiments.export.made_runs import TEXT, add_checkpoint, make_run


def test_the_files_are_named_with_their_sizes(workspace: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    make_run(Workspace(workspace))
    done = invoke("export", "run", "--to", "csv")
    assert done.exit_code == 0, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == [
        f"run-csv/{name}.csv" for name in ("steps", "validations", "events")
    ]
    again = invoke("export", "run", "--to", "csv")
    assert again.exit_code == 2 and "--force" in again.stderr


def test_json_has_absolute_paths_and_the_lines_of_code(workspace: Path, invoke: Invoke, tmp_path: Path) -> None:
    run = make_run(Workspace(workspace))
    add_checkpoint(run)
    done = invoke("export", "run", "--to", "safetensors", "--out", str(tmp_path), "--json")
    found = json.loads(done.stdout)
    assert found["files"] == [str(tmp_path / "run.safetensors"), str(tmp_path / "run.vocabulary.json")]
    assert (found["format"], found["runs"]) == ("safetensors", ["run"]) and "load_state_dict" in found["code"]


def test_training_writes_events_for_tensorboard(workspace: Path, invoke: Invoke, tmp_path: Path) -> None:
    (workspace / "corpora" / "small.txt").write_text(TEXT * 10, encoding="utf-8")
    sizes = ("--hidden", "8", "--embedding", "4", "--batch-size", "4", "--bptt", "8", "--threads", "1")
    options = ("--corpus", "small", "--run", "live", "--steps", "6", "--device", "cpu", *sizes)
    done = invoke("train", *options, "--tensorboard", str(tmp_path / "tb"), "--json")
    assert done.exit_code == 0, done.stderr
    found = EventAccumulator(str(tmp_path / "tb" / "live"))
    found.Reload()
    losses = {
        line["step"]: line["loss"] for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "step"
    }
    written = {one.step: one.value for one in found.Scalars("loss/training")}
    assert written and all(abs(losses[step] - value) < 1e-5 for step, value in written.items())
    assert [one.step for one in found.Scalars("loss/validation")] == [6]
