"""Clipping agrees with torch and with the definition, and never turns gradients into zeros or NaN unseen."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from rnnplay.training.clipping import clip

SHAPES = [(7, 5), (5,), (3, 4, 2), ()]


def gradients(scale: float = 1.0, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(shape, generator=generator) for shape in SHAPES]


def naive_norm(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(number) ** 2 for tensor in tensors for number in tensor.flatten()))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
def test_by_norm_does_what_torch_does(scale: float) -> None:
    ours, theirs = gradients(scale), [torch.nn.Parameter(torch.zeros(shape)) for shape in SHAPES]
    for parameter, gradient in zip(theirs, gradients(scale), strict=True):
        parameter.grad = gradient
    before = float(torch.nn.utils.clip_grad_norm_(theirs, 1.0))
    clipped = clip(ours, "norm", 1.0)
    assert clipped.before == pytest.approx(before, rel=1e-6)
    assert clipped.clipped == (before > 1.0)
    assert clipped.after == pytest.approx(naive_norm(ours), rel=1e-5)
    for mine, parameter in zip(ours, theirs, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-5, atol=1e-8)


def test_what_is_reported_is_never_above_the_threshold() -> None:
    thresholds = [10 ** (-3 + 0.01 * number) for number in range(400)]
    reported = [clip(gradients(100, seed), "norm", threshold) for seed, threshold in enumerate(thresholds)]
    assert all(clipped.clipped for clipped in reported)
    assert all(clipped.after <= threshold for clipped, threshold in zip(reported, thresholds, strict=True))


def test_small_gradients_are_not_touched() -> None:
    ours = gradients()
    for mode in ("norm", "value"):
        clipped = clip(ours, mode, 1e6)  # type: ignore[arg-type,unused-ignore]
        assert clipped.before == clipped.after and not clipped.clipped
    assert all(torch.equal(mine, same) for mine, same in zip(ours, gradients(), strict=True))


def test_by_value_limits_each_component() -> None:
    ours = gradients()
    clipped = clip(ours, "value", 0.5)
    assert clipped.clipped and clipped.after < clipped.before
    assert clipped.after == pytest.approx(naive_norm(ours), rel=1e-5)
    for mine, original in zip(ours, gradients(), strict=True):
        assert torch.equal(mine, original.clamp(-0.5, 0.5))


def test_by_value_below_the_norm_but_no_component_above() -> None:
    ours = [torch.full((100,), 0.4)]
    clipped = clip(ours, "value", 0.5)
    assert clipped.before == pytest.approx(4.0) and clipped.after == clipped.before and not clipped.clipped


@pytest.mark.parametrize("mode", ["norm", "value", "off"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_finite_gradients_are_left_as_they_are(mode: str, bad: float) -> None:
    ours = gradients()
    ours[1][2] = bad
    clipped = clip(ours, mode, 0.1)  # type: ignore[arg-type]
    assert not math.isfinite(clipped.before) and not clipped.clipped
    expected = gradients()
    expected[1][2] = bad
    assert all(torch.equal(mine.nan_to_num(), same.nan_to_num()) for mine, same in zip(ours, expected, strict=True))


@pytest.mark.parametrize("scale", [1e25, 1e37])
def test_finite_gradients_whose_norm_overflows_are_clipped_not_zeroed(scale: float) -> None:
    ours = gradients(scale)
    assert math.isinf(float(get_total_norm(ours))), "the reduction in float32 overflows"
    clipped = clip(ours, "norm", 1.0)
    assert clipped.before == pytest.approx(scale * naive_norm(gradients()), rel=1e-4)
    assert clipped.clipped and naive_norm(ours) == pytest.approx(1.0, rel=1e-4)


def test_a_known_norm_is_not_computed_again() -> None:
    ours = gradients()
    assert clip(ours, "norm", 1.0, before=2.0).before == 2.0
    torch.testing.assert_close(ours[0], gradients()[0] / 2)
