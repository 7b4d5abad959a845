"""The loss in chunks is torch's own linear and cross_entropy: same numbers, same gradients, less memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from rnnplay.model import linear_cross_entropy as module
from rnnplay.model.linear_cross_entropy import (
    EXACT_TOKENS,
    chunked_cross_entropy,
    linear_cross_entropy,
)

torch.set_num_threads(1)


Operands = tuple[Tensor, Tensor, Tensor]


def operands(positions: int, vocabulary: int, hidden: int, scale: float = 1.0) -> tuple[Operands, Tensor]:
    """Hidden states, weight and bias that need gradients, and targets of which some do not count."""
    draw = torch.Generator().manual_seed(positions)
    shapes = ((positions, hidden), (vocabulary, hidden), (vocabulary,))
    states, weight, bias = ((scale * torch.randn(shape, generator=draw)).requires_grad_() for shape in shapes)
    targets = torch.randint(0, vocabulary, (positions,), generator=draw)
    targets[1::5] = -100
    return (states, weight, bias), targets


def gradients(loss: Tensor, tensors: Operands) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss * 3, tensors)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("positions", [1, 63, 64, 192, 193, 700])
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_it_is_cross_entropy_and_so_are_its_gradients(positions: int, reduction: str, scale: float) -> None:
    """In float64's terms both are equally near: here the two float32 results are within a few roundings."""
    tensors, targets = operands(positions, 301, 24, scale)
    expected = cross_entropy(linear(*tensors), targets, reduction=reduction)
    found = chunked_cross_entropy(*tensors, targets, reduction=reduction)
    torch.testing.assert_close(found, expected, rtol=2e-6, atol=1e-6)
    for own, theirs in zip(gradients(found, tensors), gradients(expected, tensors), strict=True):
        torch.testing.assert_close(own, theirs, rtol=2e-5, atol=2e-6 * float(theirs.abs().max()))


@pytest.mark.parametrize("chunks", [False, True])
@pytest.mark.parametrize("vocabulary", [EXACT_TOKENS, EXACT_TOKENS + 1])
def test_few_tokens_are_scored_in_float32_under_autocast_too(
    monkeypatch: pytest.MonkeyPatch, vocabulary: int, chunks: bool
) -> None:
    """Logits in bfloat16 would be seen in the loss of a model of characters, in chunks or not."""
    monkeypatch.setattr(module, "WORTH_CHUNKS", 1 if chunks else 1 << 60)
    (states, weight, bias), targets = operands(20, vocabulary, 24)
    exact = linear_cross_entropy(states, weight, bias, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = linear_cross_entropy(states.bfloat16().float(), weight, bias, targets)
        kept = linear_cross_entropy(states, weight, bias, targets)
    assert kept.dtype == found.dtype == torch.float32
    assert torch.equal(kept, exact) == (vocabulary == EXACT_TOKENS)
    assert not torch.equal(found, exact)


def test_without_a_bias_it_is_as_with_one_of_zeros() -> None:
    (states, weight, bias), targets = operands(193, 301, 24)
    none = chunked_cross_entropy(states, weight, None, targets)
    zeros = chunked_cross_entropy(states, weight, torch.zeros_like(bias), targets)
    assert torch.equal(none, zeros)
    for one, other in zip(
        torch.autograd.grad(none * 3, (states, weight)), torch.autograd.grad(zeros * 3, (states, weight)), strict=True
    ):
        assert torch.equal(one, other)


def test_logits_of_any_size_neither_overflow_nor_vanish() -> None:
    tensors, targets = operands(130, 50, 8)
    with torch.no_grad():
        tensors[2].add_(5000)
        tensors[0].mul_(200)
    expected = cross_entropy(linear(*tensors), targets)
    found = chunked_cross_entropy(*tensors, targets)
    assert bool(found.isfinite())
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for own, theirs in zip(gradients(found, tensors), gradients(expected, tensors), strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


def test_infinities_show_in_the_loss_as_they_do_in_torch() -> None:
    """Divergence is seen by a loss that is not finite."""
    for value in (torch.inf, torch.nan):
        tensors, targets = operands(70, 50, 8)
        with torch.no_grad():
            tensors[2][7] = value
        assert bool(cross_entropy(linear(*tensors), targets).isnan())
        assert bool(chunked_cross_entropy(*tensors, targets).isnan())


def test_nothing_that_counts_is_nan_on_average_and_nothing_in_sum() -> None:
    tensors, _ = operands(70, 50, 8)
    none = torch.full((70,), -100)
    assert bool(chunked_cross_entropy(*tensors, none).isnan())
    assert chunked_cross_entropy(*tensors, none, reduction="sum").item() == 0


def test_without_gradients_only_the_loss_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors, targets = operands(300, 40, 8)
    expected = chunked_cross_entropy(*tensors, targets, reduction="sum")
    with torch.inference_mode():
        found = chunked_cross_entropy(*tensors, targets, reduction="sum")
    assert torch.equal(found, expected) and not found.requires_grad


def test_products_in_bfloat16_are_as_near_as_torchs_own() -> None:
    tensors, targets = operands(256, 100, 16, 0.5)
    exact = gradients(cross_entropy(linear(*tensors), targets), tensors)
    with torch.autocast("cpu", torch.bfloat16):
        usual = cross_entropy(linear(*tensors).float(), targets)
        found = chunked_cross_entropy(*tensors, targets)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, usual, rtol=0, atol=5e-3)
    for own, theirs, true in zip(gradients(found, tensors), gradients(usual, tensors), exact, strict=True):
        assert own.dtype == true.dtype
        assert float((own - true).norm()) <= 1.5 * float((theirs - true).norm()) + 1e-6


def test_the_weight_takes_its_gradient_without_a_copy() -> None:
    """At 33,000 words a copy is 26 MB a step."""
    tensors, targets = operands(70, 50, 8)
    loss = chunked_cross_entropy(*tensors, targets)
    made = loss.grad_fn.gradients[1].data_ptr()  # type: ignore[union-attr]
    loss.backward()  # type: ignore[no-untyped-call]
    assert tensors[1].grad is not None and tensors[1].grad.data_ptr() == made


def test_chunks_are_used_from_some_millions_of_logits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    real = module.chunked_cross_entropy

    def noted(hidden: Tensor, *others: Tensor | int | str) -> Tensor:
        used.append(len(hidden))
        return real(hidden, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "chunked_cross_entropy", noted)
    monkeypatch.setattr(module, "WORTH_CHUNKS", 100 * 40)
    for positions in (99, 100):
        tensors, targets = operands(positions, 40, 4)
        found = linear_cross_entropy(*tensors, targets)
        torch.testing.assert_close(found, cross_entropy(linear(*tensors), targets))
    assert used == [100]
