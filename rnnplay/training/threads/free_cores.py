"""The cores that no other program uses, from what the clocks of the system say of two moments."""

from __future__ import annotations

import time
from typing import NamedTuple

import psutil

from rnnplay.common.processors import physical_cores, processors
from rnnplay.model.hardware import use_threads

BUSY = 0.4
"""In cores. A program that computes all the time and shares a core with one of our threads gets half a core."""
CALM = 0.25
"""Fraction of a core that may be used while it counts as free.

The interface takes 0.05 to 0.1 for drawing new records.
"""


class Reading(NamedTuple):
    """What the clocks read at one moment, in seconds."""

    seconds: float
    """Wall-clock time."""
    own: float
    """Processor time of this process, all threads."""
    busy: float
    """Processor time of all programs, on the processors that this process may use."""


def read_clocks() -> Reading:
    """Reads the clocks. Where the system does not report the time of all programs, the others seem to use none."""
    own = time.process_time()
    try:
        times = psutil.cpu_times(percpu=True)
        allowed = [times[number] for number in processors() if number < len(times)]
    except (OSError, RuntimeError, NotImplementedError):
        return Reading(time.monotonic(), own, own)
    # Guests are counted under user as well, and a guest of this machine uses its processors.
    idle = ("idle", "iowait", "guest", "guest_nice")
    busy = sum(value for one in allowed for name, value in one._asdict().items() if name not in idle)
    return Reading(time.monotonic(), own, busy)


def others(before: Reading, after: Reading) -> float:
    """Cores that other programs used between two readings, on average."""
    seconds = after.seconds - before.seconds
    return max(0.0, ((after.busy - before.busy) - (after.own - before.own)) / seconds) if seconds > 0 else 0.0


def free_cores(cores: int, taken: float, allowed: int | None = None) -> int:
    """How many of `cores` a program may use while others use `taken` of the `allowed` processors (None: as many).

    There may be more processors than cores to use: two may share a core, or OMP_NUM_THREADS may leave the rest to
    others.
    """
    return max(1, min(cores, int((cores if allowed is None else allowed) - taken + CALM)))


def use_free_cores(look_seconds: float = 0.1) -> int:
    """Sets the number of threads of a command that takes seconds and does not train; returns it.

    With two threads beside a busy program an evaluation took many times as long as with one. The cores are checked only
    once, as these commands are short; and so all of an evaluation is added up in the same order, whatever starts beside
    it.
    """
    cores = physical_cores()
    if cores == 1:
        return use_threads(1)
    before = read_clocks()
    time.sleep(look_seconds)
    return use_threads(free_at_once(cores, others(before, read_clocks())))


def free_at_once(cores: int, taken: float) -> int:
    """Cores that are free according to one short reading, in which little use may be none."""
    return free_cores(cores, taken, len(processors())) if taken > BUSY else cores
