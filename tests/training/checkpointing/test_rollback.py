"""What is not finite never reaches the weights, a run that diverged goes back, a jump that heals is left alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import safetensors.torch
import torch

from rnnplay.errors import CheckpointError, InputError
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.divergence import (
    BY_HAND,
    FAR_ABOVE,
    GRADIENT,
    LOSS,
    PROVEN_STEPS,
    TOO_LARGE,
    WEIGHTS,
    changes,
)
from rnnplay.runs.metrics.records import Notice, Record, Rollback, Skipped, Step, Tuned
from rnnplay.training.checkpointing import rollback_states
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.training.trainer import Trainer
from tests.training.world import World, run_to_end

R = TypeVar("R")

EXPLOSIVE: dict[str, Any] = {
    "cell": "rnn",
    "nonlinearity": "relu",
    "recurrent_gain": 1.6,
    "optimizer": "sgd",
    "lr": 5.0,
    "clip": "off",
    "bptt": 40,
}
ON_DISK: dict[str, Any] = {"good_seconds": 0.0, "checkpoint_every": 10, "keep": 100}
"""Good states by steps rather than by the clock, so that a test knows them."""


def of(world: World, kind: type[R]) -> list[R]:
    return [record for record in world.emitted if isinstance(record, kind)]


def spoil(trainer: Trainer, name: str, when: Callable[[int], bool], value: float = math.nan) -> None:
    """The gradient of one parameter is not finite in the steps that `when` says."""
    parameter = dict(trainer.model.named_parameters())[name]

    def hook(gradient: torch.Tensor) -> torch.Tensor:
        if when(trainer.step + 1):
            gradient = gradient.clone()
            gradient.view(-1)[0] = value
        return gradient

    parameter.register_hook(hook)  # type: ignore[no-untyped-call]


def finite(trainer: Trainer) -> bool:
    return all(bool(parameter.isfinite().all()) for parameter in trainer.model.parameters())


# --- a step that cannot be used ------------------------------------------------------------------------------


def test_a_hundred_bad_gradients_at_random_and_no_weight_that_is_not_finite(world: World) -> None:
    draw = random.Random(3)
    config = world.config(steps=400, checkpoint_every=50, max_rollbacks=1000, divergence_remedy="none")
    trainer = world.trainer(config)
    names = list(dict(trainer.model.named_parameters()))
    bad = {step: draw.choice(names) for step in draw.sample(range(1, 390), 100)}
    done: set[int] = set()
    for name in names:
        spoil(trainer, name, lambda step, name=name: bad.get(step) == name and step not in done, draw.choice([math.nan, math.inf]))  # type: ignore[misc]  # fmt: skip # noqa: E501
    finished = None
    while finished is None:
        finished = trainer.advance()
        assert finite(trainer)
        if (last := world.emitted[-1]) and isinstance(last, Skipped):
            assert bad[last.step] == last.where and last.cause == GRADIENT
        done |= {record.step for record in world.emitted[-6:] if isinstance(record, Skipped)}
    assert finished.reason == "length" and finished.step == 400
    assert {record.step for record in of(world, Skipped)} == set(bad)


@pytest.mark.parametrize("rule", [{"optimizer": "sgd", "momentum": 0.9}, {"optimizer": "rmsprop"}, {}])
def test_a_skipped_step_changes_neither_weights_nor_moments(rule: dict[str, Any], world: World) -> None:
    trainer = world.trainer(world.config(**rule))
    for _ in range(3):
        trainer.advance()
    before = trainer._learner.snapshot()
    spoil(trainer, "rnn.weight_hh_l0", lambda step: step == 4)
    trainer.advance()
    after = trainer._learner.snapshot()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    step, skipped = world.emitted[-2:]
    assert isinstance(step, Step) and step.step == 4 and math.isfinite(step.loss) and math.isnan(step.grad_norm)
    assert skipped == Skipped(step=4, cause=GRADIENT, where="rnn.weight_hh_l0")
    trainer.advance()
    assert not all(torch.equal(before[name], one) for name, one in trainer._learner.snapshot().items()), "it goes on"


def test_a_gradient_whose_square_overflows_does_not_poison_the_moments(world: World) -> None:
    trainer = world.trainer(world.config(clip="off"))
    trainer.advance()
    spoil(trainer, "output.bias", lambda step: step == 2, 3e38)
    trainer.advance()
    assert of(world, Skipped) == [Skipped(step=2, cause=TOO_LARGE, where="output.bias")]
    assert not trainer._learner.not_finite()


def test_a_run_goes_back_from_gradients_too_large_by_that_name(world: World) -> None:
    trainer = world.trainer(world.config(clip="off", **ON_DISK))
    spoil(trainer, "rnn.weight_hh_l0", lambda step: not of(world, Rollback), 1e20)
    spoil(trainer, "output.bias", lambda step: not of(world, Rollback), 1e19)
    while not of(world, Rollback):
        trainer.advance()
    (rollback,) = of(world, Rollback)
    assert (rollback.cause, rollback.where) == (TOO_LARGE, "rnn.weight_hh_l0")


def test_a_huge_gradient_is_clipped_and_used(world: World) -> None:
    trainer = world.trainer(world.config(clip="norm"))
    spoil(trainer, "output.bias", lambda step: step == 1, 3e38)
    trainer.advance()
    assert not of(world, Skipped) and finite(trainer)


# --- back to a good state ------------------------------------------------------------------------------------


def test_three_in_a_row_and_the_run_is_back_with_half_the_rate(world: World) -> None:
    trainer = world.trainer(world.config(steps=60, lr=0.01, **ON_DISK))
    bad = {45, 46, 47}

    def once(step: int) -> bool:
        return step in bad and not of(world, Rollback)

    spoil(trainer, "rnn.bias_ih_l0", once)
    run_to_end(trainer)
    (rollback,) = of(world, Rollback)
    assert rollback == Rollback(
        step=47, to=20, cause=GRADIENT, remedy="lower-rate", where="rnn.bias_ih_l0", changed={"lr": 0.005}, count=1
    )
    at = world.emitted.index(rollback)
    assert world.emitted[at + 1] == Tuned(step=20, knob="lr", value=0.005)
    after = [record for record in world.emitted[at:] if isinstance(record, Step)]
    assert [record.step for record in after] == list(range(21, 61)) and after[0].lr == 0.005
    assert [one.step for one in world.folder().checkpoints()] == [0, 10, 20, 30, 40, 50, 60]
    assert list(world.folder().metrics())[-1] == world.emitted[-1], "all of it is on disk too"
    assert rollback in world.folder().metrics()


def test_the_text_is_read_on_and_not_again(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=40))
    spoil(trainer, "output.weight", lambda step: step in (31, 32, 33) and not of(world, Rollback))
    while not of(world, Rollback):
        trainer.advance()
    assert trainer.step < 33
    assert trainer._learner.feed.state()["position"] == 33 * 12 and trainer._learner.state is None


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"divergence_remedy": "clip", "clip": "off"}, {"clip": "norm", "clip_threshold": 1.0}),
        ({"divergence_remedy": "clip", "clip": "value"}, {"clip": "norm", "clip_threshold": 1.0}),
        ({"divergence_remedy": "clip", "clip_threshold": 0.5}, {"clip_threshold": 0.25}),
        ({"divergence_remedy": "lower-rate", "lr": 0.5}, {"lr": 0.25}),
        ({"divergence_remedy": "none"}, {}),
    ],
)
def test_remedies(values: dict[str, Any], changed: dict[str, Any], world: World) -> None:
    config = world.config(**values)
    assert changes(config.divergence_remedy, config) == changed


@pytest.mark.parametrize("remedy", ["lower-rate", "clip"])
def test_an_explosive_run_is_put_back_on_its_feet(remedy: str, world: World) -> None:
    trainer = world.trainer(
        world.config(**EXPLOSIVE | {"recurrent_gain": 1.3}, steps=120, divergence_remedy=remedy, max_rollbacks=20)
    )
    finished = run_to_end(trainer)
    assert of(world, Rollback) and of(world, Rollback)[0].cause in (LOSS, GRADIENT, TOO_LARGE, FAR_ABOVE)
    assert finished.reason == "length" and finite(trainer)
    assert sum(record.loss for record in of(world, Step)[-10:]) / 10 < math.log(17), "better than blind"
    assert trainer.config.clip == ("norm" if remedy == "clip" else "off")


def test_with_clipping_from_the_start_it_never_needs_one(world: World) -> None:
    run_to_end(world.trainer(world.config(**EXPLOSIVE | {"clip": "norm", "lr": 0.5}, steps=120)))
    assert not of(world, Rollback) and not of(world, Skipped)


def test_weights_that_are_not_finite_go_back_at_once(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK))
    trainer.advance()
    with torch.no_grad():
        trainer.model.output.weight[3, 2] = math.nan
    trainer.advance()
    (rollback,) = of(world, Rollback)
    assert (rollback.cause, rollback.where, rollback.to) == (WEIGHTS, "output.weight", 0) and finite(trainer)


def test_a_loss_that_jumps_and_stays_goes_back_to_before_the_jump(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=400, lr=0.01, divergence_remedy="none"))
    while trainer.step < 100:
        trainer.advance()
    with torch.no_grad():
        trainer.model.output.bias.add_(1000 * torch.arange(17))
    while not of(world, Rollback):
        trainer.advance()
    (rollback,) = of(world, Rollback)
    assert rollback.cause == FAR_ABOVE and rollback.to == 100 - (100 - 1) % 10 - 1 + 10 * (rollback.to == 100)
    trainer.advance()
    assert of(world, Step)[-1].loss < 3


def test_states_in_memory_are_later_than_those_on_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback_states.RollbackStates.__init__, "__defaults__", (lambda: 1000.0 * len(world.emitted),))
    trainer = world.trainer(world.config(good_seconds=1.0, steps=80, divergence_remedy="none"))
    spoil(trainer, "output.weight", lambda step: step in (60, 61, 62) and not of(world, Rollback))
    weights: dict[int, torch.Tensor] = {}
    while not of(world, Rollback):
        trainer.advance()
        weights.setdefault(trainer.step, trainer.model.output.weight.detach().clone())
    (rollback,) = of(world, Rollback)
    assert 62 - 2 * PROVEN_STEPS - 3 <= rollback.to <= 62 - PROVEN_STEPS
    assert torch.equal(trainer.model.output.weight, weights[rollback.to])
    trainer.advance()
    assert not torch.equal(trainer.model.output.weight, weights[rollback.to])
    trainer.rollback("good")
    assert torch.equal(trainer.model.output.weight, weights[rollback.to]), "the copy was not trained on"
    assert world.folder().checkpoint("latest").step == rollback.to


def test_a_damaged_checkpoint_is_passed_over(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=100))
    while trainer.step < 50:
        trainer.advance()
    (world.folder().checkpoint_path(20) / "weights.safetensors").write_bytes(b"broken")
    assert trainer.rollback("good").to == 10


def test_after_the_last_rollback_allowed_it_ends_at_the_last_good_state(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=100, max_rollbacks=2))
    spoil(trainer, "output.weight", lambda step: step > 28)
    finished = run_to_end(trainer)
    assert finished.reason == "diverged"
    rollbacks = of(world, Rollback)
    assert [(record.count, record.remedy) for record in rollbacks] == [
        (1, "lower-rate"),
        (2, "lower-rate"),
        (2, "none"),
    ]
    assert finished.step == rollbacks[-1].to == world.folder().checkpoint().step
    assert "after 2 rollbacks" in of(world, Notice)[-1].message
    load_model(world.folder())
    again = world.resume()
    assert again.step == finished.step and again._progress.watch.rollbacks == 0
    assert run_to_end(again).reason == "length"


@pytest.mark.parametrize(("clip", "advised"), [("off", "rate, clip, or"), ("norm", "rate, clip lower, or")])
def test_its_last_words_advise_what_is_not_done_yet(world: World, clip: str, advised: str) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=100, max_rollbacks=0, clip=clip))
    spoil(trainer, "output.weight", lambda step: step > 28)
    run_to_end(trainer)
    assert advised in of(world, Notice)[-1].message


def test_stop_ends_with_the_last_good_checkpoint(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=100, divergence="stop", lr=0.01))
    spoil(trainer, "output.weight", lambda step: step > 42)
    finished = run_to_end(trainer)
    (rollback,) = of(world, Rollback)
    assert (finished.reason, finished.step, rollback.remedy, rollback.count) == ("diverged", 20, "none", 0)
    assert trainer.config.lr == 0.01 and world.folder().checkpoint().step == 20


# --- off, and by hand ----------------------------------------------------------------------------------------


def test_off_lets_it_happen_and_the_last_finite_checkpoint_survives(world: World) -> None:
    config = world.config(**EXPLOSIVE | {"lr": 50.0}, divergence="off", steps=40, checkpoint_every=2, keep=2)
    trainer = world.trainer(config)
    run_to_end(trainer)
    assert not finite(trainer) and not of(world, Rollback) and not of(world, Skipped)
    found = world.folder().checkpoints()
    assert [one.good for one in found] == [True, False, False]
    weights = safetensors.torch.load_file(found[0].path / "weights.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in weights.values())
    with pytest.raises(CheckpointError, match="not finite; take another checkpoint") as refused:
        load_model(world.folder())
    assert refused.value.instead == found[0].step
    load_model(world.folder(), str(found[0].step))


def test_back_by_hand_to_any_checkpoint(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, divergence="off", steps=60, lr=0.01))
    while trainer.step < 35:
        trainer.advance()
    with torch.no_grad():
        trainer.model.output.weight.fill_(math.nan)
    trainer.advance()
    assert trainer.rollback(20).changed == {}
    record = of(world, Rollback)[-1]
    assert (record.step, record.to, record.cause, record.count) == (36, 20, BY_HAND, 0) and finite(trainer)
    saved = safetensors.torch.load_file(world.folder().checkpoint_path(20) / "weights.safetensors")
    assert torch.equal(trainer.model.output.weight, saved["output.weight"])
    assert [one.step for one in world.folder().checkpoints()] == [0, 10, 20]
    with pytest.raises(InputError, match="no checkpoint '30'"):
        trainer.rollback(30)
    assert trainer.rollback("latest", "clip").changed == {"clip_threshold": 0.5}
    run_to_end(trainer)
    with pytest.raises(InputError, match="is over"):
        trainer.rollback(10)


def test_a_run_resumed_from_weights_that_are_not_finite_finds_back(world: World) -> None:
    config = world.config(**EXPLOSIVE | {"lr": 50.0}, divergence="off", steps=30, checkpoint_every=2)
    trainer = world.trainer(config)
    while trainer.step < 20:
        trainer.advance()
    trainer.finish("stopped")
    changed = {"divergence": "rollback", "clip": "norm", "lr": 0.1}
    again = world.resume(world.config(**EXPLOSIVE | changed, steps=30, checkpoint_every=2))
    assert run_to_end(again).reason == "length" and finite(again)
    assert of(world, Rollback)[0].cause == WEIGHTS


# --- exactly again -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("feed", "ema_decay"), [("stream", 0.0), ("lines", 0.0), ("stream", 0.8)])
def test_a_run_that_goes_back_resumes_to_the_last_bit(feed: str, ema_decay: float, world: World) -> None:
    knobs = EXPLOSIVE | ON_DISK | {"checkpoint_every": 5, "feed": feed, "ema_decay": ema_decay}
    config = world.config(**knobs, steps=90, dropout=0.2, max_rollbacks=20)
    whole = world.trainer(config, "whole")
    run_to_end(whole)
    assert len(of(world, Rollback)) >= 2, "or this test shows nothing"
    draw = random.Random(5)
    trainer = world.trainer(config, "broken")
    kills = 0
    while True:
        finished = None
        for _ in range(draw.randint(3, 25)):
            finished = finished or trainer.advance()
        if finished:
            break
        if draw.random() < 0.3:
            trainer.pause()  # flushes what the kill would take
        trainer = world.resume(name="broken")
        kills += 1
    assert kills > 3
    assert [without_speed(one) for one in world.folder("broken").metrics()] == [
        without_speed(one) for one in world.folder("whole").metrics()
    ]
    for file in ("weights.safetensors", "state.safetensors"):
        one, other = (
            safetensors.torch.load_file(world.folder(name).checkpoint().path / file) for name in ("whole", "broken")
        )
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    watches = [read_state(world.folder(name).checkpoint().path).watch for name in ("whole", "broken")]
    assert repr(watches[0]) == repr(watches[1]) and watches[0].rollbacks >= 2


def without_speed(record: Record) -> str:
    if isinstance(record, Step):
        return repr((record.step, record.loss, record.grad_norm, record.grad_norm_clipped, record.lr, record.tokens))
    return repr(record)


def test_metrics_are_cut_at_the_last_passage(world: World) -> None:
    trainer = world.trainer(world.config(**ON_DISK, steps=60))
    spoil(trainer, "rnn.bias_ih_l0", lambda step: step in (45, 46, 47) and not of(world, Rollback))
    run_to_end(trainer)
    whole = list(world.folder().metrics())
    path = world.folder().path / "metrics.jsonl"
    for to, last in ((15, 15), (30, 30), (50, 50)):
        data = path.read_bytes()
        world.folder().log.cut(to)
        kept = list(world.folder().metrics())
        assert list(map(repr, kept)) == list(map(repr, whole[: len(kept)])) and kept[-1].step == last
        assert any(isinstance(record, Rollback) for record in kept) == (to >= 20)
        path.write_bytes(data)
