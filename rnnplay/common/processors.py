"""Counts the processors and cores that this process may use."""

from __future__ import annotations

import os
import sys


def physical_cores() -> int:
    """Number of cores this process may run on (hyper-threads of one core count once); at most OMP_NUM_THREADS."""
    allowed = len(processors())
    return max(1, min(allowed, _cores() or allowed, _openmp_limit()))


def share_of_cores(processes: int) -> int:
    """Number of cores that each of `processes` on this host gets; at least 1, at most OMP_NUM_THREADS.

    An OMP_NUM_THREADS of 1 says nothing: torchrun sets it to that unless the user has set it.
    """
    allowed = len(processors())
    cores = min(allowed, _cores() or allowed)
    limit = _openmp_limit()
    return max(1, min(cores // processes, limit if limit > 1 else cores))


def processors() -> list[int]:
    """Numbers of the processors this process may run on, including all hyper-threads of a core."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _cores() -> int | None:
    import psutil  # commands that only ask which processors there are start without it

    return psutil.cpu_count(logical=False)


def _openmp_limit() -> int:
    """The limit in OMP_NUM_THREADS, by which a user or a batch system says how much of a machine to use."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else sys.maxsize
