"""Averaged SGD without gain: when averaging begins, and that the model is then the mean of the weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError
from rnnplay.runs.checkpoint_state import ValidationHistory
from rnnplay.runs.metrics.records import Notice
from rnnplay.training.optim import AVERAGING_BEGINS, average_decay
from tests.training.world import World


def naive(losses: list[float], window: int) -> int:
    """The first validation above the best of all but the last `window` before it (the authors' main.py); -1: none."""
    for number, loss in enumerate(losses):
        earlier = losses[:number][:-window]
        if earlier and loss > min(earlier):
            return number
    return -1


@pytest.mark.parametrize("window", [1, 2, 5])
def test_averaging_begins_where_the_paper_says(window: int) -> None:
    generator = torch.Generator().manual_seed(window)
    for _ in range(60):
        falling = torch.linspace(3, 2, 12) + 0.4 * torch.rand(12, generator=generator)
        losses = falling.tolist()
        seen, config = ValidationHistory(), RunConfig(asgd_window=window)
        for number, loss in enumerate(losses):
            seen = seen.after(config, 10 * number, loss)
        expected = naive(losses, window)
        assert seen.averaging_since == (10 * expected if expected >= 0 else -1), losses


def test_it_begins_once_and_not_at_a_loss_that_is_not_a_number() -> None:
    seen, config = ValidationHistory(), RunConfig(asgd_window=1)
    for step, loss in enumerate([2.0, math.nan, 1.9, 1.8, 2.5, 1.0, 3.0]):
        seen = seen.after(config, step, loss)
    assert seen.averaging_since == 4
    assert ValidationHistory().after(RunConfig(), 1, 2.0).recent == ()


def test_the_model_is_the_mean_of_the_weights_since_then_and_the_raw_weights_before(world: World) -> None:
    config = world.config(asgd_window=1, eval_every=4, steps=60, optimizer="sgd", lr=20.0)
    trainer = world.trainer(config)
    since, taken = -1, []
    while trainer.advance() is None:
        raw = flat(trainer.raw_model.weights())
        if since >= 0:
            taken.append(raw)
            torch.testing.assert_close(flat(trainer.model.weights()), torch.stack(taken).mean(0), rtol=1e-4, atol=1e-6)
        else:
            assert torch.equal(flat(trainer.model.weights()), raw)
        since = trainer._progress.validations.averaging_since
    assert 0 <= since < 50 and len(taken) > 5
    assert [record.message for record in world.emitted if isinstance(record, Notice)].count(AVERAGING_BEGINS) == 1


def flat(weights: dict[str, Tensor]) -> Tensor:
    return torch.cat([one.detach().flatten() for one in weights.values()]).clone()


def test_the_mean_and_the_moving_average_exclude_each_other() -> None:
    assert [average_decay(RunConfig(asgd_window=5), step, 7) for step in (7, 8, 9)] == [0, 1 / 2, 2 / 3]
    assert average_decay(RunConfig(asgd_window=5), 100) == 0
    with pytest.raises(ConfigError, match="asgd_window and ema_decay are both on"):
        RunConfig(asgd_window=5, ema_decay=0.9)
