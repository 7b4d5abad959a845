"""The number of threads of one run: measured at its start, and adjusted between its steps."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

import torch

from rnnplay.common.processors import physical_cores, processors
from rnnplay.config import RunConfig, knobs
from rnnplay.model.hardware import choose_precision, use_threads
from rnnplay.model.language_model import LanguageModel, autocast
from rnnplay.runs.metrics.records import Threads
from rnnplay.training.muon import is_orthogonalised, orthogonalised
from rnnplay.training.threads.core_watch import CoreWatch
from rnnplay.training.threads.free_cores import free_at_once, others, read_clocks

MEASURE_SECONDS = 0.4
"""Time limit of a measurement in seconds, without the first steps of each number of threads."""

WORTH_A_THREAD = 0.95
"""More threads are used only if a step then takes less than this fraction of its time: the interface needs one, too."""


class ThreadCount:
    """The number of threads of one run; sets it in the calling thread, which must be the one that trains."""

    def __init__(
        self,
        config: RunConfig,
        model: LanguageModel,
        device: torch.device,
        resumed: int = 0,
        between: Callable[[], None] = lambda: None,
        fixed: int = 0,
    ) -> None:
        """Chooses the number, unless the config, `resumed` or `fixed` gives it.

        `resumed`: the number that the run used so far, with which its steps stay identical to the bit; 0 for a new run.
        `between` is called between the steps of a measurement. `fixed`: a number that stays, whoever uses the cores;
        0 for none.
        """
        self._between = between
        self._asked = config.threads
        self._warned = False
        most = int(knobs()["threads"].knob.high)
        self._watch: CoreWatch | None = None
        if fixed:
            self.count = use_threads(fixed)
            return
        if device.type != "cpu":
            self.count = use_threads(resumed or config.threads or min(most, torch.get_num_threads()))
            return
        self._precision = choose_precision(config.precision, device)
        self._config, self._model = config, model
        cores = free = min(most, physical_cores())
        if resumed or config.threads:
            self.count = use_threads(resumed or config.threads)
        else:
            self.count, free = self._chosen(cores)
        if cores > 1:
            self._watch = CoreWatch(cores, self.count, free, read_clocks(), len(processors()))

    def due(self) -> bool:
        """Whether it is time to call `watch`."""
        return self._watch is not None and self._watch.due(time.monotonic())

    def watch(self, step: int) -> Threads | None:
        """Adjusts the number of threads between two steps, and returns the record of a change. May take a second.

        A number set by the user stays; if fewer cores are free, that is reported once.
        """
        watch = self._watch
        if watch is None or not self.due():
            return None
        decision = watch.look(read_clocks())
        if decision is None:
            return None
        if self._asked:
            if decision.measure or self._warned:
                return None
            self._warned = True
            return Threads(step=step, threads=self.count, others=decision.others, asked=True)
        before, self.count = self.count, decision.most
        free = decision.most
        if decision.measure:
            self.count, free = self._measured(thread_counts(decision.most), free, before)
        use_threads(self.count)
        watch.follow(self.count, free, read_clocks())
        return Threads(step=step, threads=self.count, others=decision.others) if self.count != before else None

    def _chosen(self, cores: int) -> tuple[int, int]:
        counts = thread_counts(cores)
        if len(counts) == 1:
            return use_threads(1), 1
        model, config = self._model, self._config
        shape = (
            *(cores, config.cell, config.layers, model.size, model.vocabulary),
            *(config.batch_size, config.bptt, self._precision, config.optimizer == "muon"),
        )
        if shape not in _chosen:
            count, free = self._measured(counts, cores)
            if free < cores:
                return use_threads(count), free  # they may be free for the next run
            _chosen[shape] = count
        return use_threads(_chosen[shape]), cores

    def _measured(self, counts: list[int], cores: int, current: int = 0) -> tuple[int, int]:
        """Returns the fastest of `counts` that the free cores allow, and those; `current` unless another is better."""
        before = read_clocks()
        with torch.random.fork_rng(devices=[]):  # dropout draws
            step = trial_step(self._config, self._model, self._precision)
            count = fastest(counts, step, current, self._between)
        free = free_at_once(cores, others(before, read_clocks()))
        return min(count, thread_counts(free)[-1]), free


_chosen: dict[tuple[object, ...], int] = {}
"""The number of threads by shape, as measured in this process while no other program used the cores."""


def thread_counts(cores: int) -> list[int]:
    """Returns 1, 2, 4, … and `cores` itself."""
    return [*(2**power for power in range(cores.bit_length()) if 2**power < cores), cores]


def fastest(
    counts: list[int],
    step: Callable[[], object],
    current: int = 0,
    between: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
    set_threads: Callable[[int], None] = torch.set_num_threads,
) -> int:
    """Returns the number in `counts` (rising) with the fastest steps, or a smaller one that is nearly as fast.

    The numbers take turns and are compared by their medians, so that a busy moment does not decide. `current`, if
    given, stays unless another is clearly faster. `between` is called between the steps, outside their timing.
    """
    times: dict[int, list[float]] = {}
    turns = list(counts)
    end = clock() + MEASURE_SECONDS
    while turns and (len(times) < len(turns) or clock() < end):
        for count in list(turns):
            set_threads(count)
            between()
            if count not in times:
                step()  # starts the threads and allocates memory
            start = clock()
            step()
            times.setdefault(count, []).append(clock() - start)
            if len(times[count]) == 1 and times[count][0] > 1.5 * min(one[0] for one in times.values()):
                turns = turns[: turns.index(count)]  # past the peak: more threads would be slower still
                break
            if clock() >= end:
                break
        else:
            continue
        if clock() >= end:
            break
    if len(times) < len(turns):
        return turns[-1]  # steps too long to try every number are long enough to be divided
    medians = {count: statistics.median(taken) for count, taken in times.items()}
    chosen = counts[0]
    for count in counts[1:]:
        if count in medians and medians[count] < WORTH_A_THREAD * medians[chosen]:
            chosen = count
    if current in medians and medians[chosen] > WORTH_A_THREAD * medians[current]:
        return current
    return chosen


def trial_step(config: RunConfig, model: LanguageModel, precision: torch.dtype) -> Callable[[], object]:
    """Returns a forward and backward pass of the run's shape, and Muon's products, which change nothing."""
    # About 6 operations per parameter and token, at some 2e10 per second: a long step is measured with fewer timesteps.
    seconds = 6 * model.size * config.batch_size * config.bptt / 2e10
    timesteps = max(1, min(config.bptt, int(config.bptt * MEASURE_SECONDS / 8 / seconds)))
    # The tokens are as frequent as words (Zipf's law), as an adaptive softmax's time depends on it.
    count = config.batch_size * timesteps
    ids = (model.vocabulary ** (torch.arange(count) / count)).long() - 1
    ids = ids[torch.randperm(count)].view(config.batch_size, timesteps)
    names, parameters = zip(*model.named_parameters(), strict=True)
    matrices = [at for at, name in enumerate(names) if config.optimizer == "muon" and is_orthogonalised(name)]
    # With fewer timesteps, fewer matrices, so that the products have their part of the time.
    matrices = matrices[: math.ceil(len(matrices) * timesteps / config.bptt)]

    def step() -> object:
        with torch.enable_grad():
            with autocast(torch.device("cpu"), precision):
                loss, _ = model.loss(ids, ids.flatten())
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        return [orthogonalised(gradients[at], precision) for at in matrices]

    return step
