"""How processes that torchrun has started find one another, and what they say to each other by torch.distributed."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any, Protocol

import torch
from torch import Tensor

from rnnplay.errors import LostProcessError, is_out_of_memory
from rnnplay.runs.launch import Launch
from rnnplay.training.processes.group import Group

SILENCE, SILENCE_OF_FIRST = timedelta(minutes=30), timedelta(hours=2)
"""A process that is silent for this long is lost. The first one may be at a validation, while the others wait."""


LOOK_SECONDS = 0.05


def join(launch: Launch) -> Group:
    """Connects this process with the others that torchrun has started: by gloo, and by NCCL what is on GPUs.

    Raises LostProcessError if they cannot be reached.
    """
    if launch.size == 1:
        return Group(launch)
    distributed: Any = import_module("torch.distributed")
    if launch.one_host:
        # Otherwise gloo looks up the host's own name, which not every system knows.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    silence = SILENCE_OF_FIRST if launch.rank else SILENCE
    try:
        store, _, _ = next(distributed.rendezvous("env://", timeout=silence))
        store = distributed.PrefixStore(meet(store, launch.rank, launch.size, silence), store)
        distributed.init_process_group(backend, store=store, rank=launch.rank, world_size=launch.size, timeout=silence)
    except (RuntimeError, TimeoutError) as error:
        raise LostProcessError(_lost(error)) from error
    return Group(launch, _Connection(distributed))


class Store(Protocol):
    """What torchrun keeps for its processes, also from before a restart: a torch.distributed.Store."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def check(self, keys: list[str]) -> bool: ...


def meet(store: Store, rank: int, size: int, patience: timedelta, pause: Callable[[float], None] = time.sleep) -> str:
    """Returns a word that the processes of this start have in common, and no earlier ones; waits until all are there.

    After a restart the store still has the addresses of the processes before it, and torchrun counts no restart because
    of hosts that have joined. So each process puts down a number of its own; the first answers under that number, and
    waits until each has seen the answer, which those that are gone never do. Raises TimeoutError.
    """
    word, end = uuid.uuid4().hex, time.monotonic() + patience.total_seconds()

    def wait_until(ready: Callable[[], bool]) -> None:
        while not ready():
            if time.monotonic() > end:
                raise TimeoutError("not all of them have come")
            pause(LOOK_SECONDS)

    if rank:
        store.set(f"rnnplay/here/{rank}", word)
        wait_until(lambda: store.check([f"rnnplay/answer/{word}"]))
        answer = store.get(f"rnnplay/answer/{word}").decode()
        store.set(f"rnnplay/seen/{answer}/{rank}", "1")
        return answer

    def all_seen() -> bool:
        missing = [other for other in range(1, size) if not store.check([f"rnnplay/seen/{word}/{other}"])]
        for other in missing:
            if store.check([f"rnnplay/here/{other}"]):
                store.set(f"rnnplay/answer/{store.get(f'rnnplay/here/{other}').decode()}", word)
        return not missing

    wait_until(all_seen)
    return word


class _Connection:
    """A channel of torch.distributed."""

    def __init__(self, distributed: Any) -> None:
        self._distributed = distributed

    def broadcast(self, tensor: Tensor) -> None:
        self._call(self._distributed.broadcast, tensor, 0)

    def add(self, tensor: Tensor) -> None:
        self._call(self._distributed.all_reduce, tensor)

    def gather(self, tensor: Tensor) -> list[Tensor]:
        found = [torch.empty_like(tensor) for _ in range(self._distributed.get_world_size())]
        self._call(self._distributed.all_gather, found, tensor)
        return found

    def close(self) -> None:
        self._call(self._distributed.destroy_process_group)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            function(*arguments)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise LostProcessError(_lost(error)) from error


def _lost(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = lines[0].rpartition("] ")[2].partition(". ")[0][:200].rstrip(".") if lines else "no further words"
    return f"The connection with the other processes of this training is lost ({why})"
