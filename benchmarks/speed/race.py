"""Measures what a race costs and whether it is fair: an RNN against an LSTM, and turns of several lengths.

    python -m benchmarks.speed.race [--seconds 60] [--rounds 1] [--text FILE] [--only race,turns]
        [--turns 0.25,0.5,1,2,4]

race:  both at the same time, as `rnnplay race` trains them, and the same two as plain processes of `rnnplay train
       --threads 1` at the same time: tokens per second by the clock and by processor time (of the race's own process,
       too), how far apart the two of the race are, and whether each loss is that of the plain process, bit for bit
turns: RNN, GRU and LSTM on two cores by turns of equal seconds, of each length: how busy the cores are, and tokens per
       second; then by turns of equal steps and tokens

Speeds are those of metrics.jsonl, from two seconds after the start on. Let nothing else run; processor time tells what
a race costs also beside other programs. In every second round the plain processes come first.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import options_of
from benchmarks.measures import cpu_seconds
from benchmarks.speed.cores import RunSpeed, Training
from benchmarks.speed.race_interface import SETTLED_SECONDS, Raced, in_interface
from rnnplay.config import RunConfig, with_values
from rnnplay.engine import messages
from rnnplay.experiments.engines import RaceEngines
from rnnplay.experiments.race import Entry, Race
from rnnplay.experiments.race_names import run_names
from rnnplay.experiments.race_plan import plan_race
from rnnplay.experiments.sharing import TURN_SECONDS, Share
from rnnplay.experiments.variants import vary
from rnnplay.model.hardware import describe_machine
from rnnplay.presets import preset_config
from rnnplay.runs.folder import RunFolder, names_in
from rnnplay.runs.metrics.records import Step
from rnnplay.workspace import Workspace

Way = Callable[[Workspace, RunConfig, float], Raced]
"""Races an RNN against an LSTM for so many seconds, without the interface or in it."""


def headless(workspace: Workspace, setup: RunConfig, seconds: float) -> Raced:
    """Races as `rnnplay race` does."""
    return asyncio.run(raced(workspace, setup, ("rnn", "lstm"), None, seconds))


WAYS: dict[str, Way] = {"headless": headless, "interface": in_interface}


async def raced(
    workspace: Workspace,
    setup: RunConfig,
    cells: Sequence[str],
    share: Share | None,
    seconds: float,
    turn_seconds: float = TURN_SECONDS,
) -> Raced:
    """Races `cells` on two cores; stops after `seconds` by the clock from when all have begun."""
    plan = plan_race(setup, vary(setup, {"cell": list(cells)}), cores=2, share=share)
    races = plan.races()
    race = Race(plan, races[0], run_names(races, names_in(workspace.checkpoints))[0], turn_seconds)
    speeds = [RunSpeed(workspace.checkpoints / entry.run) for entry in race.entries]
    apart = 0.0

    def heard(_entry: Entry, _event: messages.Event) -> None:
        nonlocal apart
        values = [entry.progress.reached.of(race.sharing.measure) for entry in race.entries]
        if min(entry.progress.reached.seconds for entry in race.entries) > SETTLED_SECONDS:
            apart = max(apart, max(values) - min(values))

    engines = RaceEngines(race, workspace, heard)
    running = asyncio.create_task(engines.run())
    while not all(entry.progress.last is not None or entry.over for entry in race.entries):
        await asyncio.sleep(0.02)
    await asyncio.sleep(SETTLED_SECONDS)
    await asyncio.gather(*(asyncio.to_thread(speed.mark) for speed in speeds))
    measured = [os.getpid(), *engines.pids]
    began, before = time.perf_counter(), sum(entry.progress.reached.seconds for entry in race.entries)
    tokens, cpu = sum(entry.progress.reached.tokens for entry in race.entries), cpu_seconds(*measured)
    await asyncio.sleep(seconds)
    after, lasted = sum(entry.progress.reached.seconds for entry in race.entries), time.perf_counter() - began
    cpu = cpu_seconds(*measured) - cpu
    tokens = sum(entry.progress.reached.tokens for entry in race.entries) - tokens
    reached = [entry.progress.reached for entry in race.entries]
    await asyncio.gather(*(asyncio.to_thread(speed.mark) for speed in speeds))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return Raced(
        runs=[entry.run for entry in race.entries],
        reached=reached,
        speeds=[speed.speed() for speed in speeds],
        cpu_speed=tokens / cpu,
        apart=apart,
        busy=(after - before) / lasted,
        ended=[entry.why or entry.state for entry in race.entries],
    )


def plain(workspace: Workspace, setup: RunConfig, seconds: float) -> tuple[list[str], list[float], float]:
    """Trains both as processes of `rnnplay train` on one thread each at the same time.

    Returns their runs, their tokens per second by the clock, and those of both per second of processor time.
    """
    options = [f"--{name.replace('_', '-')}={getattr(setup, name)}" for name in ("corpus", "schedule", "eval_every")]
    with contextlib.ExitStack() as stack:
        both = [
            stack.enter_context(
                Training(workspace.root, "--preset", "quick", "--threads", "1", "--cell", cell, *options)
            )
            for cell in ("rnn", "lstm")
        ]
        for training in both:
            training.wait()
        time.sleep(SETTLED_SECONDS)
        pids = [training.pid for training in both]
        for training in both:
            training.mark()
        began, cpu = time.perf_counter(), cpu_seconds(*pids)
        time.sleep(seconds)
        cpu, lasted = cpu_seconds(*pids) - cpu, time.perf_counter() - began
        for training in both:
            training.mark()
    speeds = [training.speed() for training in both]
    return [training.name for training in both], speeds, sum(speeds) * lasted / cpu


def losses(workspace: Workspace, run: str) -> list[float]:
    """The losses of all steps of a run."""
    metrics = RunFolder(workspace.checkpoints / run).metrics()
    return [record.loss for record in metrics if isinstance(record, Step)]


def identical(workspace: Workspace, run: str, other: str) -> str:
    """Says for how many steps two runs have the same losses."""
    pairs = list(zip(losses(workspace, run), losses(workspace, other), strict=False))
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return f"{same:,} of {len(pairs):,} steps"


def compare(way: str, workspace: Workspace, setup: RunConfig, seconds: float, plain_first: bool) -> None:
    """Compares a race with plain processes."""
    first = plain(workspace, setup, seconds) if plain_first else None
    race = WAYS[way](workspace, setup, seconds)
    runs, speeds, cpu_speed = first or plain(workspace, setup, seconds)
    one, two = race.reached
    print(
        f"{way}: {race.speeds[0] / 1e3:.1f}k + {race.speeds[1] / 1e3:.1f}k = {sum(race.speeds) / 1e3:.1f}k tokens/s; "
        f"plain processes {speeds[0] / 1e3:.1f}k + {speeds[1] / 1e3:.1f}k = {sum(speeds) / 1e3:.1f}k; race / plain: "
        f"{sum(race.speeds) / sum(speeds):.3f} by the clock, {race.cpu_speed / cpu_speed:.3f} by processor time",
        flush=True,
    )
    print(
        f"{way}: seconds trained {one.seconds:.2f} and {two.seconds:.2f} "
        f"({abs(one.seconds - two.seconds) / max(one.seconds, two.seconds):.2%} apart); "
        f"tokens {one.tokens:,} and {two.tokens:,}; losses identical to plain processes: RNN "
        f"{identical(workspace, race.runs[0], runs[0])}, LSTM {identical(workspace, race.runs[1], runs[1])}; {load()}",
        flush=True,
    )


def turns(workspace: Workspace, setup: RunConfig, seconds: float, lengths: Sequence[float]) -> None:
    """Measures turns of several lengths, then those of equal steps and tokens."""
    kinds: list[tuple[Share, float]] = [("seconds", length) for length in lengths]
    kinds += [("steps", TURN_SECONDS), ("tokens", TURN_SECONDS), ("threads", TURN_SECONDS)]
    for share, length in kinds:
        race = asyncio.run(raced(workspace, setup, ("rnn", "gru", "lstm"), share, seconds, length))
        each = " + ".join(f"{speed / 1e3:.1f}k" for speed in race.speeds)
        print(
            f"three by {share}, turns of {length:g} s: {race.busy:.2f} cores busy, {each} = "
            f"{sum(race.speeds) / 1e3:.1f}k tokens/s, {race.cpu_speed / 1e3:.1f}k per second of processor time, "
            f"at most {race.apart:,.1f} apart; {load()}",
            flush=True,
        )


def load() -> str:
    """The machine's load of the last minute."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def main() -> None:
    parser = options_of("benchmarks.speed.race", __doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--text", type=Path, help="a text to train on; default: tales")
    parser.add_argument("--only", default="race,turns", help="race, turns, or both separated by a comma")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"any of {', '.join(WAYS)}, separated by commas")
    parser.add_argument("--turns", default="0.25,0.5,1,2,4", help="lengths in seconds")
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cores']}; torch {machine['torch']}; {load()}", flush=True)
    corpus = str(options.text.resolve()) if options.text else "tales"
    setup = with_values(
        preset_config("quick"), {"corpus": corpus, "minutes": 60.0, "schedule": "constant", "eval_every": 200}
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, contextlib.suppress(KeyboardInterrupt):
        workspace = Workspace(Path(folder)).create()
        if "race" in options.only.split(","):
            for number, way in itertools.product(range(options.rounds), options.ways.split(",")):
                compare(way, workspace, setup, options.seconds, plain_first=number % 2 == 1)
        if "turns" in options.only.split(","):
            turns(workspace, setup, options.seconds, [float(length) for length in options.turns.split(",")])


if __name__ == "__main__":
    main()
