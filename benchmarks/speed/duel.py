"""Compares two trainings: turns of a second or so, A B A B, each in its own process, and the medians."""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
from types import TracebackType
from typing import NamedTuple

from benchmarks.speed.baselines import Shape


class Turn(NamedTuple):
    """One turn of one side."""

    tokens: int
    seconds: float
    cpu_seconds: float


class Outcome(NamedTuple):
    """Medians over the turns."""

    speed: float
    """Tokens per second of the first, by the clock."""
    baseline: float
    """Tokens per second of the second, by the clock."""
    ratio: float
    """Median of the turns' ratios, by the clock."""
    cpu_ratio: float
    """The same by processor time, which other programs disturb much less; equal work on one thread."""


class Contender:
    """A process of benchmarks.speed.contender."""

    def __init__(self, name: str, shape: Shape, threads: int, precision: str = "float32") -> None:
        command = [sys.executable, "-m", "benchmarks.speed.contender", name, json.dumps(dataclasses.asdict(shape))]
        command += ["--threads", str(threads), "--precision", precision]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Contender:
        if self._read().strip() != "ready":
            raise RuntimeError("a contender did not start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def run(self, seconds: float) -> Turn:
        """Trains for that long."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return Turn(*json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def duel(first: Contender, second: Contender, rounds: int, seconds: float) -> Outcome:
    """Measures `first` relative to `second`."""
    pairs: list[tuple[Turn, Turn]] = []
    with first, second:
        for number in range(rounds):
            if number % 2:  # the second of a pair inherits a warmer machine, so they alternate
                other = second.run(seconds)
                pairs.append((first.run(seconds), other))
            else:
                pairs.append((first.run(seconds), second.run(seconds)))
    return Outcome(
        speed=statistics.median(one.tokens / one.seconds for one, _ in pairs),
        baseline=statistics.median(other.tokens / other.seconds for _, other in pairs),
        ratio=statistics.median((a.tokens / a.seconds) / (b.tokens / b.seconds) for a, b in pairs),
        cpu_ratio=statistics.median((a.tokens / a.cpu_seconds) / (b.tokens / b.cpu_seconds) for a, b in pairs),
    )
