"""`rnnplay sweep`: what it prints and refuses, and a worker that is killed while it trains."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from rnnplay.config import RunConfig
from rnnplay.experiments.sweep.plan import make_plan
from rnnplay.experiments.sweep.space import parse_dimensions
from rnnplay.experiments.sweep.studies import create_study, open_study
from rnnplay.experiments.sweep.worker import Worker
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Step
from rnnplay.workspace import Workspace
from tests.cli.conftest import Invoke
from tests.conftest import small_text

pytest.importorskip("optuna")

T = TypeVar("T")

TINY = (
    *("--corpus", "small", "--hidden", "8", "--embedding", "6", "--batch-size", "4", "--bptt", "12", "--steps", "12"),
    *("--eval-every", "4", "--eval-tokens", "200", "--precision", "float32", "--checkpoint-every", "4"),
)


@pytest.fixture
def text(workspace: Path) -> Path:
    """The workspace, with a small text."""
    (workspace / "corpora" / "small.txt").write_text(small_text(), encoding="utf-8")
    return workspace


def test_a_study_is_shown_as_tables_and_as_json(text: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnplay.cli.commands.training.sweep._supervise", lambda *_: 0)  # made, but not yet worked on
    assert invoke("sweep", "--vary", "cell=rnn,gru", "--vary", "lr=0.01,0.03", "--repeat", "2", *TINY).exit_code == 0
    study = open_study("small-sweep-01", Workspace(text))
    Worker(study, Workspace(text), 1, lambda _: None, lambda: False).run()
    study.close()
    shown = invoke("sweep", "--show", "small-sweep-01")
    lines = shown.stdout.splitlines()
    assert lines[0] == "run\tcell\tlr\tseed\tvalidation loss"
    assert "mean over seeds" in shown.stdout and "±" in shown.stdout
    assert lines[-2] == "small-sweep-01: 8 of 8 runs done"
    found = json.loads(invoke("sweep", "--show", "small-sweep-01", "--json").stdout)
    best = found["best"]
    assert lines[-1].startswith(f"Best {best['mean']:.4f} ± {best['half_interval']:.4f} with cell=")
    assert best["mean"] == min(one["mean"] for one in found["combinations"])
    values = [trial["value"] for trial in found["trials"] if trial["params"] == best["params"]]
    assert best["mean"] == pytest.approx(sum(values) / 2)
    assert {group["knob"] for group in found["by_knob"]} == {"cell", "lr"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "A sweep varies something; give --vary once for each knob"),
        (("--vary", "lr=0.1..0.2", "--sampler", "grid"), "a grid needs its number of points"),
        (("--vary", "lr=0.1,0.2", "--lr", "0.3"), "lr is both varied and set; leave out --lr"),
        (("--vary", "lr=0.1,0.2", "--trials", "7", "--sampler", "grid"), "A grid tries all its 2 combinations"),
        (
            ("--vary", "bptt=8,16", "--vary", "corpus=small,nowhere", "--corpus", "tales"),
            "There is no corpus 'nowhere'",
        ),
        (("--vary", "lr=0.1,0.2", "--study", "../x"), "A study cannot be called '../x'"),
        (("--vary", "lr=0.1,0.2", "--steps", "0", "--minutes", "0"), "need an end; give --steps"),
        (("--study", "none"), "There is no study 'none'"),
        (("--study", "none", "--lr", "1"), "--lr need --vary"),
        (("--show", "none"), "There is no study 'none'"),
        (("--show", "none", "--vary", "lr=1,2"), "--show prints a study and changes nothing; leave out --vary"),
        (("--vary", "lr=0.1,0.2", "--storage", "nonsense"), "--storage is not a database URL"),
        (("--vary", "lr=0.1,0.2", "--storage", "sqlite:////no/such/folder/x.db"), "cannot be used (unable to open"),
        (("--vary", "tie=on,off", "--vary", "layers=1,2"), "With tie=on layers=1: tie needs"),
        (("--vary", "lr=0.1,0.2", "--repeat", "0"), "'0' is not a whole number from 1"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(
    text: Path, invoke: Invoke, arguments: tuple[str, ...], says: str
) -> None:
    settings = () if "--show" in arguments or "none" in arguments else TINY
    refused = invoke("sweep", *settings, *arguments)
    assert refused.exit_code == 2
    assert says in refused.stderr.replace("\n", " "), refused.stderr
    assert not (text / "studies" / "none").exists()


def test_without_the_extra_it_says_how_to_install_it(
    workspace: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    refused = invoke("sweep", "--vary", "lr=0.1,0.2")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: Sweeps need Optuna; install it with: pip install 'rnnplay[sweep]'\n",
    )


def test_a_worker_that_is_killed_is_replaced_and_its_trial_resumed(text: Path) -> None:
    process = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "rnnplay",
                "sweep",
                "--study",
                "s",
                "--vary",
                "lr=0.01,0.03",
                "--jobs",
                "1",
                "--threads",
                "1",
                "--json",
            ),
            *(*TINY, "--steps", "200", "--eval-every", "100", "--checkpoint-every", "50"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    (worker,) = _until(lambda: psutil.Process(process.pid).children())
    _until(lambda: list((text / "checkpoints").glob("s-000/step-00000005*")))
    worker.kill()
    out, errors = process.communicate()
    assert process.returncode == 0
    assert b"A worker was ended by SIGKILL; its trial is taken up again." in errors
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["type"] for record in records] == ["trial", "trial", "study"]
    assert records[-1]["over"] and records[-1]["done"] == 2
    steps = [one.step for one in RunFolder(text / "checkpoints" / "s-000").metrics() if isinstance(one, Step)]
    assert steps == list(range(1, 201))


def _until(found: Callable[[], list[T]]) -> list[T]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if result := found():
            return result
        time.sleep(0.01)  # what is waited for needs the core
    raise AssertionError("waited for a minute")


def test_a_study_of_other_settings_is_not_mixed_up(text: Path, invoke: Invoke) -> None:
    plan = make_plan(RunConfig(corpus="small", steps=12), parse_dimensions(["lr=0.1,0.2"]), None, None)
    create_study("s", plan, Workspace(text)).close()
    refused = invoke("sweep", "--study", "s", "--vary", "lr=0.1,0.2", *TINY)
    assert refused.exit_code == 2
    assert "There is a study 's' already, with another" in refused.stderr
