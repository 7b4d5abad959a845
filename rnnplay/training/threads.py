"""How many threads a run's steps use: the fastest number at its start, and fewer while other programs use the cores.

Threads of OpenMP wait for each other many times in a step. They do it by spinning, which is quick while each has a core
of its own, and ruinous where two programs share the cores: each then spins while it keeps the other from arriving. So
no run takes more threads than there are cores that nobody else uses. That is looked at twice a second, and decided by
`Watch`, from readings alone. Measurements: docs/decisions.md, docs/performance.md.
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

from rnnplay.config import RunConfig, knobs
from rnnplay.model.hardware import choose_precision, physical_cores, processors, use_threads
from rnnplay.model.language_model import LanguageModel, autocast
from rnnplay.runs.records import Threads

MEASURE_SECONDS = 0.4
"""All that a measurement may take, the first steps of each count of threads aside."""

WORTH_A_THREAD = 0.95
"""More threads are taken only if a step then takes less than this fraction of its time: the interface needs room."""

LOOK_SECONDS = 0.5
BUSY_LOOKS = 2
"""Looks whose mean says that others have come; a screen that is opened takes less long."""
CALM_LOOKS = 4
"""Looks that say that they have gone. Each time that they come back within a minute takes as many more."""
MOST_CALM_LOOKS = 12
BUSY = 0.4
"""Cores. A program that computes all the time, and shares a core with one of our threads, gets half a core."""
CALM = 0.25
"""Of a core that counts as free. The interface takes 0.05 to 0.1 while it draws what comes in."""
AGAIN_AFTER = (5.0, 30.0)
"""Seconds after the start at which the number is measured once more: its first moment need not be typical."""


class Reading(NamedTuple):
    """What the clocks say."""

    seconds: float
    """On the wall."""
    own: float
    """Processor seconds of this process, all threads."""
    busy: float
    """Processor seconds of all programs, on the processors that this process may use."""


def read() -> Reading:
    """The clocks as they are. Where the system does not tell what all programs use, they seem to use nothing more."""
    own = time.process_time()
    try:
        times = psutil.cpu_times(percpu=True)
        allowed = [times[number] for number in processors() if number < len(times)]
    except (OSError, RuntimeError, NotImplementedError):
        return Reading(time.monotonic(), own, own)
    # Guests are counted under user as well; a guest of this machine is busy all the same.
    idle = ("idle", "iowait", "guest", "guest_nice")
    busy = sum(value for one in allowed for name, value in one._asdict().items() if name not in idle)
    return Reading(time.monotonic(), own, busy)


def others(before: Reading, after: Reading) -> float:
    """Cores that other programs used between two readings, on average."""
    seconds = after.seconds - before.seconds
    return max(0.0, ((after.busy - before.busy) - (after.own - before.own)) / seconds) if seconds > 0 else 0.0


def free_cores(cores: int, taken: float, allowed: int | None = None) -> int:
    """How many of `cores` a program may use while others use `taken` of the `allowed` processors (as many, if None).

    There may be more processors than we take: two share a core, or OMP_NUM_THREADS leaves the rest to others.
    """
    return max(1, min(cores, int((cores if allowed is None else allowed) - taken + CALM)))


def use_free_cores(look_seconds: float = 0.1) -> int:
    """Sets the threads of what takes seconds and does not train; returns their number.

    With two threads beside a busy program an evaluation took many times as long as with one. It looks only once, as
    these commands are done in seconds, unlike a training, which its own watch follows; and all of one evaluation is
    then added up in the same order, whatever begins beside it.
    """
    cores = physical_cores()
    if cores == 1:
        return use_threads(1)
    before = read()
    time.sleep(look_seconds)
    return use_threads(_free_at_once(cores, others(before, read())))


def _free_at_once(cores: int, taken: float) -> int:
    """As one short look has it: what is little may be nothing."""
    return free_cores(cores, taken, len(processors())) if taken > BUSY else cores


class Decision(NamedTuple):
    """What to do about the number of threads."""

    most: int
    """Threads to use at most."""
    measure: bool
    """Find the best number up to `most`, for there is more room than there was; otherwise `most` itself is it."""
    others: float
    """Cores that other programs use."""


class Watch:
    """Decides when a run should use fewer threads, and when it is worth a measurement whether more are better."""

    def __init__(self, cores: int, count: int, room: int, start: Reading, allowed: int | None = None) -> None:
        """`count` threads were found best while `room` of `cores` were free; `allowed`: see `free_cores`."""
        self._cores = cores
        self._allowed = allowed
        self.count = count
        self._room = room
        self._before = start
        self._looks: deque[float] = deque(maxlen=MOST_CALM_LOOKS)
        self._again = deque(start.seconds + seconds for seconds in AGAIN_AFTER)
        self._driven_off: deque[float] = deque(maxlen=MOST_CALM_LOOKS)
        """When others came, in the last minute."""

    def due(self, seconds: float) -> bool:
        """Whether it is time for a look."""
        return seconds - self._before.seconds >= LOOK_SECONDS

    def look(self, now: Reading) -> Decision | None:
        """What follows from one more reading; None: nothing."""
        self._looks.append(others(self._before, now))
        self._before = now
        taken = statistics.fmean(list(self._looks)[-BUSY_LOOKS:])
        if len(self._looks) >= BUSY_LOOKS and taken > BUSY and self.count > self._free(taken):
            if self._room == self._cores:  # else they are the same ones, and more of them
                self._driven_off.append(now.seconds)
            return Decision(self._free(taken), False, taken)
        while self._driven_off and now.seconds - self._driven_off[0] > 60:
            self._driven_off.popleft()
        calm = min(MOST_CALM_LOOKS, CALM_LOOKS * max(1, len(self._driven_off)))
        if len(self._looks) < calm:
            return None
        last = list(self._looks)[-calm:]
        taken = max(statistics.fmean(last), max(map(min, itertools.pairwise(last))))
        room = self._free(taken)
        again = bool(self._again) and now.seconds >= self._again[0]
        if room > self._room or (again and room == self._room):
            if again:
                self._again.popleft()
            return Decision(room, True, taken)
        return None

    def follow(self, count: int, room: int, now: Reading) -> None:
        """`count` threads are used from here on, found while `room` cores were free."""
        self.count, self._room, self._before = count, room, now
        self._looks.clear()

    def _free(self, taken: float) -> int:
        """Cores that nobody else uses to speak of."""
        return free_cores(self._cores, taken, self._allowed)


class ThreadCount:
    """The threads of one run: sets them in the calling thread, which is the one that trains."""

    def __init__(
        self,
        config: RunConfig,
        model: LanguageModel,
        device: torch.device,
        resumed: int = 0,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Chooses the number; `resumed` is the one that a run used so far, with which its steps have the same bits.

        `between` is called between the steps of a measurement.
        """
        self._between = between
        self._asked = config.threads
        self._told = False
        most = int(knobs()["threads"].knob.high)
        self._watch: Watch | None = None
        if device.type != "cpu":
            self.count = use_threads(resumed or config.threads or min(most, torch.get_num_threads()))
            return
        self._precision = choose_precision(config.precision, device)
        self._config, self._model = config, model
        cores = room = min(most, physical_cores())
        if resumed or config.threads:
            self.count = use_threads(resumed or config.threads)
        else:
            self.count, room = self._chosen(cores)
        if cores > 1:
            self._watch = Watch(cores, self.count, room, read(), len(processors()))

    def watch(self, step: int) -> Threads | None:
        """To be called between two steps: sees to the number of threads, and tells of a change.

        A number that was asked for stays; that it is more than there are free cores is told once.
        """
        watch = self._watch
        if watch is None or not watch.due(time.monotonic()):
            return None
        decision = watch.look(read())
        if decision is None:
            return None
        if self._asked:
            if decision.measure or self._told:
                return None
            self._told = True
            return Threads(step=step, threads=self.count, others=decision.others, asked=True)
        before, self.count = self.count, decision.most
        room = decision.most
        if decision.measure:
            self.count, room = self._measured(thread_counts(decision.most), room, before)
        use_threads(self.count)
        watch.follow(self.count, room, read())
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
            count, room = self._measured(counts, cores)
            if room < cores:
                return use_threads(count), room  # the next run may find them free
            _chosen[shape] = count
        return use_threads(_chosen[shape]), cores

    def _measured(self, counts: list[int], cores: int, current: int = 0) -> tuple[int, int]:
        """The fastest of `counts` for which there is room, and that room; `current` unless another is better."""
        before = read()
        with torch.random.fork_rng(devices=[]):  # dropout draws
            step = training_step(self._config, self._model, self._precision)
            count = fastest(counts, step, current, self._between)
        room = _free_at_once(cores, others(before, read()))
        return min(count, thread_counts(room)[-1]), room


_chosen: dict[tuple[object, ...], int] = {}
"""The number of threads by shape, as measured in this process while nobody else used the cores."""


def thread_counts(cores: int) -> list[int]:
    """1, 2, 4, … and `cores` itself."""
    return [*(2**power for power in range(cores.bit_length()) if 2**power < cores), cores]


def fastest(
    counts: list[int],
    step: Callable[[], object],
    current: int = 0,
    between: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
    set_threads: Callable[[int], None] = torch.set_num_threads,
) -> int:
    """The one of `counts` (rising) whose steps are quickest, or a smaller one that is nearly as quick.

    Counts take turns and each one counts by its median, so that a busy moment does not decide. The `current` one, if
    any, stays unless another is clearly quicker. `between` is called between the steps and does not count.
    """
    times: dict[int, list[float]] = {}
    turns = list(counts)
    end = clock() + MEASURE_SECONDS
    while turns and (len(times) < len(turns) or clock() < end):
        for count in list(turns):
            set_threads(count)
            between()
            if count not in times:
                step()  # threads start, memory is found
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
        return turns[-1]  # steps too long to try every count are long enough to share out
    medians = {count: statistics.median(taken) for count, taken in times.items()}
    chosen = counts[0]
    for count in counts[1:]:
        if count in medians and medians[count] < WORTH_A_THREAD * medians[chosen]:
            chosen = count
    if current in medians and medians[chosen] > WORTH_A_THREAD * medians[current]:
        return current
    return chosen


def training_step(config: RunConfig, model: LanguageModel, precision: torch.dtype) -> Callable[[], object]:
    """A forward and backward pass of the run's shape that leaves weights, gradients and mode as they are."""
    # About 6 operations a parameter and token, at some 2e10 a second: a long step is measured on fewer timesteps.
    seconds = 6 * model.size * config.batch_size * config.bptt / 2e10
    timesteps = max(1, min(config.bptt, int(config.bptt * MEASURE_SECONDS / 8 / seconds)))
    # As frequent as words are (Zipf): an adaptive softmax's time depends on it.
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
