"""The part of benchmarks.speed.distributed that measures speed, in the processes that torchrun has started for it."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

OTHERS = 0.15
"""Cores that other programs may use, on average, during a round that counts."""
TRIES = 4
"""Rounds that are taken at most, in multiples of those asked for."""


class Round(NamedTuple):
    """What one round has measured, in seconds a step; `other`: with DistributedDataParallel."""

    one: float
    two: float
    other: float
    whole: float
    """Processor time of one process with one thread."""
    half: float
    """Processor time of each of two."""
    waiting: float
    """In sums of gradients."""
    others: float
    """Cores that other programs used, in the worst of the turns by the clock."""


class Turn(NamedTuple):
    """Means of the steps of a turn, in seconds."""

    seconds: float
    processor: float
    others: float
    """Cores that all but this process used."""


def measure_speed(rounds: int, seconds: float) -> None:
    """Prints the speed of two shapes; each turn takes so many seconds."""
    from rnnplay.config import RunConfig
    from rnnplay.model.hardware import keep_memory, prepare_thread
    from rnnplay.workspace import Workspace

    prepare_thread()
    keep_memory()
    group = joined()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Workspace(Path(folder)).create()
        for layers, hidden in ((2, 512), (1, 128)):
            config = RunConfig(
                layers=layers,
                hidden=hidden,
                embedding=hidden,
                batch_size=32,
                bptt=64,
                precision="float32",
                device="cpu",
            )
            found = _rounds(config, encoded(config, workspace), group, rounds, seconds)
            if group.rank == 0:
                _print(config, found, rounds)
    group.close()


def _rounds(config: Any, corpus: Any, group: Any, rounds: int, seconds: float) -> list[Round]:
    """Takes rounds until so many were undisturbed, after one that warms up."""
    from rnnplay.training.learner import Learner
    from rnnplay.training.loop import train_step

    alone, ours = Learner(config, corpus), Learner(config, corpus, group=group)
    ddp = _ddp(config, corpus, group.rank)
    waited, add_up = 0.0, type(group).add_up

    def timed(*arguments: Any) -> Any:
        nonlocal waited
        began = time.perf_counter()
        result = add_up(group, *arguments)
        waited += time.perf_counter() - began
        return result

    group.add_up = timed

    def by_itself() -> None:
        train_step(alone, 0.001, "norm", 1.0)

    def together() -> None:
        if group.rank:
            order = group.next_order()
            train_step(ours, order.lr, order.clip_mode, order.clip_threshold)
        else:
            train_step(ours, 0.001, "norm", 1.0)

    found: list[Round] = []
    while len(found) <= TRIES * rounds and group.tell(
        b"on" if sum(one.others <= OTHERS for one in found[1:]) < rounds else b""
    ):
        one = single = Turn(0.0, 0.0, 0.0)
        count = 0
        if group.rank == 0:
            count = max(2, int(seconds / _turn(by_itself, 2, 2).seconds))
            one, single = _turn(by_itself, 2, count), _turn(by_itself, 1, count)
        count = int(group.tell(str(count).encode()))
        waited = 0.0
        two = _turn(together, 1, count)
        waiting = waited / count
        other = _turn(ddp, 1, count)
        # Of the cores that all but this process used in these two turns, the second process used its own.
        used = (f"{turn.processor / turn.seconds}".encode() for turn in (two, other))
        second = [float(group.hear(cores)[1]) for cores in used]
        others = max(one.others, two.others - second[0], other.others - second[1])
        times = (one.seconds, two.seconds, other.seconds, single.processor, two.processor)
        found.append(Round(*times, waiting, others))
    return found[1:]


def _print(config: Any, found: list[Round], rounds: int) -> None:
    """Prints the medians of the least disturbed rounds."""
    quiet = sorted(found, key=lambda one: one.others)[:rounds]
    one, two, other, whole, half, waiting, _ = (statistics.median(column) for column in zip(*quiet, strict=True))
    tokens = config.batch_size * config.bptt
    left_out = f" ({len(found) - rounds} more were left out)" if len(found) > rounds else ""
    lines = [
        f"speed: LSTM {config.layers}×{config.hidden}, batch 32, bptt 64, float32, {rounds} rounds, tokens/s:",
        f"  other programs used up to {quiet[-1].others:.2f} cores{left_out}",
        f"  one process with 2 threads {tokens / one:,.0f}",
        f"  two with 1 thread {tokens / two:,.0f} ({one / two:.2f}), {waiting / two:.0%} of it in sums of gradients",
        f"  two with DistributedDataParallel {tokens / other:,.0f} ({one / other:.2f})",
        f"  processor time of a step: one process {1e3 * whole:,.0f} ms, each of two {1e3 * half:,.0f} ms",
    ]
    if quiet[-1].others > OTHERS:
        lines.append("  NOT to be quoted: there were not enough rounds without other programs")
    print("\n".join(lines), flush=True)


def _turn(step: Callable[[], object], threads: int, count: int) -> Turn:
    """Takes `count` steps with so many threads."""
    import torch

    from rnnplay.training.threads.free_cores import others, read_clocks

    torch.set_num_threads(threads)
    before = read_clocks()
    for _ in range(count):
        step()
    after = read_clocks()
    return Turn((after.seconds - before.seconds) / count, (after.own - before.own) / count, others(before, after))


def _ddp(config: Any, corpus: Any, rank: int) -> Callable[[], object]:
    """Returns a step with torch's DistributedDataParallel, which wraps a module and sums gradients during backward."""
    import torch
    from torch import Tensor, nn
    from torch.nn.parallel import DistributedDataParallel
    from torch.nn.utils import clip_grad_norm_

    from rnnplay.model.language_model import LanguageModel, State, detach
    from rnnplay.text.feeds import make_feed
    from rnnplay.training.optim import make_optimizer, take_step

    class Loss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = LanguageModel(config, corpus.tokenizer.size)

        def forward(self, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[Tensor, State]:
            return self.model.loss(inputs, targets, state)

    wrapped = DistributedDataParallel(Loss(), gradient_as_bucket_view=True)
    optimizer = make_optimizer(config, wrapped.parameters(), torch.device("cpu"))
    feed = make_feed(corpus.train, corpus.feed, config.batch_size, config.bptt, config.seed)
    carried: list[State | None] = [None]
    rows = slice(rank * config.batch_size // 2, (rank + 1) * config.batch_size // 2)

    def step() -> None:
        batch = feed.next()
        inputs, targets = torch.from_numpy(batch.inputs[rows]), torch.from_numpy(batch.targets[rows]).flatten()
        optimizer.zero_grad()
        loss, state = wrapped(inputs, targets, None if batch.reset else carried[0])
        carried[0] = detach(state)
        loss.backward()
        clip_grad_norm_(wrapped.parameters(), 1.0)
        take_step(optimizer)

    return step


def joined() -> Any:
    from rnnplay.runs.launch import launched
    from rnnplay.training.processes.joining import join

    launch = launched()
    assert launch is not None
    return join(launch)


def encoded(config: Any, workspace: Any) -> Any:
    from rnnplay.text.corpora.catalogue import find_corpus
    from rnnplay.text.encoding.encoded import encode_corpus

    return encode_corpus(find_corpus("tales", workspace), config, workspace.cache)
