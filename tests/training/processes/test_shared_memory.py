"""Sums in memory that processes share are those of its vectors, the same for all, and ask for no file on disk."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rnnplay.training.processes.shared_memory import SharedSum, share_memory, vectors

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory without a name")


def shared_by_one(numbers: int, answers: list[bytes] | None = None) -> Tensor | None:
    """As seen by the process that leads, whose others give `answers`."""
    return share_memory(numbers, True, lambda message: message, lambda message: [message, *(answers or [])])


def add_up(given: list[Tensor], rounds: int = 1) -> list[Tensor]:
    """What each of as many threads as there are vectors gets, after so many sums in the same memory."""
    size, count = len(given), len(given[0])
    memory, barrier = torch.full((vectors(size) * count,), float("nan")), threading.Barrier(size)
    found = [Tensor()] * size

    def wait() -> None:
        barrier.wait(20)

    def work(rank: int) -> None:
        one = SharedSum(memory, rank, size, wait)
        for number in range(rounds):
            one.own.copy_(given[rank] * (rounds - number))
            found[rank] = one.add_up()
            found[rank].mul_(1)  # as clipping does, in place

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


@pytest.mark.parametrize(("size", "count"), [(2, 7), (4, 1000), (6, 5), (5, 1000)])
def test_all_get_the_same_sum(size: int, count: int) -> None:
    """Also of fewer numbers than processes, and again and again in the same memory."""
    given = list(torch.randn(size, count, generator=torch.Generator().manual_seed(size)))
    found = add_up(given, rounds=20)
    assert found[0] == pytest.approx(sum(given), abs=1e-5)
    assert all(torch.equal(one, found[0]) for one in found)
    assert len({one.data_ptr() for one in found}) == size, "each may change its own"


def test_a_nan_of_one_is_in_the_sum_of_all() -> None:
    for found in add_up([torch.ones(4), torch.tensor([1.0, float("nan"), 1.0, 1.0])]):
        assert found.isnan().tolist() == [False, True, False, False]


@linux
def test_what_one_writes_the_other_reads() -> None:
    said: list[bytes] = []

    def tell(message: bytes) -> bytes:
        said.append(message)
        return message

    other: list[Tensor | None] = []

    def hear(message: bytes) -> list[bytes]:  # the second process is asked meanwhile
        other.append(share_memory(6, False, lambda _: said[0], lambda mine: [message, mine]))
        return [message, b"shared"]

    mine = share_memory(6, True, tell, hear)
    assert mine is not None and other[0] is not None
    mine.copy_(torch.arange(6.0))
    assert other[0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@linux
def test_nobody_takes_it_where_one_cannot() -> None:
    assert shared_by_one(6, [b"shared"]) is not None
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert shared_by_one(6, [b""]) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "nothing stays open"


@linux
def test_without_enough_memory_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(28, "No space left on device")

    allocate: Callable[..., None] = refuse
    monkeypatch.setattr(os, "posix_fallocate", allocate)
    assert shared_by_one(6) is None
