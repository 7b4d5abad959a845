"""The trainer learns, ends when it should, obeys its knobs while it runs, and says so in order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from rnnplay.errors import ConfigError, FinishedError, InputError
from rnnplay.runs.metrics.records import Checkpoint, Finished, Started, Step, Tuned, Validation
from rnnplay.training import loop, progress
from rnnplay.training.checkpointing import saving
from rnnplay.training.evaluation import Evaluation, evaluate
from rnnplay.training.loop import train_step
from rnnplay.training.progress import StepResult
from rnnplay.training.stopwatch import Stopwatch
from tests.training.world import World, busy_clock, run_to_end


def losses(world: World) -> list[float]:
    return [record.loss for record in world.emitted if isinstance(record, Step)]


@pytest.mark.parametrize("feed", ["stream", "lines"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_it_learns(cell: str, feed: str, world: World) -> None:
    run_to_end(world.trainer(world.config(cell=cell, feed=feed, steps=150, lr=0.02, hidden=16)))
    seen = losses(world)
    assert seen[0] == pytest.approx(math.log(17), rel=0.1), "about as good as drawing blindly"
    assert sum(seen[-10:]) / 10 < 0.6 * seen[0]


@pytest.mark.parametrize(
    ("optimizer", "lr"), [("sgd", 0.5), ("rmsprop", 0.005), ("adam", 0.02), ("adamw", 0.02), ("muon", 0.01)]
)
def test_every_optimizer_learns(optimizer: str, lr: float, world: World) -> None:
    run_to_end(world.trainer(world.config(optimizer=optimizer, lr=lr, steps=100)))
    assert sum(losses(world)[-10:]) / 10 < 0.85 * losses(world)[0]


def test_records_come_in_order_and_the_same_on_disk(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=4, eval_every=2)))
    kinds = [(type(record).__name__, record.step) for record in world.emitted]
    assert kinds == [
        ("Started", 0),
        ("Step", 1),
        ("Step", 2),
        ("Validation", 2),
        ("Checkpoint", 2),
        ("Step", 3),
        ("Step", 4),
        ("Validation", 4),
        ("Checkpoint", 4),
        ("Finished", 4),
    ]
    on_disk = list(world.folder().metrics())
    emitted = [record for record in world.emitted if not isinstance(record, Started)]
    assert [record for record in on_disk if not isinstance(record, Checkpoint)] == [
        record for record in emitted if not isinstance(record, Checkpoint)
    ]
    assert [record.path for record in on_disk if isinstance(record, Checkpoint)] == ["step-000000002", "step-000000004"]


def test_a_step_is_recorded_in_few_digits_that_tell_any_float32(world: World) -> None:
    """A run of weeks has millions of them."""
    run_to_end(world.trainer(world.config(steps=20)))
    lines = world.folder().log.path.read_bytes().splitlines()
    lines = [line for line in lines if b'"step"' in line and b'"grad_norm"' in line]
    assert len(lines) == 20 and max(map(len, lines)) < 200
    for step in (record for record in world.emitted if isinstance(record, Step)):
        for value in (step.loss, step.grad_norm, step.grad_norm_clipped):
            assert value == float(f"{float(torch.tensor(value, dtype=torch.float32)):.9g}")


def test_started_says_what_the_run_is(world: World) -> None:
    trainer = world.trainer(world.config())
    started = world.emitted[0]
    assert isinstance(started, Started)
    assert (started.run, started.device, started.threads, started.precision) == ("run", "cpu", 1, "float32")
    assert started.parameters == trainer.model.size and started.vocabulary == trainer.tokenizer.size
    info = world.folder().info()
    assert (info.parameters, info.vocabulary, info.config.feed) == (started.parameters, started.vocabulary, "stream")


def test_a_run_in_the_way_is_not_overwritten(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=2)))
    with pytest.raises(InputError, match="'run' already"):
        world.trainer(world.config())
    assert len(world.steps()) == 2


@pytest.mark.parametrize(("length", "steps"), [({"steps": 7}, 7), ({"steps": 0, "epochs": 0.5}, None)])
def test_it_ends_at_its_length(length: dict[str, Any], steps: int | None, world: World) -> None:
    config = world.config(**length)
    trainer = world.trainer(config)
    finished = run_to_end(trainer)
    tokens = world.encode(config).train.tokens
    assert finished.reason == "length" and trainer.fraction == 1.0
    assert finished.step == (steps or math.ceil(0.5 * math.ceil((tokens - 1) / 4) / 12))
    assert isinstance(world.emitted[-3], Validation), "there is always a last validation"


def test_it_ends_with_its_time_and_the_rate_reaches_its_floor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(0, 0.25)
    monkeypatch.setattr(Stopwatch.__init__, "__defaults__", (0.0, busy_clock(lambda: next(ticks))))
    trainer = world.trainer(
        world.config(steps=0, minutes=1.0, schedule="cosine", warmup_steps=0, lr_floor=0.1, lr=0.01)
    )
    run_to_end(trainer)
    rates = [record.lr for record in world.emitted if isinstance(record, Step)]
    assert len(rates) > 10 and rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.01, rel=0.01) and rates[-1] == pytest.approx(0.001, rel=0.05)


class SlowClock:
    """A clock on which a step takes a second, a validation five, and what is done on the side during it `aside`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, aside: float = 0.0) -> None:
        self.now = 0.0
        self.aside = aside
        monkeypatch.setattr(Stopwatch.__init__, "__defaults__", (0.0, busy_clock(lambda: self.now)))
        step: Callable[..., StepResult] = train_step
        really: Callable[..., Evaluation] = evaluate

        def slow_step(*given: Any) -> StepResult:
            self.now += 1
            return step(*given)

        def slow_evaluation(*given: Any) -> Evaluation:
            *others, poll = given
            poll()
            self.now += 5
            return really(*others, lambda: None)

        monkeypatch.setattr(loop, "train_step", slow_step)
        monkeypatch.setattr(progress, "evaluate", slow_evaluation)

    def poll(self) -> None:
        self.now += self.aside
        self.aside = 0.0


@pytest.mark.parametrize("aside", [0.0, 20.0])
def test_a_run_by_minutes_ends_with_its_last_validation(
    aside: float, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else was done for a while during one of its validations."""
    clock = SlowClock(monkeypatch, aside)
    trainer = world.trainer(world.config(steps=0, minutes=1.0, eval_every=9))
    trainer._loop.poll = clock.poll
    assert run_to_end(trainer).reason == "length"
    assert trainer.seconds == pytest.approx(60, abs=1)
    validations = [record.step for record in world.emitted if isinstance(record, Validation)]
    # After 9 + 5, 23 + 5 and 37 + 5 seconds; one at step 36, after 51, would leave no time for steps before the last.
    assert validations == ([9, 18, 27, 40] if not aside else [9, 18, 25])


def test_a_slow_first_step_does_not_end_a_run_by_minutes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of that step alone would leave no time for a second one."""
    clock = SlowClock(monkeypatch)
    monkeypatch.setattr(loop, "working_time", lambda: clock.now)
    trainer = world.trainer(world.config(steps=0, minutes=1.0))
    step = loop.train_step

    def first_step(*given: Any) -> StepResult:
        clock.now += 24
        monkeypatch.setattr(loop, "train_step", step)
        return step(*given)

    monkeypatch.setattr(loop, "train_step", first_step)
    run_to_end(trainer)
    assert trainer.step >= 25
    assert trainer.seconds == pytest.approx(60, abs=6)


def test_to_measure_threads_is_no_training(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it took as long as a short run."""
    clock = SlowClock(monkeypatch)
    trainer = world.trainer(world.config(steps=6))

    def measure(step: int) -> None:
        clock.now += 100

    monkeypatch.setattr(trainer._loop.threads, "due", lambda: trainer.step == 3)
    monkeypatch.setattr(trainer._loop.threads, "watch", measure)
    run_to_end(trainer)
    assert clock.now == 111
    assert trainer.seconds == 11, "six steps and a validation"


def test_a_run_that_has_ended_by_minutes_goes_on_only_for_longer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    SlowClock(monkeypatch)
    run_to_end(world.trainer(world.config(steps=0, minutes=1.0, eval_every=10)))
    for minutes in (1.0, 0.999):
        with pytest.raises(FinishedError, match="has reached its length") as refused:
            world.resume(world.config(steps=0, minutes=minutes, eval_every=10))
        assert refused.value.longer == {"minutes": 2.0}, "a round number, although it trained a little longer"
    longer = world.resume(world.config(steps=0, minutes=1.5, eval_every=10))
    run_to_end(longer)
    assert longer.seconds == pytest.approx(90, abs=1)


def test_pauses_do_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(Stopwatch.__init__, "__defaults__", (0.0, busy_clock(lambda: now[0])))
    trainer = world.trainer(world.config(minutes=1.0))
    now[0] = 40.0
    assert trainer.seconds == 0, "not begun"
    trainer.advance()
    now[0] += 2
    trainer.pause()
    now[0] += 5000
    assert trainer.seconds == 2
    trainer.checkpoint()
    trainer.unpause()
    now[0] += 1
    assert trainer.seconds == 3 and trainer.seconds_left == pytest.approx(57)


def test_early_stop(world: World) -> None:
    trainer = world.trainer(world.config(steps=500, eval_every=2, early_stop=3, lr=50.0, optimizer="sgd"))
    finished = run_to_end(trainer)
    found = [record for record in world.emitted if isinstance(record, Validation)]
    best = min(found, key=lambda record: record.loss)
    assert finished.reason == "early stop" and finished.step < 500
    assert [record.best for record in found[-4:]] == [True, False, False, False] and found[-4] == best
    with pytest.raises(InputError, match="stopped early"):
        world.resume()
    assert world.resume(world.config(steps=500, eval_every=2, early_stop=9, lr=50.0, optimizer="sgd")).step


def test_a_stop_keeps_what_was_learned_without_a_validation(world: World) -> None:
    trainer = world.trainer(world.config())
    for _ in range(3):
        trainer.advance()
    assert trainer.finish("stopped") == Finished(step=3, reason="stopped")
    assert not any(isinstance(record, Validation) for record in world.emitted)
    assert world.folder().checkpoint().step == 3
    assert trainer.advance() == trainer.finish("length") == Finished(step=3, reason="stopped"), "it stays finished"


def test_live_knobs_hold_from_the_next_step(world: World) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    trainer.tune("clip_threshold", 0.02)
    trainer.tune("lr", "0.125")
    trainer.advance()
    trainer.tune("clip", "off")
    trainer.advance()
    one, two, three = (record for record in world.emitted if isinstance(record, Step))
    assert one.grad_norm_clipped > 0.02
    assert two.clipped and two.grad_norm_clipped <= 0.02 and two.lr == 0.125
    assert not three.clipped and three.grad_norm_clipped == three.grad_norm
    tuned = [(record.step, record.knob, record.value) for record in world.emitted if isinstance(record, Tuned)]
    assert tuned == [(1, "clip_threshold", 0.02), (1, "lr", 0.125), (2, "clip", "off")]
    assert trainer.config.clip == "off" and trainer.config.lr == 0.125


@pytest.mark.parametrize(
    ("knob", "value"), [("hidden", 5), ("nothing", 1), ("lr", -1.0), ("lr", "much"), ("clip", "on")]
)
def test_other_knobs_and_values_are_refused_and_change_nothing(knob: str, value: float | str, world: World) -> None:
    trainer = world.trainer(world.config())
    before = trainer.config
    with pytest.raises(ConfigError) as caught:
        trainer.tune(knob, value)
    assert caught.value.knob == knob and trainer.config == before
    assert not any(isinstance(record, Tuned) for record in world.emitted)


def test_a_tuned_knob_is_soon_in_a_checkpoint(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "TUNED_SECONDS", 0.0)
    trainer = world.trainer(world.config())
    trainer.advance()
    assert world.folder().checkpoint().step == 0
    trainer.tune("lr", 0.125)
    trainer.advance()
    assert world.folder().checkpoint().step == 2
    trainer.advance()
    assert world.folder().checkpoint().step == 2
    assert world.resume().config.lr == 0.125


def test_checkpoints_by_time(world: World) -> None:
    trainer = world.trainer(world.config(checkpoint_seconds=1e-9, keep=50))
    run_to_end(trainer)
    assert [one.step for one in world.folder().checkpoints()] == list(range(21))


def test_the_warm_up_is_in_the_records(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=40, schedule="warmup", warmup_steps=4, lr=0.4)))
    rates = [record.lr for record in world.emitted if isinstance(record, Step)]
    assert rates[:6] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_a_short_run_is_not_spent_on_warming_up(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=20, schedule="warmup", warmup_steps=100, lr=0.4)))
    rates = [record.lr for record in world.emitted if isinstance(record, Step)]
    assert rates[:3] == pytest.approx([0.2, 0.4, 0.4])


def test_the_state_is_carried_over_steps_and_does_not_hold_the_graph(world: World) -> None:
    """With the same text in each batch, a carried state alone makes the second step's loss another."""
    config = world.config(optimizer="sgd", lr=1e-12, bptt=5, clip="off")
    trainer = world.trainer(config)
    trainer.advance()
    state = trainer._learner.state
    assert isinstance(state, tuple) and state[0].grad_fn is None and state[0].abs().sum() > 0
    trainer.advance()
    ids = torch.from_numpy(world.encode(config).train.ids.astype("int64"))
    second = losses(world)[1]
    height, more = divmod(len(ids) - 1, config.batch_size)
    starts = [row * height + min(row, more) for row in range(config.batch_size)]
    rows = torch.stack([ids[start : start + 11] for start in starts])
    with torch.no_grad():
        logits, _ = trainer.model(rows[:, :-1])
    whole = torch.nn.functional.cross_entropy(logits[:, 5:].flatten(0, 1), rows[:, 6:].flatten())
    assert second == pytest.approx(float(whole), rel=1e-5)


def test_a_gradient_that_is_not_finite_is_on_the_record(world: World) -> None:
    trainer = world.trainer(world.config(clip="norm", divergence="off"))
    with torch.no_grad():
        trainer.model.output.bias[0] = math.inf
    trainer.advance()
    record = world.emitted[-1]
    assert isinstance(record, Step)
    assert not math.isfinite(record.loss) and not math.isfinite(record.grad_norm) and not record.clipped
