"""Single timesteps with weights laid out for them, against the equations as they are written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.errors import CheckpointError
from rnnplay.model import cells
from rnnplay.model.generation import stepper as stepping
from rnnplay.model.generation.filters import tempered
from rnnplay.model.generation.sampling import Drawer
from rnnplay.model.generation.stepper import Stepper, as_row, as_state, stepper_of
from rnnplay.model.language_model import LanguageModel
from rnnplay.training.optim import make_optimizer, take_step

torch.set_num_threads(1)
VOCABULARY = 11


def small(**values: Any) -> LanguageModel:
    return LanguageModel(RunConfig(**{"embedding": 5, "hidden": 6, **values}), VOCABULARY)


@pytest.mark.parametrize("tabulated", [True, False])
@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", ["rnn", "relu", "gru", "lstm"])
def test_a_step_computes_what_the_equations_say(
    cell: str, layers: int, rows: int, tabulated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not tabulated:
        monkeypatch.setattr(stepping, "LARGEST_TABLE", 0)
    kind = {"cell": "rnn", "nonlinearity": "relu"} if cell == "relu" else {"cell": cell}
    model = small(layers=layers, **kind)
    with torch.no_grad():  # both biases count
        for name, weight in model.rnn.named_parameters():
            if "bias" in name:
                weight.normal_(generator=torch.Generator().manual_seed(len(name)))
    batch = Stepper(model).batch(rows)
    state = model.zero_state(rows)
    for step in range(6):
        tokens = [(3 * step + 2 * row) % VOCABULARY for row in range(rows)]
        with torch.no_grad():
            steps, state = cells.step(model.rnn, model.embedding(torch.tensor(tokens)), state)
            expected = model.logits(steps[-1].hidden)
        found = batch.step(tokens)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)
    parts = state if isinstance(state, tuple) else (state,)
    for row in range(rows):
        expected_row = torch.cat([part[:, row].reshape(-1) for part in parts])
        np.testing.assert_allclose(batch.states[row], expected_row.numpy(), rtol=1e-5, atol=1e-6)


def test_it_follows_the_weights_and_lays_them_out_only_when_they_change() -> None:
    model = small()
    stepper = stepper_of(model)
    version, batch = stepper.version, stepper.batch(1)
    before = batch.step([1]).copy()
    assert stepper_of(model) is stepper
    assert stepper.version == version
    optimizer = make_optimizer(model.config, list(model.parameters()), model.device)  # a fused one
    model(torch.tensor([[1, 2]]))[0].sum().backward()
    take_step(optimizer)
    assert stepper_of(model).version == version + 1
    batch.states[:] = 0
    changed = batch.step([1]).copy()
    assert not np.allclose(before, changed)
    model.load_weights({name: weight.clone() for name, weight in model.weights().items()})
    assert stepper_of(model).version == version + 2
    ema = small(seed=9)
    old = stepper_of(ema).version
    with torch.no_grad():
        torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), 0.5)
    assert stepper_of(ema).version == old + 1


def test_weights_are_laid_out_as_copies_which_training_does_not_touch() -> None:
    model = small(layers=2, tie=True, embedding=6)
    batch = stepper_of(model).batch(1)
    first = batch.step([1]).copy()
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    batch.states[:] = 0
    assert np.array_equal(batch.step([1]), first)
    assert np.array_equal(stepper_of(model).batch(1).step([1]), np.zeros((1, VOCABULARY), np.float32))


def test_numbers_that_are_not_finite_are_reported() -> None:
    model = small()
    with torch.no_grad():
        model.output.bias[3] = math.nan
    with pytest.raises(CheckpointError, match="diverged"):
        stepper_of(model).batch(2).step([1, 2])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_state_is_one_row_and_back(cell: str) -> None:
    model = small(cell=cell, layers=2)
    row = np.arange(stepper_of(model).state_size, dtype=np.float32)
    assert np.array_equal(as_row(as_state(row, model)), row)


def test_drawing_without_sorting_follows_the_probabilities() -> None:
    logits = np.array([9, 0, 1, 2, -np.inf], np.float32)
    for temperature in (0.5, 1.0, 1e-300):
        drawer = Drawer(SamplingConfig(temperature=temperature), 3)
        counts = np.bincount([drawer.draw(logits) for _ in range(4000)], minlength=5)
        expected = tempered(np.array([-np.inf, 0, 1, 2, -np.inf]), temperature)
        np.testing.assert_allclose(counts / 4000, expected, atol=0.03)
        assert counts[0] == counts[4] == 0
