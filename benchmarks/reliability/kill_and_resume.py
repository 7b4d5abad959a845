"""Kills runs at random moments, resumes them, and compares them with runs that were never interrupted.

    python -m benchmarks.reliability.kill_and_resume [--kills 200] [--seed 1]

Every run is `rnnplay train`, in a process forked from one that has torch loaded, so that a kill costs no import.
A third of the kills wait for a checkpoint being written. At the end of each run its metrics.jsonl (without tokens per
second, which depend on the machine) and its final weights must equal the uninterrupted run's exactly.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import options_of
from tests.conftest import small_text

STEPS = 120
LENGTH_REACHED = f"has reached its length of {STEPS} steps"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of run."""

    name: str
    options: tuple[str, ...]


CASES = tuple(
    Case(
        f"{cell} {feed} {optimizer}",
        (
            *("--cell", cell, "--feed", feed, "--optimizer", optimizer, "--layers", "2", "--dropout", "0.2"),
            *(("--momentum", "0.9", "--lr", "0.1") if optimizer == "sgd" else ("--lr", "0.01")),
        ),
    )
    for cell, feed, optimizer in itertools.product(("rnn", "gru", "lstm"), ("stream", "lines"), ("adam", "sgd"))
)
COMMON = (
    *("--corpus", "small", "--hidden", "16", "--embedding", "8", "--batch-size", "4", "--bptt", "12"),
    *("--steps", str(STEPS), "--eval-every", "25", "--checkpoint-every", "7", "--checkpoint-seconds", "0"),
    *("--threads", "1", "--precision", "float32", "--clip-threshold", "0.3", "--json"),
)


def main() -> None:
    parser = options_of("benchmarks.reliability.kill_and_resume", __doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        done, kills, in_checkpoint, wrong = measure(Path(folder), options.kills, random.Random(options.seed))
    equal = done - len(wrong)
    print(f"{kills} kills ({in_checkpoint} while a checkpoint was being written), {kills} of {kills} resumed")
    print(f"{equal} of {done} runs equal the uninterrupted ones, bit for bit; kinds: {len(CASES)}")
    for name in wrong:
        print(f"  not equal: {name}")
    sys.exit(bool(wrong))


def measure(folder: Path, kills: int, draw: random.Random) -> tuple[int, int, int, list[str]]:
    """Returns runs compared, kills, those of them during a checkpoint, and the names of runs that differ.

    Raises if one cannot be resumed.
    """
    import torch

    import rnnplay.__main__
    import rnnplay.training.trainer  # noqa: F401  (loaded before the forks)

    torch.set_num_threads(1)
    (folder / "corpora").mkdir(parents=True)
    (folder / "corpora" / "small.txt").write_text(small_text())
    wanted: dict[str, tuple[list[str], bytes]] = {}
    killed = in_checkpoint = 0
    wrong: list[str] = []
    for number in itertools.count():
        if killed >= kills:
            return number, killed, in_checkpoint, wrong
        case = CASES[number % len(CASES)]
        if case.name not in wanted:
            began = time.monotonic()
            run = f"whole-{number}"
            assert finish(start(folder, run, case, resume=False)) == 0, case.name
            wanted[case.name] = outcome(folder / "checkpoints" / run)
            whole_seconds = time.monotonic() - began
        run = f"killed-{number}"
        resume = False
        while True:
            child = start(folder, run, case, resume)
            hit = killed < kills and kill(child, folder / "checkpoints" / run, draw, whole_seconds)
            code = finish(child)
            # A run killed after its last checkpoint, before it reported that, is complete.
            if code == 0 or (code == 2 and LENGTH_REACHED in (folder / "output.txt").read_text()[-500:]):
                break
            assert hit and code == -signal.SIGKILL, (case.name, code, (folder / "output.txt").read_text()[-500:])
            killed += 1
            in_checkpoint += hit == "checkpoint"
            resume = (folder / "checkpoints" / run / "run.json").exists()
        if outcome(folder / "checkpoints" / run) != wanted[case.name]:
            wrong.append(f"{case.name} ({run})")
    raise AssertionError


def start(folder: Path, run: str, case: Case, resume: bool) -> multiprocessing.process.BaseProcess:
    """Starts `rnnplay train` in a forked process."""
    new = (*COMMON, *case.options)
    arguments = ["train", "--workspace", str(folder), "--run", run, *(("--resume", "--json") if resume else new)]
    child = multiprocessing.get_context("fork").Process(target=train, args=(arguments, folder / "output.txt"))
    child.start()
    return child


def train(arguments: list[str], output: Path) -> None:
    """Runs the command in the child, with its output in a file."""
    from rnnplay.__main__ import main

    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["rnnplay", *arguments]
    main()


def kill(
    child: multiprocessing.process.BaseProcess, run: Path, draw: random.Random, whole_seconds: float
) -> str | None:
    """Sends SIGKILL at a random moment, or just after a checkpoint was begun.

    Returns None if the run had already ended.
    """
    assert child.pid is not None
    at_checkpoint = draw.random() < 1 / 3
    if at_checkpoint:
        for _ in range(draw.randrange(1, 6)):
            if not wait_for_partial(child, run):
                return None
        time.sleep(draw.random() * 0.004)
    else:
        child.join(draw.random() * whole_seconds)
    if child.exitcode is not None:
        return None
    os.kill(child.pid, signal.SIGKILL)
    return "checkpoint" if at_checkpoint else "anywhere"


def wait_for_partial(child: multiprocessing.process.BaseProcess, run: Path) -> bool:
    """Waits until a checkpoint folder is being written; False if the run ended without."""
    seen = {path.name for path in partials(run)}
    while child.exitcode is None:
        now = {path.name for path in partials(run)}
        if now - seen:
            return True
        seen = now
    return False


def partials(run: Path) -> list[Path]:
    """Returns checkpoint folders that are being written."""
    with contextlib.suppress(OSError):
        return [path for path in run.iterdir() if path.name.startswith(".step-")]
    return []


def finish(child: multiprocessing.process.BaseProcess) -> int:
    """Waits for the end; returns the exit code, negative for a signal."""
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def outcome(run: Path) -> tuple[list[str], bytes]:
    """Returns steps and validations without the machine's speed, and the final weights."""
    lines = []
    for line in (run / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        record.pop("tokens_per_second", None)
        if record["type"] in ("step", "validation"):
            lines.append(json.dumps(record))
    return lines, (run / f"step-{STEPS:09}" / "weights.safetensors").read_bytes()


if __name__ == "__main__":
    main()
