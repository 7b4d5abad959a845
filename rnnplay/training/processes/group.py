"""Several processes that train one model together, each on its rows of every batch.

Rank 0 runs the `Trainer` and is the only one to write or print; the others do what it orders (followers.py), so every
decision is made once: length, rollbacks, checkpoints. A step costs two messages: the order, which carries the learning
rate and the clip threshold, and the sum of gradients and loss over all processes, in one piece; within one host the
sum is made in memory that all share (shared_memory.py). Of B rows, rank r of N
reads r·B/N to (r + 1)·B/N, so that together they read what one process would, and compute its loss and its gradient but
for the order of sums:

    L = Σ_r (n_r / n) L_r        g = Σ_r (n_r / n) g_r        n_r: tokens that count in the rows of rank r, n in all

Each weights its loss before the backward pass. All then have the same gradient to the bit, clip it by the same norm,
and make the same update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import IntEnum
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from rnnplay.common.processors import share_of_cores
from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, LostProcessError
from rnnplay.model.language_model import State, state_from_tensors, state_to_tensors
from rnnplay.runs.launch import BY_ITSELF, Launch
from rnnplay.text.feeds import Batch
from rnnplay.training.clipping import Mode
from rnnplay.training.processes.shared_memory import SentSum, SharedSum, share_memory, vectors


class Channel(Protocol):
    """What processes can say to each other. All must call the same method, with tensors of the same shape."""

    def broadcast(self, tensor: Tensor) -> None:
        """Overwrites `tensor` with that of rank 0."""

    def add(self, tensor: Tensor) -> None:
        """Overwrites `tensor` with the sum over all ranks, bit for bit the same everywhere."""

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
        self._sums: dict[tuple[int, torch.device], SharedSum | SentSum] = {}
        """By size, in the same memory at every step: new memory would cost as much as the sum."""
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
        """Returns a notice for a run that goes on after `before` processes trained it; "" if the number is the same."""
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

    def add_up(self, loss: Tensor, parameters: list[nn.Parameter], stop: bool = False) -> Tensor:
        """Returns the sum of the loss (shape ()) over all processes, and replaces the gradients by their sums.

        A parameter without a gradient anywhere is left without one, as an optimizer then leaves it alone. `stop`:
        whether this process was asked to stop.
        """
        if self._channel is None:
            return loss
        gradients = [parameter.grad for parameter in parameters]
        pieces = [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
        has = torch.tensor([gradient is not None for gradient in gradients] + [stop], dtype=loss.dtype)
        *sums, total, have = self._added([*pieces, loss, has.to(loss.device)])
        *used, stops = have.tolist()
        self.asked_to_stop |= stops > 0
        for parameter, piece, processes in zip(parameters, sums, used, strict=True):
            parameter.grad = piece if processes else None
        return total.clone()

    def divide(self, inputs: list[Tensor], compute: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """Returns `compute` of each of `inputs`, which has its shape; on one host each process computes some of them.

        All must have the same inputs, bit for bit, and then have the same results, until the next sum. Between hosts
        the results would have to be sent, so that each computes all.
        """
        if self._channel is None or not self._launch.one_host:
            return [compute(one) for one in inputs]
        mine = range(self.rank, len(inputs), self.size)
        return self._added(
            [compute(one) if number in mine else torch.zeros_like(one) for number, one in enumerate(inputs)]
        )

    def _added(self, pieces: list[Tensor]) -> list[Tensor]:
        """The sums over all processes of float32 tensors of the same device."""
        sizes = [piece.numel() for piece in pieces]
        numbers, device = sum(sizes), pieces[0].device
        if (numbers, device) not in self._sums:
            self._sums[numbers, device] = self._memory_for(numbers, pieces[0])
        one = self._sums[numbers, device]
        torch.cat([piece.reshape(-1) for piece in pieces], out=one.own)
        sums = torch.split(one.add_up(), sizes)
        return [total.view_as(piece) for total, piece in zip(sums, pieces, strict=True)]

    def _memory_for(self, numbers: int, like: Tensor) -> SharedSum | SentSum:
        channel = self._channel
        assert channel is not None
        if self._launch.one_host and like.device.type == "cpu":
            memory = share_memory(vectors(self.size) * numbers, self.leads, self.tell, self.hear)
            if memory is not None:
                return SharedSum(memory, self.rank, self.size, lambda: channel.add(torch.zeros(1)))
        return SentSum(like.new_empty(numbers), channel.add)

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
