"""Clipping seen: the numbers are those of an independent gradient, and the step is not taken."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnnplay.inspection.clipping import clipped_step
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.feeds import Batch
from tests.inspection.small import CASES, small, tokens_of, untouched

torch.set_num_threads(1)


def batch(masked: bool = False) -> Batch:
    ids = np.random.default_rng(2).integers(0, 20, (3, 8))
    mask = np.random.default_rng(3).random((3, 7)) < 0.6 if masked else None
    return Batch(ids[:, :-1], ids[:, 1:], mask, False)


def plain_gradients(model: LanguageModel, one: Batch, state: Any) -> dict[str, torch.Tensor]:
    """By torch.nn's modules and loss.backward() on copies of the weights."""
    kinds: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
    config = model.config
    embedding = nn.Embedding(model.vocabulary, config.embedding)
    rnn = kinds[config.cell](config.embedding, config.hidden, config.layers, batch_first=True)
    output = nn.Linear(config.hidden, model.vocabulary)
    parts = nn.ModuleDict({"embedding": embedding, "rnn": rnn, "output": output})
    parts.load_state_dict(model.state_dict())
    logits = output(rnn(embedding(torch.from_numpy(one.inputs)), state)[0])
    nats = nn.functional.cross_entropy(logits.transpose(1, 2), torch.from_numpy(one.targets), reduction="none")
    counts = torch.ones_like(nats) if one.mask is None else torch.from_numpy(one.mask).float()
    ((nats * counts).sum() / counts.sum()).backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad for name, weight in parts.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_the_vector_is_the_steps_own(cell: str, layers: int, masked: bool) -> None:
    model = small(tokens_of(), cell=cell, layers=layers).train()
    hidden = torch.randn(layers, 3, 9)
    state: Any = (hidden, torch.randn(layers, 3, 9)) if cell == "lstm" else hidden
    before = untouched(model)
    found = clipped_step(model, batch(masked), state, "norm", 0.05, "run", 4)
    assert untouched(model) == before
    gradients = plain_gradients(model, batch(masked), state)
    whole = float(torch.cat([gradient.flatten() for gradient in gradients.values()]).norm())
    assert math.isclose(found.before, whole, rel_tol=1e-4)
    assert math.isclose(found.after, 0.05, rel_tol=1e-5)
    assert math.isclose(found.scale, 0.05 / whole, rel_tol=1e-4)
    assert math.isclose(found.cosine, 1, abs_tol=1e-6)
    assert [one.name for one in found.parameters] == list(gradients)
    for one in found.parameters:
        norm = float(gradients[one.name].norm())
        assert math.isclose(one.before, norm, rel_tol=1e-4)
        assert math.isclose(one.after, norm * found.scale, rel_tol=1e-3)
        assert math.isclose(one.fraction, (norm / whole) ** 2, rel_tol=1e-3)
        assert math.isclose(one.weight, float(model.get_parameter(one.name).detach().norm()), rel_tol=1e-5)
    assert math.isclose(sum(one.fraction for one in found.parameters), 1, rel_tol=1e-5)


def test_by_value_the_direction_changes() -> None:
    model = small(tokens_of())
    found = clipped_step(model, batch(), None, "value", 0.01)
    before = torch.cat([gradient.flatten() for gradient in plain_gradients(model, batch(), None).values()]).double()
    after = before.clamp(-0.01, 0.01)
    assert math.isclose(found.cosine, float(before @ after / before.norm() / after.norm()), rel_tol=1e-5)
    assert 0.1 < found.cosine < 0.999
    assert math.isclose(found.after, float(after.norm()), rel_tol=1e-4)


@pytest.mark.parametrize(("mode", "threshold"), [("off", 0.01), ("norm", 1e9), ("value", 1e9)])
def test_where_nothing_is_clipped_scale_and_cosine_are_one(mode: Any, threshold: float) -> None:
    found = clipped_step(small(tokens_of()), batch(), None, mode, threshold)
    assert (found.scale, found.cosine, found.mode) == (1.0, 1.0, mode)
    assert found.before == found.after


def test_a_tied_tensor_counts_once_and_a_diverged_model_is_told() -> None:
    tied = small(tokens_of(), tie=True, embedding=9)
    names = [one.name for one in clipped_step(tied, batch(), None, "norm", 0.1).parameters]
    assert "embedding.weight" in names
    assert "output.weight" not in names
    with torch.no_grad():
        tied.output.bias.fill_(math.nan)
    found = clipped_step(tied, batch(), None, "norm", 0.1)
    assert math.isnan(found.before)
    assert math.isnan(found.scale)
    assert math.isnan(found.cosine)
    assert all(math.isnan(one.fraction) for one in found.parameters)
