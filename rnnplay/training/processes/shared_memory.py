"""Memory that the processes of one host share, and their sums in it: nothing is sent but that a part is ready."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

BYTES = 4
"""Size of a float32."""

FEW = 4
"""Up to this many processes, each adds up all vectors."""


def share_memory(
    numbers: int, leads: bool, tell: Callable[[bytes], bytes], hear: Callable[[bytes], list[bytes]]
) -> Tensor | None:
    """Returns memory for so many float32 numbers, the same for all processes that call this together.

    `tell` passes on the message of the process that leads, `hear` the messages of all. None, for all of them, where the
    system has no such memory (it is Linux's), not enough, or does not let them open it.
    """
    file, place = -1, ""
    if leads and sys.platform == "linux":
        try:
            file = os.memfd_create("rnnplay")  # has no name on disk, and ends with the last process that uses it
            os.posix_fallocate(file, 0, BYTES * numbers)
            place = f"/proc/{os.getpid()}/fd/{file}"
        except OSError:
            pass
    memory = _opened(tell(place.encode()).decode(), numbers)
    everywhere = all(hear(b"" if memory is None else b"shared"))
    if file >= 0:
        os.close(file)
    return memory if everywhere else None


def _opened(place: str, numbers: int) -> Tensor | None:
    try:
        with Path(place).open("r+b") as file:
            return torch.frombuffer(mmap.mmap(file.fileno(), BYTES * numbers), dtype=torch.float32)
    except (OSError, ValueError):
        return None


class SharedSum:
    """The sum of as many vectors as there are processes, bit for bit the same for all.

    With few processes, each adds up all vectors, and all wait for one another once. With many, each adds up its part,
    or all would read all vectors; then they wait again, until all parts are there.
    """

    def __init__(self, memory: Tensor, rank: int, size: int, wait: Callable[[], None]) -> None:
        """`memory`: shape (vectors(size) · n,), for vectors (n,). `wait` returns once all processes have called it."""
        rows = list(memory.view(vectors(size), -1).unbind())
        # Two sets by turns: nobody writes what another may still be reading.
        self._sets = [rows[:size], rows[size:]] if size <= FEW else [rows[:size]]
        self._rank, self._wait = rank, wait
        self._sum = rows[-1]
        self._part = slice(rank * len(self._sum) // size, (rank + 1) * len(self._sum) // size)
        self._copy = torch.empty_like(self._sum)

    @property
    def own(self) -> Tensor:
        """This process's vector (n,), to be written before `add_up`."""
        return self._sets[0][self._rank]

    def add_up(self) -> Tensor:
        """Returns the sum (n,), which this process may change, and the next sum overwrites."""
        written = self._sets[0]
        self._sets.reverse()
        self._wait()  # until all vectors are written
        if len(self._sets) == 2:
            return _added(written, self._copy)
        _added([vector[self._part] for vector in written], self._sum[self._part])
        self._wait()  # until all parts are added up
        return self._copy.copy_(self._sum)


def vectors(size: int) -> int:
    """The number of vectors for which a sum over so many processes needs shared memory."""
    return 2 * size if size <= FEW else size + 1


def _added(given: list[Tensor], out: Tensor) -> Tensor:
    torch.add(given[0], given[1], out=out)
    for vector in given[2:]:
        out.add_(vector)
    return out


class SentSum:
    """The same for processes of several hosts, or on GPUs, whose vectors are sent."""

    def __init__(self, own: Tensor, add: Callable[[Tensor], None]) -> None:
        """`add` overwrites a tensor with the sum of those of all processes."""
        self.own, self._add = own, add

    def add_up(self) -> Tensor:
        """Returns the sum, in the memory of `own`."""
        self._add(self.own)
        return self.own
