"""The rate's schedules have the values their docstring says, and each optimizer keeps what we save of it."""

from __future__ import annotations

import math
import sys
from copy import deepcopy

import pytest
import torch

from rnnplay.config import RunConfig, with_values
from rnnplay.presets import PRESETS
from rnnplay.runs.checkpoint_state import ValidationHistory
from rnnplay.runs.metrics.records import Notice
from rnnplay.training.learner import Learner
from rnnplay.training.loop import train_step
from rnnplay.training.optim import (
    GROWS,
    decay_remark,
    learning_rate_multiplier,
    make_optimizer,
    moment_names,
    set_learning_rate,
    take_step,
)
from tests.training.world import World


def test_constant() -> None:
    config = RunConfig(schedule="constant")
    assert {learning_rate_multiplier(config, step, step / 10) for step in range(10)} == {1.0}


def test_warmup_rises_linearly_then_stays() -> None:
    config = RunConfig(schedule="warmup", warmup_steps=4)
    assert [learning_rate_multiplier(config, step, 0) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert learning_rate_multiplier(RunConfig(schedule="warmup", warmup_steps=0), 0, 0) == 1.0


def test_cosine_falls_from_one_to_the_floor() -> None:
    config = RunConfig(schedule="cosine", warmup_steps=0, lr_floor=0.1)
    assert learning_rate_multiplier(config, 0, 0.0) == 1.0
    assert learning_rate_multiplier(config, 50, 0.5) == pytest.approx(0.55)
    assert learning_rate_multiplier(config, 100, 1.0) == pytest.approx(0.1)
    assert learning_rate_multiplier(config, 100, 1.5) == pytest.approx(0.1), "never below the floor"
    assert learning_rate_multiplier(config, 25, 0.25) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 4)))


def test_linear_falls_from_one_to_the_floor_after_warming_up() -> None:
    config = RunConfig(schedule="linear", warmup_steps=10, lr_floor=0.2)
    rates = [learning_rate_multiplier(config, 99, fraction) for fraction in (0.0, 0.25, 1.0, 1.5)]
    assert rates == pytest.approx([1.0, 0.8, 0.2, 0.2])
    assert learning_rate_multiplier(config, 4, 0.0) == 0.5


def test_cosine_warms_up_first_and_is_constant_without_a_length() -> None:
    config = RunConfig(schedule="cosine", warmup_steps=10)
    assert learning_rate_multiplier(config, 4, 0.0) == 0.5
    assert learning_rate_multiplier(config, 10**6, 0.0) == 1.0


def test_warming_up_takes_no_more_than_a_tenth_of_the_length_however_few_steps_that_is() -> None:
    config = RunConfig(schedule="warmup", warmup_steps=1000)
    assert [learning_rate_multiplier(config, 1, fraction) for fraction in (0, 0.05, 0.1, 0.9)] == [0.002, 0.5, 1, 1]


def test_plateau_cuts_after_its_patience_down_to_the_floor() -> None:
    config = RunConfig(schedule="plateau", plateau_patience=1, plateau_factor=0.5, lr_floor=0.2)
    validations, seen = ValidationHistory(), []
    for step, loss in enumerate([3.0, 2.0, 2.5, 2.5, 1.9, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]):
        validations = validations.after(config, step, loss)
        seen.append(learning_rate_multiplier(config, step, 0, validations.plateau_multiplier))
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]


def test_gains_follow_the_best_loss_and_take_nan_for_no_gain() -> None:
    config, validations = RunConfig(), ValidationHistory()
    for step, loss in enumerate([3.0, math.nan, 2.0, 2.0, math.inf], start=1):
        validations = validations.after(config, step, loss)
    assert (validations.best_loss, validations.best_step, validations.stale, validations.last_step) == (2.0, 3, 2, 5)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw", "muon"])
def test_each_optimizer_keeps_the_moments_we_save_and_obeys_the_rate(name: str, momentum: float) -> None:
    config = RunConfig(optimizer=name, momentum=momentum, lr=0.1)  # type: ignore[arg-type]
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = make_optimizer(config, [weight], torch.device("cpu"))
    set_learning_rate(optimizer, 0.0)
    weight.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(weight, torch.ones(3)), "a rate of 0 changes nothing"
    kept = {key for key, value in optimizer.state[weight].items() if isinstance(value, torch.Tensor)}
    assert kept == set(moment_names(config, "output.bias"))
    set_learning_rate(optimizer, 0.1)
    optimizer.step()
    assert (weight < 1).all()


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_a_step_is_torchs_own_and_loads_no_compiler(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = with_values(RunConfig(momentum=0.9, weight_decay=0.1, lr=0.01), {"optimizer": optimizer})
    ours = [torch.nn.Parameter(torch.linspace(-1, 1, size)) for size in (3, 5)]
    theirs = deepcopy(ours)
    plain = make_optimizer(config, theirs, torch.device("cpu"))
    for _ in range(3):
        for parameter in theirs:
            parameter.grad = parameter.detach().square()
        plain.step()
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # importing it is an error
    made = make_optimizer(config, ours, torch.device("cpu"))
    for _ in range(3):
        made.zero_grad()
        for parameter in ours:
            parameter.grad = parameter.detach().square()
        take_step(made)
    made.load_state_dict(made.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("feed", "varies"), [("stream", True), ("lines", False)])
def test_only_a_length_that_was_drawn_changes_the_learning_rate(feed: str, varies: bool, world: World) -> None:
    """Lines have lengths of their own, which bptt_jitter leaves alone."""
    config = world.config(feed=feed, bptt_jitter=3.0, optimizer="sgd")
    learner = Learner(config, world.encode(config))
    used: set[float] = set()
    for _ in range(4):
        train_step(learner, 0.01, "norm", 1.0)
        used |= {group["lr"] for group in learner.optimizer.param_groups}
    assert (used != {0.01}) == varies


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"optimizer": "muon"}, GROWS),
        ({"optimizer": "muon", "weight_decay": 0.1}, ""),
        ({"optimizer": "adamw", "weight_decay": 0.1}, ""),
        ({"optimizer": "adamw"}, ""),
        ({"optimizer": "adam", "weight_decay": 0.0001}, ""),
        ({"optimizer": "adam", "weight_decay": 0.1}, "With adam, weight decay is part of the gradient"),
        ({"optimizer": "sgd", "weight_decay": 0.1}, "where 0.1 holds learning back; set weight_decay to 0 "),
    ],
)
def test_a_new_run_says_when_its_weight_decay_does_not_suit_its_optimizer(
    values: dict[str, str | float], said: str, world: World
) -> None:
    """The presets have Muon and 0.1: who takes another optimizer in the form would see a model that learns nothing."""
    world.trainer(world.config(**values), "new")
    notices = [one.message for one in world.emitted if isinstance(one, Notice)]
    assert len(notices) == bool(said)
    assert not said or said in notices[0]


def test_no_preset_has_a_weight_decay_that_does_not_suit_its_optimizer() -> None:
    assert not [preset.name for preset in PRESETS.values() if decay_remark(preset.config)]
