"""Measures what large files, many runs and long sessions cost the interface and the engine.

    python -m benchmarks.interface.costs [--only metrics,runs,characters,log,records,memory] [--minutes 10]
        [--runs 10000]

Each is measured in its own process, by the clock: let nothing else run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import options_of
from benchmarks.reliability.random_keys import play
from rnnplay.config import RunConfig
from rnnplay.runs.checkpoint_state import TrainingState, ValidationHistory, encode_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo, encode_info
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Step, Validation
from rnnplay.workspace import Workspace
from tests.support.terminal import Terminal, rnnplay_command

STEPS = 2_000_000
DISTINCT = 1_000_000
LOAD = """
import resource, sys, time
from pathlib import Path
import numpy
from rnnplay.runs.folder import RunFolder
from rnnplay.tui.loaded_runs import load_run
began = time.perf_counter()
state = load_run(RunFolder(Path(sys.argv[1])), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"{time.perf_counter() - began:.2f} s, peak {peak} MB, at step {state.step:,}")
"""
FLOOD = """
import os, sys, time
from pathlib import Path
from rnnplay.engine.output import keep_short, redirect_output
redirect_output(Path(sys.argv[1]))
keep_short()
line = b"a library repeats itself\\n" * 1000
for _ in range(8000):
    os.write(2, line)
time.sleep(1)
"""


def run_in(workspace: Workspace, name: str, number: int = 0) -> RunFolder:
    """Creates the folder of a run with a run.json."""
    folder = RunFolder(workspace.checkpoints / name)
    folder.path.mkdir(parents=True)
    created = f"2026-01-{1 + number % 28:02d}T{number % 24:02d}:00:{number % 60:02d}+00:00"
    config = RunConfig(hidden=64 + number % 100)
    info = RunInfo(
        run=name, config=config, corpus_sha256="0" * 64, rnnplay="1", torch="2", created=created, parameters=1,
        vocabulary=65,
    )  # fmt: skip
    (folder.path / "run.json").write_bytes(encode_info(info))
    return folder


def metrics(folder: Path, _: argparse.Namespace) -> Iterator[str]:
    """Measures the first and the second opening of a metrics.jsonl of two million steps."""
    workspace = Workspace(folder).create()
    run = run_in(workspace, "long")
    with run.log.path.open("wb") as file:
        for first in range(1, STEPS + 1, 10_000):
            for step in range(first, first + 10_000, 200):
                steps = [
                    Step(
                        step=number, loss=1 + number % 977 / 977, grad_norm=number % 631 / 631,
                        grad_norm_clipped=number % 631 / 700, clipped=number % 2 == 0, lr=0.00123456789,
                        tokens=2048 * number, tokens_per_second=61234.5,
                    )
                    for number in range(step, step + 200)
                ]  # fmt: skip
                validation = Validation(step=step + 199, loss=1.5, perplexity=4.5, bits_per_character=2.2)
                file.write(encode_lines([*steps, validation]))
    for when in ("first", "again"):
        command = [sys.executable, "-c", LOAD, str(run.path), str(workspace.cache)]
        yield f"{when}: {subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()}"


def runs(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """Measures listing many runs in the interface and on the command line."""
    workspace = Workspace(folder).create()
    for number in range(options.runs):
        run = run_in(workspace, f"tales-lstm-256-{number:05d}", number)
        for step in (0, 100, 200):
            state = TrainingState(
                format=1, step=step, tokens=1, seconds=1.0, epoch=0.1, created=1.7e9 + number, feed={},
                validations=ValidationHistory(best_loss=1.5, best_step=step, last_loss=1.5, last_step=step),
                live={}, device="cpu",
                precision="float32", threads=1, metrics_bytes=0, sha256={},
            )  # fmt: skip
            run.checkpoint_path(step).mkdir()
            (run.checkpoint_path(step) / "state.json").write_bytes(encode_state(state))
    time.sleep(2.5)  # reads again what has just changed
    for when in ("first", "again"):
        with Terminal(rnnplay_command("--workspace", str(folder)), env=settings(folder)) as terminal:
            terminal.wait_for("Train", 60)
            began = time.monotonic()
            terminal.send("o")
            terminal.wait_for("tales-lstm-256-", 60)
            yield f"interface, {when}: {time.monotonic() - began:.2f} s until runs are on screen"
            terminal.send("\x1b")
            terminal.read(0.5)
            terminal.send("\x11")
            terminal.wait_for_exit()
        for command in (["runs"], ["runs", "--json"]):
            began = time.monotonic()
            subprocess.run(rnnplay_command(*command, "--workspace", str(folder)), capture_output=True, check=True)
            yield f"rnnplay {' '.join(command)}, after it: {time.monotonic() - began:.2f} s"


def characters(folder: Path, _: argparse.Namespace) -> Iterator[str]:
    """Measures a text of a million distinct characters in lines, up to its first step."""
    points = [point for point in range(0x21, 0x110000) if not 0xD800 <= point < 0xE000][:DISTINCT]
    text = folder / "many.txt"
    lines = ("".join(map(chr, points[at : at + 60])) for at in range(0, DISTINCT, 60))
    text.write_text("\n".join(lines), encoding="utf-8")
    options = ("--corpus", str(text), "--hidden", "16", "--embedding", "16", "--batch-size", "4", "--bptt", "16")
    command = rnnplay_command("train", "--workspace", str(folder), *options, "--steps", "1", "--json")
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings(folder)}
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            kind = line.split('"')[3]
            if kind in ("started", "step", "validation", "finished"):
                yield f"{kind}: {time.monotonic() - began:.1f} s"


def log(folder: Path, _: argparse.Namespace) -> Iterator[str]:
    """Measures engine.log while a library prints 200 MB."""
    place = folder / "engine.log"
    subprocess.run([sys.executable, "-c", FLOOD, str(place)], check=True)
    yield f"{place.stat().st_size / 1e6:.2f} MB are left of 200"


def records(folder: Path, _: argparse.Namespace) -> Iterator[str]:
    """Measures what a thousand steps add to metrics.jsonl."""
    options = ("--preset", "tiny", "--steps", "1000", "--run", "one")
    subprocess.run(rnnplay_command("train", "--workspace", str(folder), *options), capture_output=True, check=True)
    size = (folder / "checkpoints" / "one" / "metrics.jsonl").stat().st_size
    yield f"{size / 1000:.0f} kB for 1,000 steps"


def memory(_: Path, options: argparse.Namespace) -> Iterator[str]:
    """Measures the interface's memory under random keys and sizes."""
    found = play(60 * options.minutes, seed=1)
    yield f"MB, every minute of {options.minutes:g}: {', '.join(f'{one:.0f}' for one in found[::6])}"
    yield f"at the end {found[-1]:.0f} MB"


def settings(folder: Path) -> dict[str, str]:
    """Returns an environment with settings of its own, instead of the user's."""
    return {"RNNPLAY_CONFIG": str(folder / "settings.json")}


GROUPS: dict[str, Callable[[Path, argparse.Namespace], Iterator[str]]] = {
    "metrics": metrics, "runs": runs, "characters": characters, "log": log, "records": records, "memory": memory,
}  # fmt: skip


def main() -> None:
    parser = options_of("benchmarks.interface.costs", __doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help=f"any of {', '.join(GROUPS)}, separated by commas")
    parser.add_argument("--minutes", type=float, default=10, help="minutes of random keys")
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    chosen = [name.strip() for name in options.only.split(",")]
    if unknown := [name for name in chosen if name not in GROUPS]:
        parser.error(f"--only has {', '.join(unknown)}; choose of {', '.join(GROUPS)}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in chosen:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for line in GROUPS[name](Path(folder), options):
                print(f"{name}: {line}", flush=True)


if __name__ == "__main__":
    main()
