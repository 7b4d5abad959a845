"""What is measured of a race, with and without the interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psutil

from rnnplay.experiments.sharing import Reached

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


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time of these processes so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(one.user + one.system for one in times)
