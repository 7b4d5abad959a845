"""A process that stood still has not worked, however long its steps take otherwise; all by a clock of our own."""

from __future__ import annotations

import gc
import threading

import pytest

from rnnplay.common.working_time import BEAT_SECONDS, GAP_SECONDS, WorkingTime, stood_still, working_time


class Machine:
    """Clocks of the wall and of the processor, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.attended = 1000.0, {0: 50.0, 1: 3.0}
        self.time = WorkingTime(lambda: self.wall, lambda _: self.attended)

    def works(self, seconds: float, share: float = 1.0, queued: float = 0.0, looked_at: bool = True) -> None:
        """The process goes on, its main thread with that share of a processor, the other waiting for it so long."""
        end = self.wall + seconds
        while self.wall < end:
            moved = min(BEAT_SECONDS, end - self.wall)
            self.wall += moved
            self.attended = {0: self.attended[0] + moved * share, 1: self.attended[1] + moved * queued}
            if looked_at:
                self.time()

    def stands_still(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_stop_is_left_out_to_within_a_beat(machine: Machine) -> None:
    began = machine.time()
    machine.works(3)
    machine.works(0.2, looked_at=False)
    machine.stands_still(60)
    machine.works(3)
    assert machine.time() - began == pytest.approx(6.2, abs=BEAT_SECONDS)
    assert machine.time.still == pytest.approx(60, abs=BEAT_SECONDS)


def test_it_is_left_out_for_whoever_looks_first(machine: Machine) -> None:
    began = machine.time()
    machine.stands_still(60)
    assert machine.time() - began == pytest.approx(0, abs=0.01), "the loop may ask before the thread has its turn"


@pytest.mark.parametrize("share", [1.0, 0.02, 0.0], ids=["busy", "a busy machine", "waiting for a disk"])
def test_a_long_step_counts(machine: Machine, share: float) -> None:
    began = machine.time()
    machine.works(120, share)
    assert machine.time() - began == pytest.approx(120)


@pytest.mark.parametrize(("share", "queued"), [(1.0, 0.0), (0.01, 0.97)], ids=["one long call", "no turn to be had"])
def test_so_does_work_that_lets_no_thread_look(share: float, queued: float, machine: Machine) -> None:
    began = machine.time()
    machine.works(1)
    machine.works(10, share, queued, looked_at=False)
    assert machine.time() - began == pytest.approx(11)


@pytest.mark.parametrize(
    ("wall", "attended", "still"),
    [
        (GAP_SECONDS - 0.01, 0.0, 0.0),
        (GAP_SECONDS, 0.0, GAP_SECONDS),
        (10.0, 0.2, 9.8),
        (10.0, 9.9, 0.0),
        (10.0, 4.0, 0.0),
        (36_000.0, 1.0, 35_999.0),
    ],
)
def test_the_decision(wall: float, attended: float, still: float) -> None:
    assert stood_still(wall, attended) == pytest.approx(still)


def beating() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "working time"]


def ends(thread: threading.Thread) -> bool:
    thread.join(10)
    return not thread.is_alive()


class User:
    """Somebody who times something."""


def test_the_thread_is_there_while_it_is_needed(machine: Machine) -> None:
    before = set(beating())
    one, other = User(), User()
    machine.time.begin(one)
    machine.time.begin(other)
    (thread,) = set(beating()) - before
    machine.time.end(one)
    assert thread.is_alive()
    machine.time.end(other)
    assert ends(thread)
    machine.time.begin(one)
    (again,) = set(beating()) - before
    del one
    gc.collect()
    assert ends(again), "nobody told it, but who timed something is gone"


def test_the_thread_looks_by_itself() -> None:
    looks = threading.Semaphore(0)

    def wall() -> float:
        looks.release()
        return 0.0

    assert working_time() <= working_time()
    ours = WorkingTime(wall, lambda _: {})
    while looks.acquire(blocking=False):
        pass
    user = User()
    ours.begin(user)
    assert looks.acquire(timeout=10) and looks.acquire(timeout=10)
    ours.end(user)
