"""Several processes that train one model together, each on its rows of every batch.

Rank 0 runs the `Trainer` and is the only one to write or print; the others do what it orders (followers.py), so every
decision is made once: length, rollbacks, checkpoints. A step costs two messages: the order, which carries the learning
rate and the clip threshold, and the sum of gradients and loss over all processes, in one piece. Of B rows, rank r of N
reads r·B/N to (r + 1)·B/N, so that together they read what one process would, and compute its loss and its gradient but
for the order of sums:

    L = Σ_r (n_r / n) L_r        g = Σ_r (n_r / n) g_r        n_r: tokens that count in the rows of rank r, n in all

All then have the same gradient to the bit, clip it by the same norm, and make the same update.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from enum import IntEnum
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from rnnplay.common.processors import share_of_cores
from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, LostProcessError, is_out_of_memory
from rnnplay.model.language_model import State, state_from_tensors, state_to_tensors
from rnnplay.runs.launch import BY_ITSELF, Launch
from rnnplay.text.feeds import Batch
from rnnplay.training.clipping import Mode

SILENCE, SILENCE_OF_FIRST = timedelta(minutes=30), timedelta(hours=2)
"""A process that answers nothing for so long is lost. The first one may be at a validation, while the others wait."""


LOOK_SECONDS = 0.05


class Channel(Protocol):
    """What processes can say to each other. All must call the same method, with tensors of the same shape."""

    def broadcast(self, tensor: Tensor) -> None:
        """Overwrites `tensor` with that of rank 0."""

    def add(self, tensor: Tensor) -> None:
        """Overwrites `tensor` with the sum over all ranks, the same to the bit everywhere."""

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """Returns the tensors of all ranks, in their order."""

    def close(self) -> None:
        """Ends the connection."""


class What(IntEnum):
    """What rank 0 orders the others to do with it."""

    END = 0
    STEP = 1
    SHARE = 2
    COLLECT = 3


class Order(NamedTuple):
    """An order, with what a step depends on."""

    what: What
    lr: float = 0.0
    clip_mode: Mode = "off"
    clip_threshold: float = 0.0
    guarded: bool = True


_MODES: tuple[Mode, ...] = ("off", "norm", "value")


class Group:
    """The processes of one run, seen from one of them. Without a channel it is alone, and nothing is sent."""

    def __init__(self, launch: Launch = BY_ITSELF, channel: Channel | None = None) -> None:
        self._launch, self._channel = launch, channel
        self._flat: Tensor | None = None
        """What is added up, in the same memory at every step: new memory of this size would cost as much as the sum."""
        self.rank, self.size, self.job = launch.rank, launch.size, launch.job
        self.asked_to_stop = False
        """Whether a signal has asked any of the processes to stop."""

    @property
    def alone(self) -> bool:
        """Whether this process is the only one."""
        return self._channel is None

    @property
    def leads(self) -> bool:
        """Whether this process decides, writes and prints."""
        return self.rank == 0

    def fixed_threads(self, config: RunConfig) -> int:
        """This process's part of the host's cores, unless `config` says; 0 if it is alone and may choose."""
        return 0 if self.alone else config.threads or share_of_cores(self._launch.local_size)

    def take_gpu(self, device: torch.device) -> None:
        """Makes `device`, if it is CUDA, mean a GPU of this process's own; raises ConfigError if there are too few."""
        if device.type != "cuda" or self.alone:
            return
        gpus, processes = torch.cuda.device_count(), self._launch.local_size
        if gpus < processes:
            raise ConfigError(
                "device",
                f"{processes} processes were started on this host, but torch sees {gpus} CUDA device"
                f"{'s' * (gpus != 1)} here; start as many processes, or use --device cpu.",
            )
        torch.cuda.set_device(self._launch.local_rank)

    def regrouped(self, before: int) -> str:
        """What to say of a run that goes on after `before` processes have trained it; "" if there were as many."""
        if before == self.size:
            return ""
        now, then = (f"{count} process{'es' * (count != 1)}" for count in (self.size, before))
        return (
            f"{now} now train{'s' * (self.size == 1)} this run, which {then} trained until here; it goes on from the "
            "same state, but sums are added up in another order and dropout draws other units, so losses are no longer "
            "the same to the last digit."
        )

    def rows(self, batch: Batch) -> Batch:
        """The rows of `batch` that this process reads."""
        if self.alone:
            return batch
        mine = self._mine(len(batch.inputs))
        return Batch(
            batch.inputs[mine], batch.targets[mine], None if batch.mask is None else batch.mask[mine], batch.reset
        )

    def draw_seed(self, seed: int, place: Mapping[str, int]) -> int:
        """A seed for the random numbers that this process draws at `place` in the text."""
        return int(np.random.SeedSequence([seed, self.rank, *place.values()]).generate_state(1, np.uint64)[0] >> 1)

    def order(self, order: Order) -> None:
        """Tells the others what they are to do; does nothing in a process that has been told so itself."""
        if self._channel is not None and self.leads:
            what, lr, mode, threshold, guarded = order
            numbers = [what, lr, _MODES.index(mode), threshold, guarded]
            self._channel.broadcast(torch.tensor(numbers, dtype=torch.float64))

    def next_order(self) -> Order:
        """Waits for the next order of rank 0."""
        assert self._channel is not None
        numbers = torch.zeros(len(Order._fields), dtype=torch.float64)
        self._channel.broadcast(numbers)
        what, lr, mode, threshold, guarded = numbers.tolist()
        return Order(What(int(what)), lr, _MODES[int(mode)], threshold, bool(guarded))

    def add_up(self, loss: Tensor, parameters: list[nn.Parameter], weight: float, stop: bool = False) -> Tensor:
        """Returns the loss (shape ()) over all processes, and replaces the gradients by theirs.

        `weight`: the fraction of the batch's tokens in this process's rows. A parameter without a gradient anywhere is
        left without one, as an optimizer then leaves it alone. `stop`: whether this process was asked to stop.
        """
        if self._channel is None:
            return loss
        gradients = [parameter.grad for parameter in parameters]
        pieces = [
            torch.zeros_like(parameter).flatten() if gradient is None else gradient.flatten()
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
        has = torch.tensor([gradient is not None for gradient in gradients] + [stop], dtype=loss.dtype)
        pieces += [loss.view(1), has.to(loss.device)]
        if self._flat is None:
            self._flat = torch.cat(pieces)
        else:
            torch.cat(pieces, out=self._flat)
        flat = self._flat
        flat[: -len(has)].mul_(weight)
        self._channel.add(flat)
        *sums, total, have = torch.split(flat, [piece.numel() for piece in pieces])
        *used, stops = have.tolist()
        self.asked_to_stop |= stops > 0
        for parameter, piece, processes in zip(parameters, sums, used, strict=True):
            parameter.grad = piece.view_as(parameter) if processes else None
        return total.view(()).clone()

    def share(self, tensors: list[Tensor]) -> None:
        """Overwrites `tensors` with those of rank 0."""
        if self._channel is not None:
            for tensor in tensors:
                self._channel.broadcast(tensor)

    def tell(self, message: bytes = b"") -> bytes:
        """Returns the `message` of rank 0."""
        if self._channel is None:
            return message
        length = torch.tensor([len(message)])
        self._channel.broadcast(length)
        content = torch.zeros(int(length), dtype=torch.uint8)
        if self.leads:
            content = torch.frombuffer(bytearray(message), dtype=torch.uint8) if message else content
        if len(content):
            self._channel.broadcast(content)
        return content.numpy().tobytes()

    def hear(self, message: bytes) -> list[bytes]:
        """Returns the messages of all processes, in the order of their ranks."""
        if self._channel is None:
            return [message]
        lengths = [int(one) for one in self._channel.gather(torch.tensor([len(message)]))]
        content = torch.zeros(max(1, *lengths), dtype=torch.uint8)
        content[: len(message)] = torch.frombuffer(bytearray(message or b"\0"), dtype=torch.uint8)[: len(message)]
        found = self._channel.gather(content)
        return [one.numpy().tobytes()[:length] for one, length in zip(found, lengths, strict=True)]

    def gather_state(self, state: State | None) -> State | None:
        """Returns the carried state of all rows, (L, B, H), from each process's, (L, B/N, H)."""
        if self._channel is None or state is None:
            return state
        found = {
            name: torch.cat(self._channel.gather(tensor.contiguous()), dim=1)
            for name, tensor in state_to_tensors(state).items()
        }
        return state_from_tensors(found, next(iter(found.values())).device)

    def share_state(self, state: State | None, like: State) -> State | None:
        """Returns this process's rows of the carried state of all rows, (L, B, H), that rank 0 has.

        `like`: a state of that size, which says where to put it.
        """
        if self._channel is None:
            return state
        there = self.tell(b"1" if state is not None else b"")
        if not there:
            return None
        whole = state_to_tensors(like if state is None else state)
        mine = {}
        for name, tensor in whole.items():
            tensor = tensor.contiguous()
            self._channel.broadcast(tensor)
            mine[name] = tensor[:, self._mine(tensor.shape[1])].contiguous()
        return state_from_tensors(mine, next(iter(mine.values())).device)

    def close(self) -> None:
        """Lets the others end, and ends the connection. Never raises."""
        if self._channel is not None:
            with suppress(LostProcessError):
                self.order(Order(What.END))
                self._channel.close()

    def _mine(self, rows: int) -> slice:
        return slice(self.rank * rows // self.size, (self.rank + 1) * rows // self.size)


ALONE = Group()


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
