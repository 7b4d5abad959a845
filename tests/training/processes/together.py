"""Processes that train together, played by threads: what one sends the others copy from its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import LostProcessError
from rnnplay.runs.launch import BY_ITSELF
from rnnplay.runs.metrics.records import Record
from rnnplay.training import followers
from rnnplay.training.followers import follow, invite
from rnnplay.training.learner import Learner
from rnnplay.training.processes.group import Group
from rnnplay.training.trainer import Trainer
from tests.training.world import World

PATIENCE = 20.0
"""Seconds after which a thread that nobody answers gives up."""


class Exchange:
    """What the channels of one group have in common."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size)
        self.slots: list[Tensor] = [Tensor()] * size

    def wait(self) -> None:
        try:
            self.barrier.wait(PATIENCE)
        except threading.BrokenBarrierError as error:
            raise LostProcessError("The connection is lost (nobody there)") from error


class MemoryChannel:
    """The channel of one rank."""

    def __init__(self, exchange: Exchange, rank: int) -> None:
        self._exchange, self._rank = exchange, rank
        self.sent = 0
        """Number of messages."""

    def broadcast(self, tensor: Tensor) -> None:
        whole = self._all(tensor)
        tensor.copy_(whole[0])
        self._exchange.wait()

    def add(self, tensor: Tensor) -> None:
        total = torch.stack(self._all(tensor)).sum(0)
        self._exchange.wait()
        tensor.copy_(total)

    def gather(self, tensor: Tensor) -> list[Tensor]:
        found = [one.clone() for one in self._all(tensor)]
        self._exchange.wait()
        return found

    def close(self) -> None:
        self._exchange.barrier.abort()

    def _all(self, tensor: Tensor) -> list[Tensor]:
        self.sent += 1
        self._exchange.slots[self._rank] = tensor.detach()
        self._exchange.wait()
        return list(self._exchange.slots)


class Together:
    """A trainer that leads `size` processes; the learners of the others are in `learners`, by rank."""

    def __init__(self, size: int, world: World, hosts: int = 1) -> None:
        exchange = Exchange(size)
        self.channels = [MemoryChannel(exchange, rank) for rank in range(size)]
        self.groups = [
            Group(BY_ITSELF._replace(rank=rank, size=size, local_rank=rank, local_size=size // hosts), channel)
            for rank, channel in enumerate(self.channels)
        ]
        self.world = world
        self.learners: dict[int, Learner] = {}
        self.asked: set[int] = set()
        """Ranks that a signal has asked to stop."""
        self.failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def trainer(self, config: RunConfig, name: str = "run", resume: bool = False) -> Trainer:
        """The trainer of rank 0, whose followers run from now on."""
        self._threads = [threading.Thread(target=self._follow, args=(group,)) for group in self.groups[1:]]
        for thread in self._threads:
            thread.start()
        encoded, folder, group = self.world.encode(config), self.world.folder(name), self.groups[0]
        invite(group, config, encoded)
        emit: Callable[[Record], None] = self.world.emitted.append
        if resume:
            return Trainer.resume(config, encoded, folder, emit, group=group)
        return Trainer(config, encoded, folder, emit, group=group)

    def end(self) -> None:
        """Ends the followers; raises what one of them has raised."""
        self.groups[0].close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        for failure in self.failures:
            raise failure

    def _follow(self, group: Group) -> None:
        try:
            follow(group, self.world.workspace, asked_to_stop=lambda: group.rank in self.asked)
        except LostProcessError:
            pass  # told by the others
        except BaseException as error:
            self.failures.append(error)
        finally:
            self.channels[group.rank].close()  # as the end of a process does


@contextmanager
def together(size: int, world: World, monkeypatch: Any, hosts: int = 1) -> Iterator[Together]:
    """Threads that train together in `world`, ended with the block; in shared memory if on one of the `hosts`."""
    group = Together(size, world, hosts)
    joined = followers._joined

    def keep(*arguments: Any) -> Learner:
        learner = joined(*arguments)
        group.learners[arguments[1].rank] = learner
        return learner

    monkeypatch.setattr(followers, "_joined", keep)
    try:
        yield group
    finally:
        monkeypatch.setattr(followers, "_joined", joined)
        group.end()
