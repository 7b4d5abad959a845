"""Locked dropout, dropout of words and weight drop compute what their equations say, forward and backward."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from rnnplay.config import RunConfig
from rnnplay.model import cells, recurrent
from rnnplay.model.language_model import IGNORED, LanguageModel
from rnnplay.model.regularisation import LockedDropout, draws, layer_by_layer

torch.set_num_threads(1)

V, B, T, E, H = 11, 3, 6, 5, 8
CELLS: list[dict[str, Any]] = [
    {"cell": "rnn"},
    {"cell": "rnn", "nonlinearity": "relu"},
    {"cell": "gru"},
    {"cell": "lstm"},
]


def naive(model: LanguageModel, ids: Tensor, config: RunConfig) -> Tensor:
    """The hidden states (B, T, H), timestep by timestep; masks drawn in the order in which the model draws them."""
    words = dropout(torch.ones(V), config.embedding_dropout)
    x = torch.stack([words[ids[:, t], None] * model.embedding.weight[ids[:, t]] for t in range(T)], dim=1)

    def drop(x: Tensor, p: float) -> Tensor:
        if config.dropout_kind == "token":
            return dropout(x, p)
        mask = dropout(torch.ones(B, 1, x.shape[2]), p)[:, 0]
        return torch.stack([one * mask for one in x.unbind(1)], dim=1)

    x = drop(x, config.input_dropout)
    for layer, weights in enumerate(cells.layers(model.rnn)):
        dropped = weights._replace(weight_hh=dropout(weights.weight_hh, config.weight_drop))
        x = drop(x, config.layer_dropout) if layer else x
        hidden = cell = torch.zeros(B, H)
        outputs = []
        step: Any
        for one in x.unbind(1):
            if config.cell == "lstm":
                step = cells.lstm_step(one, hidden, cell, dropped)
                hidden, cell = step.hidden, step.cell
            elif config.cell == "gru":
                hidden = cells.gru_step(one, hidden, dropped).hidden
            else:
                hidden = cells.rnn_step(one, hidden, dropped, config.nonlinearity).hidden
            outputs.append(hidden)
        x = torch.stack(outputs).transpose(0, 1)  # time first in memory, in whose order dropout draws
    return drop(x, config.dropout)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["cpu", "as-on-a-gpu"])
@pytest.mark.parametrize("kind", ["token", "locked"])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell.values()))
def test_numbers_and_gradients_equal_those_of_the_equations(
    cell: dict[str, Any], kind: str, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if elsewhere:
        monkeypatch.setattr(recurrent, "applies", lambda *_: False)
    values: dict[str, Any] = {"dropout": 0.3, "input_dropout": 0.6, "layer_dropout": 0.2, "dropout_kind": kind}
    values |= {"embedding_dropout": 0.4, "weight_drop": 0.5}
    config = RunConfig(embedding=E, hidden=H, layers=2, **cell, **values)
    model = LanguageModel(config, V)
    ids = torch.randint(0, V, (B, T), generator=torch.Generator().manual_seed(0))
    found = []
    for plain in (False, True):
        torch.manual_seed(4)
        hidden = naive(model, ids, config) if plain else model.read(ids)[0]
        used = [one for name, one in model.named_parameters() if not name.startswith("output")]
        found.append([hidden, *torch.autograd.grad(hidden.square().sum(), used)])
    for one, other in zip(*found, strict=True):
        assert bool(one.abs().max() > 0)
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_state_is_carried_through_dropped_weights() -> None:
    """A mask of nothing dropped computes what the plain layers do, from a given state too."""
    for cell in CELLS:
        plain = LanguageModel(RunConfig(embedding=E, hidden=H, layers=2, **cell), V)
        dropping = LanguageModel(RunConfig(embedding=E, hidden=H, layers=2, **cell, weight_drop=1e-12), V)
        ids = torch.arange(B * T).view(B, T) % V
        _, state = plain.read(ids)
        for one, other in zip(plain.read(ids, state), dropping.read(ids, state), strict=True):
            torch.testing.assert_close(one, other)


def test_locked_dropout_drops_the_fraction_it_is_given_and_the_same_at_all_timesteps() -> None:
    torch.manual_seed(1)
    locked = LockedDropout(0.25)
    found = locked(torch.ones(40, 5, 500))
    assert torch.equal(found, found[:, :1].expand_as(found))
    assert found.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert float((found == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert not torch.equal(found[0], found[1]) and not torch.equal(locked(torch.ones(40, 5, 500)), found)


def test_evaluation_drops_nothing() -> None:
    values: dict[str, Any] = {"dropout": 0.5, "dropout_kind": "locked", "embedding_dropout": 0.5, "weight_drop": 0.5}
    model = LanguageModel(RunConfig(embedding=E, hidden=H, layers=2, **values), V).eval()
    plain = LanguageModel(RunConfig(embedding=E, hidden=H, layers=2), V)
    ids = torch.arange(B * T).view(B, T) % V
    assert torch.equal(model(ids)[0], plain.eval()(ids)[0])


def test_without_them_the_layers_are_torchs_and_nothing_draws() -> None:
    assert not draws(RunConfig()) and not layer_by_layer(RunConfig(dropout=0.5, layers=3, embedding_dropout=0.1))
    assert RunConfig(dropout=0.5).dropouts == (0.5, 0.5, 0.5)
    assert RunConfig(dropout=0.4, input_dropout=0.65, layer_dropout=0.2).dropouts == (0.65, 0.2, 0.4)
    assert RunConfig(dropout=0.5, input_dropout=0).dropouts == (0.0, 0.5, 0.5)
    assert RunConfig(dropout=0.5, layer_dropout=0, input_dropout=-1).dropouts == (0.5, 0.0, 0.5)
    assert isinstance(LanguageModel(RunConfig(dropout=0.5, hidden=4, embedding=4), V).dropout, nn.Dropout)
    on = [RunConfig(dropout=0.1), RunConfig(embedding_dropout=0.1), RunConfig(weight_drop=0.1)]
    assert all(map(draws, [*on, RunConfig(tokens="word", softmax="sampled")]))


def test_activation_regularisation_is_added_to_what_is_minimised_and_not_to_the_loss() -> None:
    """Position by position, with a row that ends early, against α mean h̃² + β mean (h⁽ᵗ⁾ − h⁽ᵗ⁻¹⁾)²."""
    values: dict[str, Any] = {"dropout": 0.4, "ar_alpha": 2.0, "tar_beta": 3.0}
    model = LanguageModel(RunConfig(embedding=E, hidden=H, **values), V)
    ids = torch.arange(B * T).view(B, T) % V
    targets = ids.clone()
    targets[1, 4:] = IGNORED
    torch.manual_seed(8)
    objective, loss, _ = model.objective(ids, targets.flatten())
    torch.manual_seed(8)
    assert torch.equal(model.loss(ids, targets.flatten())[0], loss)
    torch.manual_seed(8)
    raw, _ = model.rnn(model.input_dropout(model.embedding(ids)))
    dropped = model.dropout(raw)
    ends = [T, 4, T]
    squares = [float(dropped[b, t].detach().square().mean()) for b in range(B) for t in range(ends[b])]
    changes = [float((raw[b, t] - raw[b, t - 1]).detach().square().mean()) for b in range(B) for t in range(1, ends[b])]
    expected = 2 * sum(squares) / len(squares) + 3 * sum(changes) / len(changes)
    assert (objective - loss).item() == pytest.approx(expected, rel=1e-4)
    gradient = torch.autograd.grad(objective, model.rnn.all_weights[0][1])[0]
    assert bool(gradient.isfinite().all() and gradient.abs().sum() > 0)
    plain = LanguageModel(RunConfig(embedding=E, hidden=H), V)
    objective, loss, _ = plain.objective(ids, targets.flatten())
    assert objective is loss
