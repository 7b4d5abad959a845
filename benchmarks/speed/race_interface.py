"""Races an RNN against an LSTM in the interface, in a pseudo-terminal as a user does: speed, fairness, echo of keys.

A way of `benchmarks.speed.race`: python -m benchmarks.speed.race --only race --ways interface
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import psutil

from benchmarks.interface.driving import leave, measure_echo, settle
from benchmarks.measures import cpu_seconds, percentile
from benchmarks.speed.cores import RunSpeed
from rnnplay.config import RunConfig
from rnnplay.experiments.sharing import Reached
from rnnplay.presets import save_preset
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.folder import RunFolder, names_in
from rnnplay.workspace import Workspace
from tests.support.terminal import Terminal, rnnplay_command

CELLS = ("rnn", "lstm")
KEYS = 200
COLUMNS, ROWS = 120, 40
ENTER, DOWN = "\r", "\x1b[B"


SETTLED_SECONDS = 2.0


class Raced(NamedTuple):
    """What the variants of a race did."""

    runs: list[str]
    reached: list[Reached]
    speeds: list[float]
    """Tokens per second by the clock, while all of them trained."""
    cpu_speed: float
    """Tokens of all per second of processor time, of the race's own process, too."""
    apart: float
    """Most that two were apart at any time, in the measure of the turns, after the first seconds."""
    busy: float
    """Seconds of training of all variants per second by the clock."""
    ended: list[str]


def in_interface(workspace: Workspace, setup: RunConfig, seconds: float) -> Raced:
    """Races for `seconds` by the clock from when both train; prints the echo of keys typed into the prompt after it."""
    save_preset("race-bench", setup, workspace.presets)
    before = set(names_in(workspace.checkpoints))
    command = rnnplay_command("--workspace", str(workspace.root), "--preset", "race-bench")
    with Terminal(command, COLUMNS, ROWS, env={"RNNPLAY_CONFIG": str(workspace.root / "settings.json")}) as terminal:
        terminal.wait_for("ready", 60)
        _plan(terminal)
        terminal.wait_for("2 of 2 training", 120)
        runs = _runs(workspace, before)
        speeds = [RunSpeed(workspace.checkpoints / run) for run in runs]
        settle(terminal, SETTLED_SECONDS, draw=False)
        interface = psutil.Process(terminal.process.pid)
        engines = [one.pid for one in interface.children(recursive=True)]
        pids = [interface.pid, *engines]
        for speed in speeds:
            _mark(terminal, speed)
        began, cpu, own = time.perf_counter(), cpu_seconds(*pids), cpu_seconds(interface.pid)
        sent = terminal.bytes_read
        settle(terminal, seconds, draw=False)
        lasted = time.perf_counter() - began
        cpu, own, sent = cpu_seconds(*pids) - cpu, cpu_seconds(interface.pid) - own, terminal.bytes_read - sent
        for speed in speeds:
            _mark(terminal, speed)
        terminal.send("g")
        settle(terminal, 1.0)
        echo = measure_echo(terminal, KEYS)
        terminal.send("\x1b")
        settle(terminal, 1.0)
        leave(terminal)
    print(
        f"interface: {own / lasted:.1%} of a core, {sent / lasted / 1e3:.1f} kB/s to the terminal; echo of {len(echo)} "
        f"keys while both train and answer: p50 {percentile(echo, 0.5) * 1e3:.1f} ms, "
        f"p99 {percentile(echo, 0.99) * 1e3:.1f} ms, max {max(echo) * 1e3:.1f} ms",
        flush=True,
    )
    reached = [_reached(workspace, run) for run in runs]
    found = [speed.speed() for speed in speeds]
    return Raced(
        runs=runs,
        reached=reached,
        speeds=found,
        cpu_speed=sum(found) * lasted / cpu,
        apart=abs(reached[0].seconds - reached[1].seconds),
        busy=float("nan"),
        ended=["stopped"] * len(runs),
    )


def _plan(terminal: Terminal) -> None:
    """Opens the dialog, varies the cell, and starts."""
    terminal.send("R")
    terminal.wait_for("what differs")
    for _ in range(5):
        terminal.send(DOWN)
        settle(terminal, 0.2)
    terminal.send(f"cell={','.join(CELLS)}")
    terminal.wait_for(f"cell={','.join(CELLS)}")
    settle(terminal, 0.5)
    terminal.send(ENTER)


def _mark(terminal: Terminal, speed: RunSpeed) -> None:
    """Marks the next growth of the run's records, reading the terminal meanwhile."""
    size = speed.metrics.stat().st_size
    _wait(terminal, lambda: speed.metrics.stat().st_size > size)
    speed.mark_now()


def _wait(terminal: Terminal, condition: Callable[[], bool]) -> None:
    while not condition():
        settle(terminal, 0.01, draw=False)


def _runs(workspace: Workspace, before: set[str]) -> list[str]:
    """The runs of the race, in the order of the cells."""
    new = set(names_in(workspace.checkpoints)) - before
    return [next(name for name in new if name.endswith(f"-{cell}")) for cell in CELLS]


def _reached(workspace: Workspace, run: str) -> Reached:
    """What a run had reached when it was stopped."""
    state = read_state(RunFolder(workspace.checkpoints / run).checkpoint("latest").path)
    return Reached(state.step, state.tokens, state.seconds)
