"""Checks that the conditions of the lessons hold: each lesson is played on many seeds.

    python -m benchmarks.quality.lessons [--seeds 10] [--first 1] [--only N] [--jobs 1]

For each lesson: on how many seeds every condition holds, the worst time, and for each condition the range measured.
A lesson trains on one thread, so that as many can be played side by side as there are cores (--jobs).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import options_of
from rnnplay.lessons.reader import lessons
from tests.support.terminal import rnnplay_command

NEEDED = 0.9
"""Fraction of seeds on which every condition has to hold."""


def play(lesson: int, seed: int) -> dict[str, Any]:
    """Returns the JSON of `rnnplay lessons run`."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RNNPLAY_CONFIG": str(Path(folder) / "settings.json")}
        command = rnnplay_command("lessons", "run", str(lesson), "--seed", str(seed), "--json")
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(f"lesson {lesson}, seed {seed}: exit code {done.returncode}")
    played: dict[str, Any] = json.loads(done.stdout)
    return played


def name(condition: dict[str, Any]) -> str:
    """Describes a condition in one line."""
    variants = condition["variant"]
    variants += f" - {condition['minus']}" if "minus" in condition else ""
    variants += f" / {condition['over']}" if "over" in condition else ""
    return f"{condition['metric']} of {variants} {condition['comparison']} {condition['value']:g}"


def number(measured: float | str | None) -> float:
    """Converts a measured value to a number; NaN if nothing was measured."""
    return float("nan") if measured is None else float(measured)


def bench(lesson: int, seeds: range, jobs: Executor) -> tuple[bool, float]:
    """Plays one lesson on all seeds; returns whether enough of them hold, and the worst time (s)."""
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    holding, worst = 0, 0.0
    for played in jobs.map(partial(play, lesson), seeds):
        holding += played["holds"]
        worst = max(worst, played["seconds"])
        for step, declared in enumerate(played["steps"], 1):
            for condition in declared["conditions"]:
                measured = (number(condition["measured"]), condition["holds"])
                found[f"step {step}: {name(condition)}"].append(measured)
    print(
        f"lesson {lesson}: every condition holds on {holding} of {len(seeds)} seeds; at most {worst:.0f} s", flush=True
    )
    for condition, values in found.items():
        numbers = sorted(value for value, _ in values)
        fails = sum(not holds for _, holds in values)
        print(
            f"    {condition}: {numbers[0]:.4g} … {numbers[-1]:.4g}" + (f"  FAILS on {fails}" if fails else ""),
            flush=True,
        )
    return holding >= NEEDED * len(seeds), worst


def main() -> None:
    parser = options_of("benchmarks.quality.lessons", __doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--only", type=int, help="one lesson")
    parser.add_argument("--jobs", type=int, default=1, help="how many to play at a time")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    began = time.monotonic()
    with ThreadPoolExecutor(max(1, options.jobs)) as jobs:
        numbers = [lesson.number for lesson in lessons() if options.only in (None, lesson.number)]
        results = [bench(number, seeds, jobs) for number in numbers]
    print(
        f"{sum(good for good, _ in results)} of {len(results)} lessons hold on {NEEDED:.0%} of their seeds; "
        f"all of them once take {sum(worst for _, worst in results) / 60:.1f} minutes at most; "
        f"{len(seeds)} seeds took {(time.monotonic() - began) / 60:.1f}"
    )


if __name__ == "__main__":
    main()
