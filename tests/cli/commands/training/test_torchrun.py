"""`rnnplay train` in real processes, started by torchrun: each test takes seconds, as each process loads torch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from rnnplay.cli.support.training import torchrun
from rnnplay.cli.support.training.foreground import Foreground
from rnnplay.common.processors import processors
from rnnplay.config import RunConfig
from rnnplay.errors import InputError, LostProcessError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Step
from tests.cli.commands.training.test_train import FAST, TEXT, environment, rnnplay

pytestmark = pytest.mark.skipif(len(processors()) < 2, reason="two processes need two processors")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "corpora" / "animals.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def start(workspace: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={name: value for name, value in environment(workspace).items() if name != "OMP_NUM_THREADS"},
    )


def steps(workspace: Path, run: str) -> list[tuple[float, ...]]:
    """Loss, norm and clipped norm of each step; of a step that was repeated the last time."""
    records = RunFolder(workspace / "checkpoints" / run).metrics()
    found = {
        one.step: (one.loss, one.grad_norm, one.grad_norm_clipped, one.tokens)
        for one in records
        if isinstance(one, Step)
    }
    return [found[step] for step in sorted(found)]


def read_until(process: subprocess.Popen[str], step: int) -> list[dict[str, Any]]:
    """The records that the process prints, to the one of that step."""
    assert process.stdout is not None
    records = []
    for line in process.stdout:
        records.append(json.loads(line))
        if records[-1]["type"] == "step" and records[-1]["step"] >= step:
            return records
    raise AssertionError(process.communicate()[1])


def test_two_processes_train_what_one_does_until_ctrl_c(workspace: Path) -> None:
    """Losses and clipped norms of 100 steps; then a checkpoint, no traceback, and how to go on with as many."""
    settings = (*FAST, "--corpus", "animals", "--steps", "100000", "--schedule", "constant", "--clip-threshold", "0.5")
    process = start(workspace, "rnnplay", "train", "--torchrun", "2", "--run", "two", "--json", *settings)
    try:
        started, *_ = read_until(process, 100)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0 and started["threads"] == 1
    first, last = said.splitlines()
    assert first.startswith("Stopping after this step") and last.startswith("Stopped at step ")
    assert "rnnplay train --resume --run two --torchrun 2" in last
    folder = RunFolder(workspace / "checkpoints" / "two")
    assert f"{folder.checkpoint().step:,};" in last
    alone = rnnplay(workspace, "train", "--run", "one", *settings, "--steps", "100")
    assert alone.returncode == 0, alone.stderr
    for two, one in zip(steps(workspace, "two")[:100], steps(workspace, "one"), strict=True):
        assert two == pytest.approx(one, abs=1e-4)


def test_a_killed_process_is_replaced_and_the_run_resumed(workspace: Path) -> None:
    """By torchrun's own command. The losses are those of a run that nobody disturbed."""
    settings = (*FAST, "--corpus", "animals", "--steps", "400", "--eval-every", "0", "--checkpoint-every", "20")
    options = ("--standalone", "--nproc-per-node", "2", "--max-restarts", "1", "-m", "rnnplay", "--")
    process = start(workspace, "torch.distributed.run", *options, "train", "--run", "two", "--json", *settings)
    try:
        read_until(process, 50)
        (victim,) = (one for one in psutil.Process(process.pid).children() if one.environ()["RANK"] == "1")
        victim.kill()
        out, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    records = [json.loads(line) for line in out.splitlines()]
    (again,) = (record for record in records if record["type"] == "started")
    assert again["step"] >= 40 and again["step"] % 20 == 0
    # Whether the one that is left notices it, or is ended by torchrun before, depends on how busy the machine is.
    assert all("torchrun starts all of them again" in line for line in said.splitlines() if line.startswith("Error"))
    alone = rnnplay(workspace, "train", "--run", "one", *settings)
    assert alone.returncode == 0, alone.stderr
    for two, one in zip(steps(workspace, "two"), steps(workspace, "one"), strict=True):
        assert two == pytest.approx(one, abs=1e-4)


@pytest.mark.parametrize(
    ("restarts", "onward"), [("0", "; torchrun starts all of them again"), ("1", "rnnplay train --resume")]
)
def test_whoever_is_left_says_how_it_goes_on(
    restarts: str, onward: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> bool:
        raise LostProcessError("Another process is gone")

    monkeypatch.setattr(Foreground, "run", lost)
    for name, value in (("RUN_ID", "none"), ("RESTART_COUNT", restarts), ("MAX_RESTARTS", "1")):
        monkeypatch.setenv(f"TORCHELASTIC_{name}", value)
    ended = rnnplay(workspace, "train", "--run", "one", "--corpus", "animals", *FAST, "--steps", "3")
    assert ended.returncode == 1 and "Another process is gone" in ended.stderr and onward in ended.stderr


class Replaced(Exception):
    """The process would now be another program."""


def test_torchrun_gets_the_command_as_typed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the workspace, wherever it was given."""
    called: list[list[str]] = []

    def execv(_path: str, arguments: list[str]) -> None:
        called.append(arguments[3:])
        raise Replaced

    monkeypatch.setattr(os, "execv", execv)
    rnnplay(workspace, "--workspace", str(workspace), "train", "--torchrun", "2", "--corpus", "animals", *FAST)
    assert called == [["2", "train", "--workspace", str(workspace), "--torchrun", "2", "--corpus", "animals", *FAST]]
    assert not list((workspace / "checkpoints").iterdir())


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (("--torchrun", "2", "--batch-size", "5"), "use --batch-size 4 or 6, or another number of processes"),
        (("--torchrun", "2", "--corpus", "-"), "Several processes cannot read one standard input; give --corpus mine"),
        (("--torchrun", "0"), "--torchrun"),
        (("--torchrun", "two"), "--torchrun"),
        (("--torchrun", "100000"), "slower; give at most"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_before_anything_is_made(
    words: tuple[str, ...], refused: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started"))
    result = rnnplay(workspace, "train", "--corpus", "animals", *words)
    assert result.returncode == 2 and refused in result.stderr and len(result.stderr.splitlines()) == 1
    assert not list((workspace / "checkpoints").iterdir())


def test_a_restart_of_a_run_that_has_ended_does_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed after the run's end makes torchrun start all of them again."""
    words = ("train", "--run", "one", "--corpus", "animals", *FAST, "--steps", "3")
    assert rnnplay(workspace, *words).returncode == 0
    before = (workspace / "checkpoints" / "one" / "metrics.jsonl").read_bytes()
    for name, value in (("RUN_ID", "none"), ("RESTART_COUNT", "1"), ("MAX_RESTARTS", "2")):
        monkeypatch.setenv(f"TORCHELASTIC_{name}", value)
    again = rnnplay(workspace, *words)
    assert again.returncode == 0 and "The run 'one' had come to its end, at step 3." in again.stderr
    assert (workspace / "checkpoints" / "one" / "metrics.jsonl").read_bytes() == before


def test_a_process_joins_before_it_looks_for_the_text(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the first one would wait for it in vain, and could not say that this host lacks the text."""
    from rnnplay.training import followers
    from rnnplay.training.processes import joining
    from rnnplay.training.processes.group import ALONE, Group

    seen: list[str] = []

    def follow(_group: object, _workspace: object, localise: Any, _asked: object) -> None:
        with pytest.raises(InputError, match="There is no corpus 'elsewhere'"):
            localise(RunConfig())
        seen.append("followed")

    def join(_launch: object) -> Group:
        seen.append("joined")
        return ALONE

    monkeypatch.setattr(joining, "join", join)
    monkeypatch.setattr(followers, "follow", follow)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", "1")
    assert rnnplay(workspace, "train", "--corpus", "elsewhere").returncode == 0
    assert seen == ["joined", "followed"]


def test_torchrun_ends_as_its_processes_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With their exit code; of a process that was killed it is said, as nobody else can."""
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

    def main_of(code: int) -> int:
        def fail(_arguments: list[str]) -> None:
            raise ChildFailedError("rnnplay", {0: ProcessFailure(0, 1, code, "")})

        monkeypatch.setattr(run, "main", fail)
        return torchrun.main()

    monkeypatch.setattr(sys, "argv", ["torchrun", "2", "train"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("logging.disable", lambda _: None)
    assert main_of(2) == 2 and not capsys.readouterr().err
    assert main_of(-9) == 1
    assert capsys.readouterr().err == (
        "One of the 2 processes was ended by SIGKILL; the system does that when memory runs out.\n"
    )
