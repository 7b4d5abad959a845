"""The model: its initial weights, its state, its files, and that plain PyTorch computes the same from them."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from rnnplay.config import RunConfig
from rnnplay.errors import RnnplayError
from rnnplay.model.hardware import can_bfloat16
from rnnplay.model.language_model import (
    LanguageModel,
    State,
    autocast,
    detach,
    state_from_tensors,
    state_to_tensors,
)

torch.set_num_threads(1)

V = 11
CELLS = ["rnn", "gru", "lstm"]
CPU = torch.device("cpu")


def tiny(**values: Any) -> RunConfig:
    return RunConfig(**{"embedding": 6, "hidden": 8, **values})


def parts(state: State) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else list(state)


def some_ids(batch: int = 3, timesteps: int = 5) -> Tensor:
    return torch.randint(0, V, (batch, timesteps), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("cell", CELLS)
def test_plain_torch_computes_the_same_from_the_saved_weights(cell: str) -> None:
    """The promise of the run folder: the tensors load into bare torch.nn layers and give the same loss."""
    config = tiny(cell=cell, layers=2, dropout=0.3, nonlinearity="relu")
    model = LanguageModel(config, V).eval()
    saved = safetensors.torch.load(safetensors.torch.save(model.weights()))

    embedding, output = nn.Embedding(V, 6), nn.Linear(8, V)
    rnn = {
        "rnn": nn.RNN(6, 8, 2, nonlinearity="relu", batch_first=True),
        "gru": nn.GRU(6, 8, 2, batch_first=True),
        "lstm": nn.LSTM(6, 8, 2, batch_first=True),
    }[cell]
    plain = nn.ModuleDict({"embedding": embedding, "rnn": rnn, "output": output})
    plain.load_state_dict(saved)

    ids = some_ids(3, 9)
    logits, state = model(ids[:, :-1])
    hidden, expected_state = rnn(embedding(ids[:, :-1]))
    expected = output(hidden)
    torch.testing.assert_close(logits, expected)
    for own, theirs in zip(parts(state), parts(expected_state), strict=True):
        torch.testing.assert_close(own, theirs)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    by_hand = -expected.log_softmax(-1).gather(-1, ids[:, 1:, None]).mean()
    torch.testing.assert_close(loss, by_hand)


def test_tied_weights_are_saved_once_and_load_back_tied() -> None:
    config = tiny(tie=True, embedding=8)
    model = LanguageModel(config, V)
    saved = safetensors.torch.load(safetensors.torch.save(model.weights()))
    assert "output.weight" not in saved
    other = LanguageModel(tiny(tie=True, embedding=8, seed=2), V)
    other.load_weights(saved)
    assert other.output.weight is other.embedding.weight
    torch.testing.assert_close(other(some_ids())[0], model(some_ids())[0], rtol=0, atol=0)
    assert model.size == LanguageModel(tiny(embedding=8), V).size - V * 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("output.bias"), "no output.bias"),
        (lambda w: w.update(extra=torch.zeros(1)), "a extra"),
        (lambda w: w.update({"output.bias": torch.zeros(V + 1)}), "12 float32.*11 float32"),
        (lambda w: w.update({"output.bias": torch.zeros(V, dtype=torch.float64)}), "float64"),
    ],
)
def test_weights_of_another_model_are_refused_and_change_nothing(change: Any, said: str) -> None:
    model = LanguageModel(tiny(), V)
    before = {name: tensor.clone() for name, tensor in model.weights().items()}
    weights = {name: torch.zeros_like(tensor) for name, tensor in before.items()}
    change(weights)
    with pytest.raises(RnnplayError, match=said):
        model.load_weights(weights)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.weights().items())


def test_the_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    one = LanguageModel(tiny(), V).weights()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    two = LanguageModel(tiny(), V).weights()
    assert torch.equal(torch.get_rng_state(), before)  # building one to look at disturbs no training
    three = LanguageModel(tiny(seed=2), V).weights()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["rnn.weight_hh_l0"], three["rnn.weight_hh_l0"])


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_weights_start_orthogonal_with_the_gain(cell: str) -> None:
    model = LanguageModel(tiny(cell=cell, layers=2, recurrent_gain=1.5), V)
    for layer in range(2):
        weight = model.weights()[f"rnn.weight_hh_l{layer}"]
        blocks = torch.split(weight, 8)
        assert len(blocks) == {"rnn": 1, "gru": 3, "lstm": 4}[cell]
        for block in blocks:
            torch.testing.assert_close(block @ block.T, 1.5**2 * torch.eye(8), rtol=0, atol=1e-5)


def test_biases_start_at_zero_but_the_forget_gates() -> None:
    weights = LanguageModel(tiny(layers=2, forget_bias=1.5), V).weights()
    for layer in range(2):
        expected = torch.zeros(32)
        expected[8:16] = 1.5
        assert torch.equal(weights[f"rnn.bias_ih_l{layer}"] + weights[f"rnn.bias_hh_l{layer}"], expected)
    for cell in ("rnn", "gru"):
        weights = LanguageModel(tiny(cell=cell, forget_bias=1.5), V).weights()
        assert not any(bool(weights[name].any()) for name in weights if "bias" in name)


@pytest.mark.parametrize("cell", CELLS)
def test_the_first_loss_is_about_that_of_a_uniform_guess(cell: str) -> None:
    model = LanguageModel(tiny(cell=cell, embedding=64, hidden=64), 50)
    ids = torch.randint(0, 50, (8, 33), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits, _ = model(ids[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    assert abs(float(loss) - math.log(50)) < 0.2


def test_a_tied_embedding_starts_between_what_suits_the_input_and_what_suits_the_logits() -> None:
    for hidden, expected in ((64, 0.5), (4, 1.0)):
        weight = LanguageModel(tiny(tie=True, embedding=hidden, hidden=hidden), 5000).embedding.weight
        assert float(weight.detach().std()) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    "precision",
    [torch.float32, pytest.param(torch.bfloat16, marks=pytest.mark.skipif(not can_bfloat16(CPU), reason="old CPU"))],
)
@pytest.mark.parametrize("cell", CELLS)
def test_a_saved_state_goes_on_bit_for_bit(cell: str, precision: torch.dtype) -> None:
    model = LanguageModel(tiny(cell=cell, layers=2), V)
    ids = some_ids(2, 6)
    with autocast(CPU, precision), torch.no_grad():
        _, state = model(ids[:, :3], model.zero_state(2))
        assert all(part.dtype == torch.float32 for part in parts(state))
        saved = safetensors.torch.load(safetensors.torch.save(state_to_tensors(state)))
        expected, _ = model(ids[:, 3:], state)
        resumed, _ = model(ids[:, 3:], state_from_tensors(saved, CPU))
    assert expected.dtype == torch.float32
    assert torch.equal(expected, resumed)


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_in_two_halves_equals_one_whole(cell: str) -> None:
    model = LanguageModel(tiny(cell=cell, layers=2), V)
    ids = some_ids(2, 6)
    whole, _ = model(ids)
    first, state = model(ids[:, :3])
    second, _ = model(ids[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    none, _ = model(ids)
    zeros, _ = model(ids, model.zero_state(2))
    assert torch.equal(none, zeros)


def test_a_detached_state_carries_no_gradient() -> None:
    for cell in CELLS:
        _, state = LanguageModel(tiny(cell=cell), V)(some_ids())
        assert all(part.requires_grad for part in parts(state))
        detached = detach(state)
        assert not any(part.requires_grad for part in parts(detached))
        assert all(torch.equal(a, b) for a, b in zip(parts(state), parts(detached), strict=True))
    assert state_to_tensors(None) == {}
    assert state_from_tensors({}, CPU) is None


def test_dropout_acts_in_training_only_and_does_not_warn_for_one_layer() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LanguageModel(tiny(dropout=0.5), V)
    ids = some_ids()
    assert not torch.equal(model(ids)[0], model(ids)[0])
    model.eval()
    assert torch.equal(model(ids)[0], model(ids)[0])
    assert LanguageModel(tiny(dropout=0.5, layers=2), V).rnn.dropout == 0.5


def test_size_counts_every_parameter() -> None:
    embedding, output = V * 6, 8 * V + V
    lstm = 4 * 8 * (6 + 8 + 2)
    assert LanguageModel(tiny(), V).size == embedding + lstm + output
