"""The range test finds the marks of curves drawn for it, says when there are none, and trains a model to its end."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.experiments.lr_range import (
    RangePoint,
    averaged,
    check_range,
    options_of,
    rates,
    result_of,
)
from rnnplay.experiments.lr_range_training import encode_text, train_at_rates
from rnnplay.workspace import Workspace


def curve(loss: Callable[[float], float], steps: int = 200) -> list[RangePoint]:
    """A test from 1e-6 to 1 with this loss at each power of ten."""
    lrs = rates(1e-6, 1.0, steps)
    return [RangePoint(step, lr, loss(math.log10(lr))) for step, lr in enumerate(lrs, start=1)]


def valley(power: float) -> float:
    """Level up to 1e-4, steepest at 1e-3, lowest at 1e-2, above its beginning at 1e-1."""
    if power < -2:
        return 4 - 2 / (1 + math.exp(-4 * (power + 3)))
    return valley(-2.0001) + 3 * (power + 2) ** 2


def test_the_rates_rise_evenly_on_a_logarithmic_scale() -> None:
    assert rates(1e-4, 1e-1, 4) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])


def test_the_marks_of_a_valley() -> None:
    found = result_of(curve(valley))
    assert found.steepest == pytest.approx(1e-3, rel=0.15)
    assert found.lowest == pytest.approx(1e-2, rel=0.3)
    assert found.blows_up is not None and 0.02 < found.blows_up < 0.05
    assert found.suggested == pytest.approx(1e-3, rel=0.3)
    assert found.sentence.startswith("Steepest descent at 0.00") and "To begin with: 0.001" in found.sentence


def test_a_loss_that_only_falls_does_not_blow_up() -> None:
    found = result_of(curve(lambda power: 4 - 0.3 * (power + 6)))
    assert found.blows_up is None and found.lowest is not None
    assert "does not blow up" in found.sentence


def test_a_loss_that_never_falls_suggests_nothing() -> None:
    found = result_of(curve(lambda power: 4 + 0.001 * power))
    assert (found.suggested, found.steepest, found.lowest) == (None, None, None)
    assert found.sentence.startswith("The loss does not fall at any of these rates")
    assert result_of([]) == result_of(curve(valley)[:2])


def test_a_loss_that_is_not_finite_blows_up_there() -> None:
    points = curve(valley)
    at = next(number for number, one in enumerate(points) if one.lr > 0.012)
    broken = [*points[:at], RangePoint(at + 1, points[at].lr, math.nan)]
    assert result_of(broken).blows_up == points[at].lr
    assert not any(math.isnan(mean) for mean in averaged(broken))


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.01), (0.0, 1.0), (0.1, 0.1)])
def test_a_range_that_is_none_is_refused(low: float, high: float) -> None:
    with pytest.raises(InputError, match="from a smaller to a larger"):
        check_range(low, high)


def test_the_options_give_a_test_the_same_settings() -> None:
    options = options_of(RunConfig(cell="gru", tie=True, embedding=32, hidden=32, clip="off"))
    assert {"--cell=gru", "--tie", "--hidden=32", "--clip=off", "--no-lowercase"} <= set(options)
    assert not any(option.startswith(("--steps", "--lr", "--schedule")) for option in options)


def test_a_model_is_trained_and_no_run_is_written(workspace: Workspace) -> None:
    config = RunConfig(
        corpus="small", hidden=8, embedding=6, batch_size=4, bptt=12, precision="float32", threads=1, device="cpu"
    )
    taken: list[RangePoint] = []
    corpus = encode_text(config, workspace)
    points = train_at_rates(config, corpus, rates(1e-4, 10.0, 40), taken.append)
    assert points == taken and points[0].loss == pytest.approx(math.log(30), abs=0.4)
    assert result_of(points).lowest is not None
    assert not list(workspace.checkpoints.iterdir())
    again = train_at_rates(config, corpus, rates(1e-4, 10.0, 40), taken.append, lambda: len(taken) >= len(points) + 5)
    assert again == points[:5]
