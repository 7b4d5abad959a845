"""The choice of the number of threads, and how it gives way to other programs: no core idles, and no run crawls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
import torch

from rnnplay.config import RunConfig, knobs
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.metrics.records import Threads
from rnnplay.training.threads import free_cores as free_cores_module
from rnnplay.training.threads import thread_count
from rnnplay.training.threads.core_watch import LOOK_SECONDS, CoreWatch, Decision
from rnnplay.training.threads.free_cores import BUSY, Reading, free_cores, others, use_free_cores
from rnnplay.training.threads.thread_count import ThreadCount, fastest, thread_counts

CPU = torch.device("cpu")


class Machine:
    """Steps that take a known time at each count of threads, on a clock of its own."""

    def __init__(self, seconds: dict[int, list[float]]) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.threads = 0
        self.used: list[int] = []

    def clock(self) -> float:
        return self.now

    def set_threads(self, count: int) -> None:
        self.threads = count

    def step(self) -> None:
        times = self.seconds[self.threads]
        self.now += times[self.used.count(self.threads) % len(times)]
        self.used.append(self.threads)

    def fastest(self, current: int = 0, between: Callable[[], None] = lambda: None) -> int:
        return fastest(list(self.seconds), self.step, current, between, self.clock, self.set_threads)


def test_counts_of_threads_double_up_to_the_cores() -> None:
    assert thread_counts(1) == [1]
    assert thread_counts(2) == [1, 2]
    assert thread_counts(6) == [1, 2, 4, 6]
    assert thread_counts(8) == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({1: 0.010, 2: 0.006}, 2),
        ({1: 0.010, 2: 0.0097}, 1),  # not worth a second thread
        ({1: 0.010, 2: 0.012}, 1),
        ({1: 0.010, 2: 0.006, 4: 0.004, 8: 0.0039}, 4),
        ({1: 9.0, 2: 5.0, 4: 3.0}, 4),  # too slow to try them all: all are used
    ],
)
def test_the_fastest_count_is_taken(seconds: dict[int, float], expected: int) -> None:
    assert Machine({count: [one] for count, one in seconds.items()}).fastest() == expected


def test_a_busy_moment_does_not_decide() -> None:
    """Three steps of ten on two threads were held up; and one on a single thread was oddly quick."""
    assert Machine({1: [0.010, 0.010, 0.010, 0.004], 2: [0.03, 0.006, 0.006, 0.006]}).fastest() == 2


def test_the_count_in_use_stays_unless_another_is_clearly_quicker() -> None:
    assert Machine({1: [0.0102], 2: [0.010]}).fastest(current=2) == 2
    assert Machine({1: [0.0102], 2: [0.010]}).fastest(current=1) == 1
    assert Machine({1: [0.008], 2: [0.010]}).fastest(current=2) == 1


def test_what_is_done_between_measured_steps_does_not_count() -> None:
    machine = Machine({1: [0.010], 2: [0.006]})
    answered: list[int] = []

    def answer() -> None:
        answered.append(machine.threads)
        machine.now += 0.050 if machine.threads == 2 else 0.0

    assert machine.fastest(between=answer) == 2
    assert {1, 2} <= set(answered)


def test_the_measurement_ends_in_time_and_stops_past_the_peak() -> None:
    machine = Machine({1: [0.010], 2: [0.006], 4: [0.050], 8: [5.0]})
    assert machine.fastest() == 2
    assert 8 not in machine.used
    assert machine.used.count(4) == 2
    assert machine.now < thread_count.MEASURE_SECONDS + 0.2


def test_what_others_use_is_what_is_busy_beside_this_process() -> None:
    before = Reading(10.0, 100.0, 5000.0)
    assert others(before, Reading(12.0, 103.0, 5004.0)) == pytest.approx(0.5)
    assert others(before, Reading(12.0, 104.1, 5004.0)) == 0  # clocks of different grain
    assert others(before, before) == 0


class Scene:
    """Two or more cores, what others do on them, and a run that follows what CoreWatch says."""

    def __init__(self, cores: int = 2, best: int = 2, threads: int = 2) -> None:
        self.now = Reading(0.0, 0.0, 0.0)
        self.best = best
        self.watch = CoreWatch(cores, threads, cores if threads == best else threads, self.now)
        self.cores = cores
        self.decisions: list[Decision] = []

    @property
    def threads(self) -> int:
        return self.watch.count

    def pass_by(self, seconds: float, wanted: float) -> None:
        """Others would like to use `wanted` cores; where all want too much, each gets its part."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            crowded = max(1.0, (self.threads + wanted) / self.cores)
            own, theirs = self.threads / crowded * LOOK_SECONDS, wanted / crowded * LOOK_SECONDS
            self.now = Reading(self.now.seconds + LOOK_SECONDS, self.now.own + own, self.now.busy + own + theirs)
            assert self.watch.due(self.now.seconds)
            decision = self.watch.look(self.now)
            if decision is not None:
                self.decisions.append(decision)
                count = min(self.best, decision.most) if decision.measure else decision.most
                self.watch.follow(count, decision.most, self.now)


def test_alone_nothing_changes_but_two_measurements() -> None:
    scene = Scene()
    scene.pass_by(300, wanted=0.08)  # an interface that draws
    assert scene.threads == 2
    assert [decision.measure for decision in scene.decisions] == [True, True]


@pytest.mark.parametrize("wanted", [1.0, 2.0])
def test_others_get_a_core_within_a_second_and_give_it_back_within_ten(wanted: float) -> None:
    """A program on one core, and another training that has two threads, too."""
    scene = Scene()
    scene.pass_by(4, wanted=0.0)
    scene.pass_by(1, wanted)
    assert scene.threads == 1
    assert not scene.decisions[-1].measure
    scene.pass_by(60, wanted=1.0)
    assert scene.threads == 1
    scene.pass_by(3, wanted=0.05)
    assert scene.threads == 2


def test_two_trainings_settle_on_a_core_each() -> None:
    """Each sees of the other what it used in the last look; neither takes both cores while the other is there."""
    runs = [Scene(), Scene()]
    for _ in range(240):
        wants = [float(run.threads) for run in runs]
        for run, other in zip(runs, reversed(wants), strict=True):
            run.pass_by(LOOK_SECONDS, other)
    assert [run.threads for run in runs] == [1, 1]
    assert all(len(run.decisions) <= 3 for run in runs)


def test_where_there_are_more_cores_each_keeps_what_is_free() -> None:
    scene = Scene(cores=8, best=8, threads=8)
    scene.pass_by(2, wanted=3.0)
    assert scene.threads == 5
    scene.pass_by(20, wanted=6.0)
    assert scene.threads == 2
    scene.pass_by(10, wanted=0.0)
    assert scene.threads == 8


def test_a_short_burst_is_left_alone() -> None:
    """Half a second of a screen that opens is no reason."""
    scene = Scene()
    for _ in range(10):
        scene.pass_by(0.5, wanted=0.7)
        scene.pass_by(2, wanted=0.05)
    assert scene.threads == 2
    assert all(decision.measure for decision in scene.decisions)


def test_who_comes_back_again_and_again_is_awaited_for_longer() -> None:
    """Each change costs a measurement; but ten seconds are the most."""
    scene = Scene()
    for _ in range(6):
        scene.pass_by(1, wanted=2.0)
        assert scene.threads == 1
        scene.pass_by(7.5, wanted=0.0)
        assert scene.threads == 2
    changes = len(scene.decisions)
    for _ in range(10):
        scene.pass_by(1, wanted=2.0)
        scene.pass_by(3, wanted=0.0)
    assert len(scene.decisions) - changes <= 2


def test_a_choice_made_in_a_busy_moment_is_made_anew() -> None:
    scene = Scene(threads=1)
    scene.pass_by(2.5, wanted=0.0)
    assert scene.threads == 2
    scene = Scene(threads=1)
    scene.watch = CoreWatch(
        2, 1, 2, scene.now
    )  # both were free, as far as one could see, and still one was found better
    scene.pass_by(6, wanted=0.0)
    assert scene.threads == 2


def make(monkeypatch: pytest.MonkeyPatch, hidden: int = 8, asked: int = 0, resumed: int = 0) -> ThreadCount:
    monkeypatch.setattr(thread_count, "MEASURE_SECONDS", 0.02)
    monkeypatch.setattr(thread_count, "physical_cores", lambda: 2)
    monkeypatch.setattr("rnnplay.model.hardware.processors", lambda: [0, 1])
    config = RunConfig(hidden=hidden, embedding=8, batch_size=2, bptt=4, dropout=0.5, threads=asked)
    return ThreadCount(config, LanguageModel(config, 5), CPU, resumed)


def test_measuring_leaves_no_trace_in_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_count, "_chosen", {})
    config = RunConfig(hidden=8, embedding=8, batch_size=2, bptt=4, dropout=0.5)
    model = LanguageModel(config, 5)
    before = {name: tensor.clone() for name, tensor in model.weights().items()}
    random = torch.get_rng_state()
    monkeypatch.setattr(thread_count, "MEASURE_SECONDS", 0.02)
    monkeypatch.setattr(thread_count, "physical_cores", lambda: 2)
    chosen = ThreadCount(config, model, CPU).count
    assert chosen == torch.get_num_threads()
    assert chosen in (1, 2)
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.weights().items())


@pytest.mark.parametrize(("optimizer", "shapes"), [("adam", []), ("muon", [(32, 8)] * 4)])
def test_the_step_that_is_measured_has_muons_products(
    optimizer: Literal["adam", "muon"], shapes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the number of threads would be the fastest for another step."""
    config = RunConfig(hidden=8, embedding=8, batch_size=2, bptt=4, layers=2, optimizer=optimizer)
    multiplied: list[tuple[int, ...]] = []
    monkeypatch.setattr(thread_count, "orthogonalised", lambda matrix, _: multiplied.append(tuple(matrix.shape)))
    thread_count.trial_step(config, LanguageModel(config, 5), torch.float32)()
    assert multiplied == shapes


@pytest.mark.parametrize(("taken", "free"), [(0.0, 4), (0.2, 4), (0.5, 3), (1.0, 3), (2.1, 2), (4.0, 1), (9.0, 1)])
def test_what_is_free_is_what_others_leave(taken: float, free: int) -> None:
    assert free_cores(4, taken) == free


@pytest.mark.parametrize(("taken", "free"), [(0.0, 4), (8.0, 4), (12.0, 4), (13.0, 3), (16.0, 1)])
def test_what_others_use_of_processors_that_we_leave_alone_costs_nothing(taken: float, free: int) -> None:
    """Sixteen processors, of which OMP_NUM_THREADS allows four: eight in use by others leave more than four."""
    assert free_cores(4, taken, allowed=16) == free
    watch = CoreWatch(4, 4, 4, Reading(0.0, 0.0, 0.0), allowed=16)
    found = [watch.look(Reading(at, 4 * at, (4 + taken) * at)) for at in (0.5, 1.0)]
    assert (found[-1].most if found[-1] else 4) == free


def test_an_evaluation_beside_a_busy_program_leaves_its_core_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that spin beside a program on one of their cores are many times slower than one."""
    clocks = iter([Reading(0.0, 0.0, 0.0), Reading(1.0, 0.1, 1.1), Reading(2.0, 0.2, 1.2), Reading(3.0, 0.3, 1.3)])
    monkeypatch.setattr(free_cores_module, "read_clocks", lambda: next(clocks))
    monkeypatch.setattr(free_cores_module, "physical_cores", lambda: 2)
    monkeypatch.setattr(free_cores_module, "processors", lambda: [0, 1])
    monkeypatch.setattr(free_cores_module, "use_threads", lambda count: count)
    assert use_free_cores(0.0) == 1
    assert use_free_cores(0.0) == 2


def test_a_shape_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_count, "_chosen", {})
    monkeypatch.setattr(thread_count, "read_clocks", lambda: Reading(0.0, 0.0, 0.0))
    measured: list[int] = []

    def choose(counts: list[int], *_: object) -> int:
        measured.append(1)
        return counts[-1]

    monkeypatch.setattr(thread_count, "fastest", choose)
    for hidden in (8, 8, 9, 8):
        torch.set_num_threads(1)
        assert make(monkeypatch, hidden).count == 2 == torch.get_num_threads()
    assert len(measured) == 2


def test_no_more_threads_are_chosen_than_the_knob_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a checkpoint would say of itself what is not allowed."""
    monkeypatch.setattr(thread_count, "_chosen", {})
    monkeypatch.setattr(thread_count, "physical_cores", lambda: 3000)
    asked: list[list[int]] = []
    monkeypatch.setattr(thread_count, "fastest", lambda counts, *_: asked.append(counts) or 1)  # type: ignore[func-returns-value]
    config = RunConfig(hidden=8, embedding=8, batch_size=2, bptt=4)
    ThreadCount(config, LanguageModel(config, 5), CPU)
    assert max(asked[0]) == knobs()["threads"].knob.high


def test_a_choice_beside_others_counts_for_that_moment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads were quicker in the measurement, but a core was in use; the next run looks for itself."""
    monkeypatch.setattr(thread_count, "_chosen", {})
    monkeypatch.setattr(thread_count, "fastest", lambda counts, *_: counts[-1])
    monkeypatch.setattr(thread_count, "read_clocks", Clock(busy=1.9, own=1.0))
    assert make(monkeypatch).count == 1
    monkeypatch.setattr(thread_count, "read_clocks", Clock(busy=2.0, own=2.0))
    assert make(monkeypatch).count == 2


class Clock:
    """Readings a second apart, with so many cores in use in all, and by this process."""

    def __init__(self, busy: float, own: float) -> None:
        self.busy, self.own = busy, own
        self.now = Reading(0.0, 0.0, 0.0)

    def __call__(self) -> Reading:
        self.now = Reading(self.now.seconds + 1, self.now.own + self.own, self.now.busy + self.busy)
        return self.now


def test_a_change_is_recorded_and_what_was_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_count, "_chosen", {})
    monkeypatch.setattr(thread_count, "fastest", lambda counts, *_: counts[-1])
    clock = Clock(busy=2.0, own=2.0)
    monkeypatch.setattr(thread_count, "read_clocks", clock)
    monkeypatch.setattr("time.monotonic", lambda: clock.now.seconds + 1)
    free, fixed = make(monkeypatch), make(monkeypatch, asked=2)
    assert (free.count, fixed.count) == (2, 2)
    clock.own = 1.0
    told = [(free.watch(step), fixed.watch(step)) for step in range(6)]
    ((one, other),) = [pair for pair in told if pair != (None, None)]
    assert one is not None
    assert other is not None
    assert one == Threads(step=1, threads=1, others=one.others)
    assert other == Threads(step=1, threads=2, others=other.others, asked=True)
    assert all(BUSY < record.others <= 1 for record in (one, other))
    assert (free.count, fixed.count) == (1, 2)
    clock.own = 2.0
    assert [one.threads for step in range(8) if (one := free.watch(step))] == [2]


def test_a_resumed_run_goes_on_with_the_threads_that_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its steps have the same bits only then."""
    monkeypatch.setattr(thread_count, "fastest", lambda *_: pytest.fail("measured"))
    assert make(monkeypatch, resumed=1).count == 1
    assert make(monkeypatch, resumed=2).count == 2
