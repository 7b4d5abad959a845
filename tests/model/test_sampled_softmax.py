"""The sampled softmax is the full one on average, exact in evaluation, and needs fewer words."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError
from rnnplay.model import sampled_softmax
from rnnplay.model.language_model import LanguageModel
from rnnplay.model.linear_cross_entropy import linear_cross_entropy
from rnnplay.model.sampled_softmax import draw, sampled_cross_entropy

torch.set_num_threads(1)

V, H, N = 300, 6, 40


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_softmax, "HEAD", 20)
    monkeypatch.setattr(sampled_softmax, "DRAWS", 60)


def some(targets: int = N) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(2)
    hidden = torch.randn(N, H, requires_grad=True)
    weight = (0.5 * torch.randn(V, H)).requires_grad_()
    bias = torch.linspace(2, -2, V).requires_grad_()  # frequent words are more probable, by and large
    ids = torch.randint(0, V, (N,))
    ids[targets:] = -100
    return hidden, weight, bias, ids


def test_the_estimated_sum_over_the_vocabulary_is_the_true_one_on_average() -> None:
    hidden, weight, bias, targets = some()
    logits = (hidden @ weight.t() + bias).detach()
    known = torch.unique(torch.cat((torch.arange(20), targets)))
    exact = logits.exp().sum(1)
    found = []
    for _ in range(400):
        drawn, log_weights = draw(known, V)
        assert not torch.isin(drawn, known).any() and len(drawn) <= 60 and int(drawn.max()) < V
        found.append(logits[:, known].exp().sum(1) + (logits[:, drawn] + log_weights).exp().sum(1))
    ratios = torch.stack(found) / exact  # (400, N)
    assert float((ratios.mean(0) - 1).abs().max()) < 0.03
    assert 0 < float(ratios.std(0).mean()) < 0.2


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_loss_and_gradients_are_close_to_those_of_the_full_softmax(reduction: str) -> None:
    hidden, weight, bias, targets = some(targets=30)
    full = linear_cross_entropy(hidden, weight, bias, targets, reduction=reduction)
    exact = torch.autograd.grad(full, (hidden, weight, bias))
    losses, sums = [], [torch.zeros_like(one) for one in exact]
    for _ in range(200):
        loss = sampled_cross_entropy(hidden, weight, bias, targets, reduction=reduction)
        losses.append(loss.item())
        for total, one in zip(sums, torch.autograd.grad(loss, (hidden, weight, bias)), strict=True):
            total += one / 200
    assert sum(losses) / 200 == pytest.approx(full.item(), rel=0.01)
    for mean, one in zip(sums, exact, strict=True):
        assert float((mean - one).norm() / one.norm()) < 0.1
    assert bool((sums[0][30:] == 0).all()), "positions that do not count"


def test_a_small_vocabulary_is_computed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, weight, bias, targets = some()
    monkeypatch.setattr(sampled_softmax, "DRAWS", V)
    assert torch.equal(
        sampled_cross_entropy(hidden, weight, bias, targets), linear_cross_entropy(hidden, weight, bias, targets)
    )


def test_a_model_samples_in_training_only() -> None:
    config = RunConfig(tokens="word", softmax="sampled", embedding=H, hidden=H, tie=True)
    model, full = LanguageModel(config, V), LanguageModel(RunConfig(tokens="word", embedding=H, hidden=H, tie=True), V)
    ids = torch.arange(24).view(2, 12) * 12
    one, other = (model.loss(ids, ids.flatten())[0] for _ in range(2))
    assert not torch.equal(one, other)
    assert torch.equal(model.eval().loss(ids, ids.flatten())[0], full.eval().loss(ids, ids.flatten())[0])


def test_it_needs_words() -> None:
    with pytest.raises(ConfigError, match="softmax is sampled, which needs token ids ordered by frequency"):
        RunConfig(softmax="sampled")
