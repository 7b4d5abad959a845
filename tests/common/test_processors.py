"""How many cores there are to use."""

from __future__ import annotations

import os

import pytest

from rnnplay.common.processors import physical_cores


def test_no_more_threads_than_openmp_is_told_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for value, cores in (("1", 1), ("8,2", 8), ("", 64), ("many", 64), ("0", 64), ("128", 64)):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert physical_cores() == cores
