"""Measures how trainings share the cores: one alone, two at once, one that joins later, and one beside another program.

    python -m benchmarks.speed.cores [--seconds 20] [--rounds 3] [--text FILE] [--only alone,bare,two,later,beside]

All as users run it: `rnnplay train` in its own process, with its own choice of threads. Tokens per second are those
that reach metrics.jsonl between two moments by the clock, so the time between steps counts too. Let nothing else run.

alone:  each preset with its defaults, over the best of all fixed spins and threads, in turns
bare:   an LSTM in float32, and where it is native in bfloat16, over a bare loop of nn.LSTM with torch's own defaults
two:    two trainings that begin together: the sum of both over one alone
later:  a second that begins later and ends first: their sum, and how soon the first is back at its speed
beside: a training beside a program that keeps a core busy, over one thread alone
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import torch

from benchmarks import options_of
from benchmarks.speed.baselines import Shape, bare_loop
from rnnplay.model.hardware import describe_machine, native_bfloat16
from tests.support.terminal import rnnplay_command

QUICK = ("--preset", "quick")
PRESETS = {"quick": QUICK, "shakespeare-2min": ("--preset", "shakespeare-2min")}
SHAPES = (Shape("lstm", 2, 128, batch=50, bptt=50), Shape("lstm", 1, 256))
SPINS = ("200", "10000", "300000")
"""Values of GOMP_SPINCOUNT; the last is libgomp's default if there are no more threads than processors."""
BUSY = "while True: pass"

SETTLED_SECONDS = 7.0

_numbers = itertools.count(1)


class RunSpeed:
    """Measures a run's tokens per second from what reaches its metrics.jsonl between two moments."""

    def __init__(self, folder: Path) -> None:
        self.metrics = folder / "metrics.jsonl"
        self._marks: list[tuple[float, int]] = []

    def mark(self) -> None:
        """Waits until records next reach the file, about every second, and marks that moment."""
        size = self._size()
        while (grown := self._size()) == size:
            time.sleep(0.005)
        self._marks.append((time.perf_counter(), grown))

    def mark_now(self) -> None:
        """Marks this moment, at which records have just reached the file."""
        self._marks.append((time.perf_counter(), self._size()))

    def speed(self, first: int = -2, last: int = -1) -> float:
        """Returns tokens per second between two marks."""
        (began, start), (ended, end) = self._marks[first], self._marks[last]
        with self.metrics.open("rb") as file:
            whole = file.read(end)
        lines = whole[whole.rfind(b"\n", 0, start) + 1 : whole.rfind(b"\n") + 1].splitlines()
        tokens = [record["tokens"] for record in map(json.loads, lines) if record["type"] == "step"]
        return float((tokens[1] - tokens[0]) * len(tokens) / (ended - began))

    def _size(self) -> int:
        return self.metrics.stat().st_size if self.metrics.exists() else 0


class Training(RunSpeed):
    """A process of `rnnplay train`."""

    def __init__(self, workspace: Path, *arguments: str, spin: str | None = None) -> None:
        self.name = f"run-{next(_numbers)}"
        super().__init__(workspace / "checkpoints" / self.name)
        environment = dict(os.environ)
        environment.pop("GOMP_SPINCOUNT", None)
        if spin:
            environment["GOMP_SPINCOUNT"] = spin
        options = ("--workspace", str(workspace), "train", "--run", self.name, "--minutes", "60", "--eval-every", "0")
        command, quiet = rnnplay_command(*options, *arguments), subprocess.DEVNULL
        self._process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def __enter__(self) -> Training:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    def wait(self, seconds: float = 60.0) -> None:
        """Waits until the first steps are on disk."""
        end = time.monotonic() + seconds
        while not (self.metrics.exists() and self.metrics.stat().st_size):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("a training did not start")
            time.sleep(0.02)

    def threads(self) -> list[int]:
        """Returns the numbers of threads that it changed to."""
        records = map(json.loads, self.metrics.read_text().splitlines())
        return [record["threads"] for record in records if record["type"] == "threads"]


def measured(workspace: Path, seconds: float, *arguments: str, spin: str | None = None) -> float:
    """Measures tokens per second of one training after the number of threads was chosen again, which is after 5 s."""
    with Training(workspace, *arguments, spin=spin) as training:
        training.wait()
        time.sleep(SETTLED_SECONDS)
        training.mark()
        time.sleep(seconds)
        training.mark()
        return training.speed()


def alone(workspace: Path, text: tuple[str, ...], seconds: float, rounds: int) -> Iterator[str]:
    """Compares the default with the best of the fixed settings."""
    for name, preset in PRESETS.items():
        fixed = [("200", 1), *itertools.product(SPINS, (2,))] if cores() > 1 else [("200", 1)]
        speeds: dict[str, list[float]] = {}
        for _ in range(rounds):
            speeds.setdefault("default", []).append(measured(workspace, seconds, *preset, *text))
            for spin, threads in fixed:
                label = f"{threads} thread(s), spin {spin}"
                given = (*preset, *text, "--threads", str(threads))
                speeds.setdefault(label, []).append(measured(workspace, seconds, *given, spin=spin))
        medians = {label: statistics.median(found) for label, found in speeds.items()}
        ours = medians.pop("default")
        best = max(medians, key=medians.__getitem__)
        table = ", ".join(f"{label} {speed / 1e3:.1f}k" for label, speed in medians.items())
        yield f"{name} alone: {ours / 1e3:.1f}k tokens/s; {table}; default / best ({best}): {ours / medians[best]:.2f}"


def bare(workspace: Path, text: tuple[str, ...], seconds: float, rounds: int) -> Iterator[str]:
    """Compares with nn.LSTM in a plain loop."""
    precisions = ["float32", "bfloat16"] if native_bfloat16(torch.device("cpu")) else ["float32"]
    for shape, precision in itertools.product(SHAPES, precisions):
        ratios = []
        sizes = ("--layers", str(shape.layers), "--hidden", str(shape.hidden), "--embedding", str(shape.hidden))
        batch = ("--batch-size", str(shape.batch), "--bptt", str(shape.bptt), "--precision", precision)
        for number in range(rounds):
            sides: list[Callable[[], float]] = [
                lambda: measured(workspace, seconds, *sizes, *batch, *text),  # noqa: B023 (called in this turn)
                lambda: bare_speed(shape, seconds),  # noqa: B023
            ]
            found = [side() for side in (sides if number % 2 else sides[::-1])]
            ours, theirs = found if number % 2 else found[::-1]
            ratios.append((ours / theirs, ours, theirs))
        ratio, ours, theirs = sorted(ratios)[len(ratios) // 2]
        yield (
            f"{shape.name}, batch {shape.batch}, bptt {shape.bptt}, {precision}: {ours / 1e3:.1f}k over the bare "
            f"float32 loop's {theirs / 1e3:.1f}k: {ratio:.2f} ({', '.join(f'{one[0]:.2f}' for one in ratios)})"
        )


def bare_speed(shape: Shape, seconds: float) -> float:
    """Measures tokens per second of the plain loop, in a process without rnnplay's environment variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-m", "benchmarks.speed.cores", "--loop", str(seconds)]
    command += [str(value) for value in (shape.layers, shape.hidden, shape.batch, shape.bptt)]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def loop(seconds: float, layers: int, hidden: int, batch: int, bptt: int) -> float:
    """Measures tokens per second of the plain loop in this process, with torch's own number of threads."""
    step = bare_loop(Shape("lstm", layers, hidden, batch=batch, bptt=bptt))
    warm = time.perf_counter() + 2
    while time.perf_counter() < warm:
        step()
    tokens, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        tokens += step()
    return tokens / (time.perf_counter() - began)


def two(workspace: Path, text: tuple[str, ...], seconds: float, rounds: int) -> Iterator[str]:
    """Measures two trainings at once."""
    ratios = []
    for _ in range(rounds):
        one = measured(workspace, seconds, *QUICK, *text)
        with Training(workspace, *QUICK, *text) as first, Training(workspace, *QUICK, *text) as second:
            for training in (first, second):
                training.wait()
            time.sleep(2)
            for training in (first, second):
                training.mark()
            time.sleep(seconds)
            for training in (first, second):
                training.mark()
            ratios.append(((first.speed() + second.speed()) / one, one, first.speed(), second.speed()))
    ratio, one, a, b = sorted(ratios)[len(ratios) // 2]
    yield f"two at once: {a / 1e3:.1f}k + {b / 1e3:.1f}k, one alone {one / 1e3:.1f}k: {ratio:.2f}"


def later(workspace: Path, text: tuple[str, ...], seconds: float, rounds: int) -> Iterator[str]:
    """Measures a second training that begins later and ends first."""
    ratios, backs = [], []
    for _ in range(rounds):
        with Training(workspace, *QUICK, *text) as first:
            first.wait()
            time.sleep(2)
            first.mark()
            time.sleep(seconds)
            first.mark()
            before = first.speed()
            with Training(workspace, *QUICK, *text) as second:
                second.wait()
                first.mark()
                second.mark()
                time.sleep(seconds)
                first.mark()
                second.mark()
                ratios.append(((first.speed() + second.speed()) / before, before, first.speed(), second.speed()))
            gone = time.monotonic()
            first.mark()
            while time.monotonic() - gone < 30:
                first.mark()
                if first.speed() >= 0.9 * before:
                    break
            backs.append(time.monotonic() - gone)
    ratio, before, a, b = sorted(ratios)[len(ratios) // 2]
    yield (
        f"a second begins later: {a / 1e3:.1f}k + {b / 1e3:.1f}k, one alone {before / 1e3:.1f}k: {ratio:.2f}; "
        f"after its end the first is back at 0.9 of its speed within {max(backs):.1f} s "
        f"({', '.join(f'{back:.1f}' for back in backs)})"
    )


def beside(workspace: Path, text: tuple[str, ...], seconds: float, rounds: int) -> Iterator[str]:
    """Measures a training beside a program that keeps a core busy."""
    ratios = []
    for _ in range(rounds):
        one = measured(workspace, seconds, *QUICK, *text, "--threads", "1")
        with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
            try:
                ratios.append((measured(workspace, seconds, *QUICK, *text) / one, one))
            finally:
                busy.kill()
    ratio, one = sorted(ratios)[len(ratios) // 2]
    yield f"beside a busy program: {ratio * one / 1e3:.1f}k, on one thread alone {one / 1e3:.1f}k: {ratio:.2f}"


def cores() -> int:
    """Returns the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


GROUPS = {"alone": alone, "bare": bare, "two": two, "later": later, "beside": beside}


def main() -> None:
    if sys.argv[1:2] == ["--loop"]:
        seconds, *sizes = sys.argv[2:]
        print(loop(float(seconds), *map(int, sizes)))
        return
    parser = options_of("benchmarks.speed.cores", __doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", type=Path, help="a text to train on; default: tales")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"any of {', '.join(GROUPS)}, separated by commas")
    options = parser.parse_args()
    machine = describe_machine()
    print(
        f"{machine['cpu']}, {machine['cores']}, bfloat16 {machine['cpu bfloat16']}; torch {machine['torch']}; ", end=""
    )
    print(f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "", flush=True)
    text = ("--corpus", str(options.text.resolve())) if options.text else ()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, contextlib.suppress(KeyboardInterrupt):
        for name in options.only.split(","):
            for line in GROUPS[name.strip()](Path(folder), text, options.seconds, options.rounds):
                print(line, flush=True)


if __name__ == "__main__":
    main()
