"""What several benchmarks measure: processor time and memory of processes, percentiles."""

from __future__ import annotations

from collections.abc import Sequence

import psutil


def percentile(values: Sequence[float], fraction: float) -> float:
    """Returns the value below which `fraction` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def cpu_seconds(*pids: int) -> float:
    """Returns the user and system time of these processes so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(one.user + one.system for one in times)


def resident_mb(pid: int | None = None) -> float:
    """Returns the resident memory of a process, of this one by default, in MB."""
    return float(psutil.Process(pid).memory_info().rss / 1e6)
