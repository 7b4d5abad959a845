"""Chooses a run's number of threads: the fastest at the start, fewer while other programs use the cores.

OpenMP's threads wait for one another many times in a step, by spinning. That is fast while each has a core of its own,
and ruinous where two programs share the cores: each then spins while it keeps the other from arriving. So a run uses no
more threads than there are cores that no other program uses. They are counted twice a second; `CoreWatch` decides, from
the readings alone. Measurements: docs/decisions.md, docs/performance.md.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import psutil
import torch

from rnnplay.common.processors import physical_cores, processors
from rnnplay.config import RunConfig, knobs
from rnnplay.model.hardware import choose_precision, use_threads
from rnnplay.model.language_model import LanguageModel, autocast
from rnnplay.runs.metrics.records import Threads

MEASURE_SECONDS = 0.4
"""Time limit of a measurement in seconds, without the first steps of each number of threads."""

WORTH_A_THREAD = 0.95
"""More threads are used only if a step then takes less than this fraction of its time: the interface needs one, too."""

LOOK_SECONDS = 0.5
BUSY_LOOKS = 2
"""Number of readings whose mean shows that other programs have started; opening a screen takes less time."""
CALM_LOOKS = 4
"""Number of readings that show that they have ended, multiplied by how often they started in the last minute."""
MOST_CALM_LOOKS = 12
BUSY = 0.4
"""In cores. A program that computes all the time and shares a core with one of our threads gets half a core."""
CALM = 0.25
"""Fraction of a core that may be used while it counts as free.

The interface takes 0.05 to 0.1 for drawing new records.
"""
AGAIN_AFTER = (5.0, 30.0)
"""Seconds after the start at which the number is measured again: the first moment may not be typical."""


class Reading(NamedTuple):
    """What the clocks read at one moment, in seconds."""

    seconds: float
    """Wall-clock time."""
    own: float
    """Processor time of this process, all threads."""
    busy: float
    """Processor time of all programs, on the processors that this process may use."""


def read_clocks() -> Reading:
    """Reads the clocks. Where the system does not report the time of all programs, the others seem to use none."""
    own = time.process_time()
    try:
        times = psutil.cpu_times(percpu=True)
        allowed = [times[number] for number in processors() if number < len(times)]
    except (OSError, RuntimeError, NotImplementedError):
        return Reading(time.monotonic(), own, own)
    # Guests are counted under user as well, and a guest of this machine uses its processors.
    idle = ("idle", "iowait", "guest", "guest_nice")
    busy = sum(value for one in allowed for name, value in one._asdict().items() if name not in idle)
    return Reading(time.monotonic(), own, busy)


def others(before: Reading, after: Reading) -> float:
    """Cores that other programs used between two readings, on average."""
    seconds = after.seconds - before.seconds
    return max(0.0, ((after.busy - before.busy) - (after.own - before.own)) / seconds) if seconds > 0 else 0.0


def free_cores(cores: int, taken: float, allowed: int | None = None) -> int:
    """How many of `cores` a program may use while others use `taken` of the `allowed` processors (None: as many).

    There may be more processors than cores to use: two may share a core, or OMP_NUM_THREADS may leave the rest to
    others.
    """
    return max(1, min(cores, int((cores if allowed is None else allowed) - taken + CALM)))


def use_free_cores(look_seconds: float = 0.1) -> int:
    """Sets the number of threads of a command that takes seconds and does not train; returns it.

    With two threads beside a busy program an evaluation took many times as long as with one. The cores are checked only
    once, as these commands are short; and so all of an evaluation is added up in the same order, whatever starts beside
    it.
    """
    cores = physical_cores()
    if cores == 1:
        return use_threads(1)
    before = read_clocks()
    time.sleep(look_seconds)
    return use_threads(_free_at_once(cores, others(before, read_clocks())))


def _free_at_once(cores: int, taken: float) -> int:
    """Cores that are free according to one short reading, in which little use may be none."""
    return free_cores(cores, taken, len(processors())) if taken > BUSY else cores


class Decision(NamedTuple):
    """How to change the number of threads."""

    most: int
    """Largest number of threads to use."""
    measure: bool
    """Whether to measure which number up to `most` is fastest, as more cores are free; otherwise `most` is used."""
    others: float
    """Cores that other programs use."""


class CoreWatch:
    """Decides when a run should use fewer threads, and when it is worth measuring whether more are faster."""

    def __init__(self, cores: int, count: int, free: int, start: Reading, allowed: int | None = None) -> None:
        """`count` threads were found fastest while `free` of `cores` were free; `allowed`: see `free_cores`."""
        self._cores = cores
        self._allowed = allowed
        self.count = count
        self._free = free
        self._before = start
        self._looks: deque[float] = deque(maxlen=MOST_CALM_LOOKS)
        self._measure_again = deque(start.seconds + seconds for seconds in AGAIN_AFTER)
        self._others_started: deque[float] = deque(maxlen=MOST_CALM_LOOKS)
        """When other programs started, in the last minute."""

    def due(self, seconds: float) -> bool:
        """Whether it is time for another reading."""
        return seconds - self._before.seconds >= LOOK_SECONDS

    def look(self, now: Reading) -> Decision | None:
        """Takes one more reading and returns what to change, if anything."""
        self._looks.append(others(self._before, now))
        self._before = now
        taken = statistics.fmean(list(self._looks)[-BUSY_LOOKS:])
        if len(self._looks) >= BUSY_LOOKS and taken > BUSY and self.count > self._free_cores(taken):
            if self._free == self._cores:  # otherwise the same programs use more of them
                self._others_started.append(now.seconds)
            return Decision(self._free_cores(taken), False, taken)
        while self._others_started and now.seconds - self._others_started[0] > 60:
            self._others_started.popleft()
        calm = min(MOST_CALM_LOOKS, CALM_LOOKS * max(1, len(self._others_started)))
        if len(self._looks) < calm:
            return None
        last = list(self._looks)[-calm:]
        taken = max(statistics.fmean(last), max(map(min, itertools.pairwise(last))))
        free = self._free_cores(taken)
        again = bool(self._measure_again) and now.seconds >= self._measure_again[0]
        if free > self._free or (again and free == self._free):
            if again:
                self._measure_again.popleft()
            return Decision(free, True, taken)
        return None

    def follow(self, count: int, free: int, now: Reading) -> None:
        """Records that `count` threads are used from now on, chosen while `free` cores were free."""
        self.count, self._free, self._before = count, free, now
        self._looks.clear()

    def _free_cores(self, taken: float) -> int:
        """Cores that no other program uses noticeably."""
        return free_cores(self._cores, taken, self._allowed)


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

    def watch(self, step: int) -> Threads | None:
        """Adjusts the number of threads between two steps, and returns the record of a change.

        A number set by the user stays; if fewer cores are free, that is reported once.
        """
        watch = self._watch
        if watch is None or not watch.due(time.monotonic()):
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
            *(config.batch_size, config.bptt, self._precision),
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
            step = training_step(self._config, self._model, self._precision)
            count = fastest(counts, step, current, self._between)
        free = _free_at_once(cores, others(before, read_clocks()))
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


def training_step(config: RunConfig, model: LanguageModel, precision: torch.dtype) -> Callable[[], object]:
    """Returns a forward and backward pass of the run's shape, which changes neither weights nor gradients."""
    # About 6 operations per parameter and token, at some 2e10 per second: a long step is measured with fewer timesteps.
    seconds = 6 * model.size * config.batch_size * config.bptt / 2e10
    timesteps = max(1, min(config.bptt, int(config.bptt * MEASURE_SECONDS / 8 / seconds)))
    # The tokens are as frequent as words (Zipf's law), as an adaptive softmax's time depends on it.
    count = config.batch_size * timesteps
    ids = (model.vocabulary ** (torch.arange(count) / count)).long() - 1
    ids = ids[torch.randperm(count)].view(config.batch_size, timesteps)
    parameters = list(model.parameters())

    def step() -> object:
        with torch.enable_grad():
            with autocast(torch.device("cpu"), precision):
                loss, _ = model.loss(ids, ids.flatten())
            return torch.autograd.grad(loss, parameters, allow_unused=True)

    return step
