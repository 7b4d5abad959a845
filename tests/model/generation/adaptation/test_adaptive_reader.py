"""Dynamic evaluation and the continuous cache, each against the formulas of its paper written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rnnplay.config import RunConfig
from rnnplay.generation_config import AdaptationConfig
from rnnplay.model.generation.adaptation import adaptive_reader as adaptation
from rnnplay.model.generation.adaptation.adaptive_reader import (
    EPSILON,
    AdaptiveReader,
    dynamic_update,
    gradient_rms,
    pulls,
)
from rnnplay.model.language_model import LanguageModel

torch.set_num_threads(1)
VOCABULARY = 9
IDS = torch.randint(1, VOCABULARY, (41,), generator=torch.Generator().manual_seed(5))


def made(**values: Any) -> LanguageModel:
    return LanguageModel(RunConfig(**{"embedding": 5, "hidden": 8, **values}), VOCABULARY)


def test_an_update_is_that_of_the_paper_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "TOGETHER", 5)  # so that it comes in parts
    random = np.random.default_rng(2)
    weight, trained, gradient = (random.normal(size=(3, 4)) for _ in range(3))
    rms: dict[str, Any] = {"a": np.abs(random.normal(size=(3, 4))), "b": np.abs(random.normal(size=(7,)))}
    decay, lr = 0.9, 0.01
    mean = sum(float(value) for one in rms.values() for value in one.flat) / 19
    tensors = {name: torch.from_numpy(one) for name, one in rms.items()}
    pull = pulls(tensors, decay)["a"]
    found, back_to, change = (torch.from_numpy(one.copy()) for one in (weight, trained, gradient))
    dynamic_update(found, back_to, change, lr / (tensors["a"] + EPSILON), pull)
    for at in np.ndindex(3, 4):
        back = min(1.0, decay * rms["a"][at] / mean)
        expected = weight[at] + back * (trained[at] - weight[at]) - lr * gradient[at] / (rms["a"][at] + EPSILON)
        assert found[at].item() == pytest.approx(expected, rel=1e-12)


def test_a_segment_is_predicted_first_and_then_learned_by_plain_torch_layers() -> None:
    """One update of the whole model, its gradient from torch.nn's own layers."""
    model = made()
    settings = AdaptationConfig(dynamic=True, dynamic_lr=0.02, dynamic_decay=0.1)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    rms = gradient_rms(model, IDS, 10)
    reader = AdaptiveReader(model, settings, rms)
    alone, nats = reader.read(IDS[:11])
    assert torch.equal(alone, nats)

    embedding, rnn, output = nn.Embedding(VOCABULARY, 5), nn.LSTM(5, 8, batch_first=True), nn.Linear(8, VOCABULARY)
    plain = nn.ModuleDict({"embedding": embedding, "rnn": rnn, "output": output}).double()
    plain.load_state_dict(before)
    losses = cross_entropy(output(rnn(embedding(IDS[None, :10]))[0][0]), IDS[1:11], reduction="none")
    torch.testing.assert_close(nats, losses.detach(), rtol=1e-5, atol=1e-6)
    losses.mean().backward()  # type: ignore[no-untyped-call]
    for name, weight in plain.named_parameters():
        assert weight.grad is not None
        expected = weight - 0.02 * weight.grad / (rms[name] + EPSILON)  # no pull: it is the trained one
        torch.testing.assert_close(
            dict(reader.model.named_parameters())[name].double(), expected.detach(), rtol=1e-4, atol=1e-6
        )
    assert all(torch.equal(before[name], weight) for name, weight in model.named_parameters()), "the run's own model"


def test_what_is_repeated_is_learned() -> None:
    text = IDS[:20].repeat(30)
    for settings in (AdaptationConfig(dynamic=True, dynamic_lr=0.003), AdaptationConfig(cache=True, cache_theta=50.0)):
        model = made()
        reader = AdaptiveReader(model, settings, gradient_rms(model, IDS, 10))
        nats = [float(reader.read(text[at : at + 11])[1].mean()) for at in range(0, 580, 10)]
        assert sum(nats[-10:]) < 0.97 * sum(nats[:10])


@pytest.mark.parametrize(("size", "segment"), [(1000, 7), (5, 7), (1, 3)])
def test_the_cache_agrees_with_a_plain_loop(size: int, segment: int) -> None:
    model = made(cell="gru")
    settings = AdaptationConfig(cache=True, cache_size=size, cache_theta=0.8, cache_lambda=0.25)
    reader = AdaptiveReader(model, settings)
    read = [reader.read(IDS[at : at + segment + 1]) for at in range(0, 40, segment)]
    alone, found = (torch.cat(parts) for parts in zip(*read, strict=True))
    with torch.no_grad():
        hidden, _ = model.read(IDS[None, :-1])
        probabilities = model.logits(hidden[0]).double().softmax(1)
    states = hidden[0].double()
    for t in range(40):
        target = int(IDS[t + 1])
        kept = range(max(0, t - size), t)
        weights = {i: math.exp(0.8 * float(states[t] @ states[i])) for i in kept}
        p = float(probabilities[t, target])
        assert float(alone[t]) == pytest.approx(-math.log(p), rel=1e-4)
        if weights:
            cached = sum(weights[i] for i in kept if int(IDS[i + 1]) == target) / sum(weights.values())
            p = 0.75 * p + 0.25 * cached
        assert float(found[t]) == pytest.approx(-math.log(p), rel=1e-4)


def test_without_adaptation_nothing_changes() -> None:
    model = made()
    reader = AdaptiveReader(model, AdaptationConfig())
    nats = torch.cat([reader.read(IDS[at : at + 11])[1] for at in range(0, 40, 10)])
    with torch.no_grad():
        expected = cross_entropy(model(IDS[None, :-1])[0][0], IDS[1:], reduction="none")
    torch.testing.assert_close(nats.float(), expected, rtol=1e-5, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), reader.model.parameters(), strict=True))
