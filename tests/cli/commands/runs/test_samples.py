"""`rnnplay samples`: by prompt and step, in full, as JSON, and what it says where there are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.logged import LoggedSample, SampleFile
from rnnplay.workspace import Workspace
from tests.cli.conftest import Invoke
from tests.tui.stage import make_run


@pytest.fixture
def run(workspace: Path) -> RunFolder:
    folder = make_run(Workspace(workspace), "first", steps=300)
    SampleFile(folder.path).append(
        LoggedSample(step=step, prompt=prompt, text=f" at {step}\nand\x1b[2J on", loss=1.0 + step if step else None)
        for step in range(0, 300, 10)
        for prompt in ("Once", "He said:\n")
    )
    return folder


def test_they_are_listed_by_prompt_and_thinned(run: RunFolder, invoke: Invoke) -> None:
    done = invoke("samples", "first")
    assert done.exit_code == 0 and "10 steps are not shown" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "1  Once …" and lines[1] == "step\tloss\ttext" and "2  He said:⏎ …" in lines
    assert lines[2] == "0\t–\t at 0⏎and␛[2J on" and lines[21].startswith("290\t291.000\t at 290")
    assert "\x1b" not in done.stdout
    everything = invoke("samples", "first", "--all", "--prompt", "2").stdout.splitlines()
    assert everything[0].startswith("2  He said") and len(everything) == 33


def test_one_step_is_written_in_full(run: RunFolder, invoke: Invoke) -> None:
    done = invoke("samples", "first", "--step", "20", "--prompt", "1")
    assert done.stdout == "Once at 20\nand\x1b[2J on\n"  # into a file as it is; on a terminal it is made visible
    found = json.loads(invoke("samples", "first", "--step", "20", "--json").stdout)
    assert [(one["step"], one["prompt"], one["loss"]) for one in found] == [
        (20, "Once", 21.0),
        (20, "He said:\n", 21.0),
    ]
    assert len(json.loads(invoke("samples", "first", "--json").stdout)) == 60


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--step", "25"), "the nearest are those of 20 and 30"),
        (("--prompt", "3"), "has 2 prompts"),
        (("--prompt", "0"), "whole number from 1"),
    ],
)
def test_what_is_not_there_is_said(options: tuple[str, ...], says: str, run: RunFolder, invoke: Invoke) -> None:
    done = invoke("samples", "first", *options)
    assert done.exit_code == 2 and says in done.stderr


def test_a_run_without_samples_says_why(workspace: Path, invoke: Invoke) -> None:
    make_run(Workspace(workspace), "new", steps=3)
    make_run(Workspace(workspace), "without", {"sample_prompts": "off"}, steps=3)
    assert "The run 'new' has no samples. " in invoke("samples", "new").stderr
    assert "sample_prompts is off" in invoke("samples", "without").stderr
    (workspace / "checkpoints" / "new" / "samples.jsonl").write_text("{\n")
    assert "line 1, is not a sample" in invoke("samples", "new").stderr
