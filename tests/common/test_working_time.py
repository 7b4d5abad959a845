"""Time in which the process was stopped is left out; that of a long step counts. All on simulated clocks."""

from __future__ import annotations

import gc
import threading

import pytest

from rnnplay.common.working_time import GAP_SECONDS, INTERVAL_SECONDS, WorkingTime, stopped_seconds, working_time


class Machine:
    """Simulated clocks of the wall and of the processor."""

    def __init__(self) -> None:
        self.wall, self.runnable = 1000.0, {0: 50.0, 1: 3.0}
        self.time = WorkingTime(lambda: self.wall, lambda _: self.runnable)

    def works(self, seconds: float, fraction: float = 1.0, queued: float = 0.0, is_read: bool = True) -> None:
        """Advances while the process runs: its main thread on a fraction of a processor, the other partly waiting."""
        end = self.wall + seconds
        while self.wall < end:
            moved = min(INTERVAL_SECONDS, end - self.wall)
            self.wall += moved
            self.runnable = {0: self.runnable[0] + moved * fraction, 1: self.runnable[1] + moved * queued}
            if is_read:
                self.time()

    def stops(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_stop_is_left_out_to_within_an_interval(machine: Machine) -> None:
    began = machine.time()
    machine.works(3)
    machine.works(0.2, is_read=False)
    machine.stops(60)
    machine.works(3)
    assert machine.time() - began == pytest.approx(6.2, abs=INTERVAL_SECONDS)
    assert machine.time.stopped == pytest.approx(60, abs=INTERVAL_SECONDS)


def test_it_is_left_out_whichever_thread_reads_first(machine: Machine) -> None:
    began = machine.time()
    machine.stops(60)
    assert machine.time() - began == pytest.approx(0, abs=0.01), "the loop may read it before the thread does"


@pytest.mark.parametrize("fraction", [1.0, 0.02, 0.0], ids=["busy", "a busy machine", "waiting for a disk"])
def test_a_long_step_counts(machine: Machine, fraction: float) -> None:
    began = machine.time()
    machine.works(120, fraction)
    assert machine.time() - began == pytest.approx(120)


@pytest.mark.parametrize(("fraction", "queued"), [(1.0, 0.0), (0.01, 0.97)], ids=["one long call", "no processor free"])
def test_so_does_work_that_lets_no_thread_read(fraction: float, queued: float, machine: Machine) -> None:
    began = machine.time()
    machine.works(1)
    machine.works(10, fraction, queued, is_read=False)
    assert machine.time() - began == pytest.approx(11)


@pytest.mark.parametrize(
    ("wall", "runnable", "stopped"),
    [
        (GAP_SECONDS - 0.01, 0.0, 0.0),
        (GAP_SECONDS, 0.0, GAP_SECONDS),
        (10.0, 0.2, 9.8),
        (10.0, 9.9, 0.0),
        (10.0, 4.0, 0.0),
        (36_000.0, 1.0, 35_999.0),
    ],
)
def test_stopped_seconds(wall: float, runnable: float, stopped: float) -> None:
    assert stopped_seconds(wall, runnable) == pytest.approx(stopped)


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "working time"]


def ends(thread: threading.Thread) -> bool:
    thread.join(10)
    return not thread.is_alive()


class User:
    """Times something."""


def test_the_thread_runs_while_it_is_needed(machine: Machine) -> None:
    before = set(reading_threads())
    one, other = User(), User()
    machine.time.begin(one)
    machine.time.begin(other)
    (thread,) = set(reading_threads()) - before
    machine.time.end(one)
    assert thread.is_alive()
    machine.time.end(other)
    assert ends(thread)
    machine.time.begin(one)
    (again,) = set(reading_threads()) - before
    del one
    gc.collect()
    assert ends(again), "its user was garbage-collected without ending"


def test_the_thread_reads_the_clock_by_itself() -> None:
    readings = threading.Semaphore(0)

    def wall() -> float:
        readings.release()
        return 0.0

    assert working_time() <= working_time()
    ours = WorkingTime(wall, lambda _: {})
    while readings.acquire(blocking=False):
        pass
    user = User()
    ours.begin(user)
    assert readings.acquire(timeout=10) and readings.acquire(timeout=10)
    ours.end(user)
