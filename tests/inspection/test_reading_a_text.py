"""Gates, predictions and connectivity of a text equal what plain torch.nn layers and hand-written equations give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnnplay.errors import InputError
from rnnplay.inspection.answer import Cache
from rnnplay.inspection.cell.unrolled import UnrolledText, unroll_text
from rnnplay.inspection.gates import gate_map
from rnnplay.inspection.predictions import connectivity, predictions
from rnnplay.inspection.questions import MAX_TOKENS
from rnnplay.inspection.results import QUANTITIES
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import build_tokenizer
from tests.inspection.small import CASES, TALE, Plain, small, tokens_of, untouched

torch.set_num_threads(1)
TEXT = 'a cat said, "no 3'


def by_hand(model: LanguageModel, ids: list[int]) -> list[dict[str, Tensor]]:
    """The gates by their equations, from the states that plain nn layers give; (T, H) a layer and quantity."""
    _, hidden, cell, embedded = Plain(model).run(ids)
    found = []
    below = torch.stack(embedded)
    for layer, states in enumerate(hidden):
        h = torch.cat(states)[:, 0]  # (T, H)
        before = torch.cat([torch.zeros(1, h.shape[1]), h[:-1]])
        weights = {name: getattr(model.rnn, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh")}
        biases = {name: getattr(model.rnn, f"{name}_l{layer}") for name in ("bias_ih", "bias_hh")}
        x = (below @ weights["weight_ih"].T + biases["bias_ih"]).split(h.shape[1], dim=1)
        u = (before @ weights["weight_hh"].T + biases["bias_hh"]).split(h.shape[1], dim=1)
        one: dict[str, Tensor] = {"hidden": h}
        if model.config.cell == "lstm":
            for place, name in enumerate(("input_gate", "forget_gate", "new_cell", "output_gate")):
                one[name] = (torch.tanh if name == "new_cell" else torch.sigmoid)(x[place] + u[place])
            one["cell"] = torch.cat(cell[layer])[:, 0]
        elif model.config.cell == "gru":
            one |= {"reset": torch.sigmoid(x[0] + u[0]), "update": torch.sigmoid(x[1] + u[1])}
            one["new_hidden"] = torch.tanh(x[2] + one["reset"] * u[2])
        found.append(one)
        below = h
    return found


@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_every_quantity_is_what_plain_layers_compute(cell: str, layers: int) -> None:
    tokenizer = tokens_of()
    model = small(tokenizer, cell=cell, layers=layers).train()
    before = untouched(model)
    unrolled = unroll_text(model, tokenizer, TEXT)
    assert untouched(model) == before
    assert tokenizer.newline is not None
    expected = by_hand(model, [tokenizer.newline, *tokenizer.encode(TEXT).tolist()])
    slowly = unroll_text(model, tokenizer, TEXT, hook=lambda _layer, _quantity, value: value)
    for layer in range(layers):
        assert set(unrolled.layers[layer]) == set(QUANTITIES[cell])
        for quantity, values in unrolled.layers[layer].items():
            assert values.shape == (len(TEXT), 9)
            torch.testing.assert_close(values, expected[layer][quantity][1:], rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(values, slowly.layers[layer][quantity], rtol=1e-4, atol=1e-6)
    assert unrolled.tokens == list(TEXT)


@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_connectivity_is_autograds_on_plain_layers(cell: str, layers: int) -> None:
    tokenizer = tokens_of()
    model = small(tokenizer, cell=cell, layers=layers, dropout=0.4).train()
    before = untouched(model)
    for position in (-1, 4):
        found = connectivity(model, tokenizer, TEXT, position)
        place = position % len(TEXT)
        assert tokenizer.newline is not None
        logits, _, _, embedded = Plain(model).run([tokenizer.newline, *tokenizer.encode(TEXT).tolist()[: place + 1]])
        grads = torch.autograd.grad(logits.max(), embedded)
        np.testing.assert_allclose(found.strengths, [float((g**2).sum()) for g in grads[1:]], rtol=1e-4)
        assert (found.position, found.target) == (place, tokenizer.tokens[int(logits.argmax())])
        assert found.tokens == list(TEXT)
    assert untouched(model) == before
    assert connectivity(model, tokenizer, TEXT, 99).position == len(TEXT) - 1


@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_predictions_are_those_of_plain_layers(cell: str, layers: int) -> None:
    tokenizer = tokens_of()
    model = small(tokenizer, cell=cell, layers=layers).train()
    before = untouched(model)
    found = predictions(model, tokenizer, TEXT + "§", "run", 3)
    assert untouched(model) == before
    ids = tokenizer.encode(TEXT + "§").tolist()
    assert tokenizer.newline is not None
    for place, one in enumerate(found.tokens):
        logits = Plain(model).run([tokenizer.newline, *ids[:place]])[0]
        shares = torch.softmax(logits.double(), 0)
        assert one.token == tokenizer.tokens[ids[place]]
        assert math.isclose(one.probability, float(shares[ids[place]].detach()), rel_tol=1e-4)
        assert one.rank == 1 + int((shares > shares[ids[place]]).sum())
        assert len(one.top) == 10
        assert one.top[0].token == tokenizer.tokens[int(shares.argmax())]
    assert math.isclose(found.loss, np.mean([-math.log(one.probability) for one in found.tokens]), rel_tol=1e-6)
    assert math.isclose(found.perplexity, math.exp(found.loss))
    assert found.unknown == ["§"]


def test_a_model_of_lines_begins_each_line_anew() -> None:
    """As in training: before the newline that a line begins with, the state is zero."""
    tokenizer = tokens_of()
    model = small(tokenizer, feed="lines")
    two, one = unroll_text(model, tokenizer, "a cat\nsat"), unroll_text(model, tokenizer, "sat")
    torch.testing.assert_close(two.layers[0]["cell"][-3:], one.layers[0]["cell"])
    pair, single = predictions(model, tokenizer, "a cat\nsat"), predictions(model, tokenizer, "sat")
    np.testing.assert_allclose(
        [token.surprisal for token in pair.tokens[-3:]], [token.surprisal for token in single.tokens], rtol=1e-5
    )
    strengths = connectivity(model, tokenizer, "a cat\nsat").strengths
    assert strengths[:5] == [0.0] * 5
    assert min(strengths[5:]) > 0


def test_without_a_newline_to_begin_after_the_first_token_is_not_predicted() -> None:
    tokenizer = build_tokenizer(["abcabc"], "char")
    assert tokenizer.newline is None
    model = small(tokenizer)
    found = predictions(model, tokenizer, "abc")
    assert [one.token for one in found.tokens] == ["a", "b", "c"]
    assert (found.tokens[0].rank, found.tokens[0].top) == (None, [])
    assert math.isnan(found.tokens[0].surprisal)
    assert math.isclose(found.loss, (found.tokens[1].surprisal + found.tokens[2].surprisal) / 2)
    assert math.isnan(predictions(model, tokenizer, "a").loss)
    assert len(unroll_text(model, tokenizer, "abc").tokens) == len(connectivity(model, tokenizer, "abc").strengths) == 3


@pytest.mark.parametrize("text", ["", "a" * (MAX_TOKENS + 1)])
def test_texts_that_cannot_be_inspected_are_refused(text: str) -> None:
    model = small(tokens_of())
    for look in (unroll_text, predictions, connectivity):
        with pytest.raises(InputError, match="inspect"):
            look(model, tokens_of(), text)


def test_a_model_that_has_diverged_is_shown_as_it_is() -> None:
    tokenizer = tokens_of()
    model = small(tokenizer)
    with torch.no_grad():
        model.rnn.get_parameter("weight_hh_l0").fill_(math.nan)
    scored = predictions(model, tokenizer, TEXT)
    assert math.isnan(scored.loss)
    assert {one.rank for one in scored.tokens[1:]} == {None}
    assert not any(one.top for one in scored.tokens[1:])
    for order in ("index", "variance", "saturation", "property"):
        found = gate_map(unroll_text(model, tokenizer, TEXT), tokenizer, order=order)
        assert all(math.isnan(score) for score in found.scores)
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert sum(found.histogram) < found.units * len(found.tokens), "NaN is in no bin"
    found_strengths = connectivity(model, tokenizer, TEXT)
    assert math.isnan(found_strengths.strengths[0])
    assert found_strengths.target is None


def test_a_part_that_is_not_finite_is_not_left_out_of_the_loss() -> None:
    tokenizer = tokens_of()
    model = small(tokenizer)
    with torch.no_grad():
        model.embedding.weight[tokenizer.encode("O").tolist()] = math.nan
    found = predictions(model, tokenizer, "a catO sat")
    assert found.tokens[1].rank is not None
    assert found.tokens[-1].rank is None
    assert math.isnan(found.loss)


# --- the heatmap


def crafted(values: Any, cell: str = "lstm", quantity: str = "forget_gate") -> UnrolledText:
    """A text `ab"cd"` whose units are given, (T, H)."""
    tensor = torch.tensor(values, dtype=torch.float32)
    names = QUANTITIES[cell]
    layer: Any = {name: tensor if name == quantity else torch.zeros_like(tensor) for name in names}
    text = 'ab"cd"'
    return UnrolledText(cell, tokens_of().encode(text).tolist(), None, list(text), [layer])


UNITS = np.array(
    [
        [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],  # constant
        [0.05, 0.95, 0.05, 0.95, 0.5, 0.5],  # saturated, and varies most
        [0.2, 0.2, 0.7, 0.7, 0.7, 0.2],  # inside quotes
        [0.6, 0.6, 0.4, 0.4, 0.4, 0.6],  # outside, as exactly
    ]
)


def test_units_come_in_the_order_asked_for() -> None:
    unrolled, tokenizer = crafted(UNITS.T), tokens_of()
    show = {"quantity": "forget_gate"}
    index = gate_map(unrolled, tokenizer, **show)  # type: ignore[arg-type]
    assert index.shown == [0, 1, 2, 3]
    np.testing.assert_allclose(index.values, UNITS, rtol=1e-6)
    variance = gate_map(unrolled, tokenizer, order="variance", **show)  # type: ignore[arg-type]
    assert variance.shown == [1, 2, 3, 0]
    np.testing.assert_allclose(variance.scores, UNITS.var(1)[[1, 2, 3, 0]], atol=1e-7)
    saturation = gate_map(unrolled, tokenizer, order="saturation", **show)  # type: ignore[arg-type]
    assert saturation.shown[0] == 1
    np.testing.assert_allclose(saturation.scores, [4 / 6, 0, 0, 0])
    quotes = gate_map(unrolled, tokenizer, order="property", property="quotes", **show)  # type: ignore[arg-type]
    assert set(quotes.shown[:2]) == {2, 3}
    scores = dict(zip(quotes.shown, quotes.scores, strict=True))
    assert math.isclose(scores[2], 1, rel_tol=1e-6)
    assert math.isclose(scores[3], -1, rel_tol=1e-6)
    assert scores[0] == 0
    inside = [0, 0, 1, 1, 1, 0]
    assert math.isclose(scores[1], np.corrcoef(UNITS[1], inside)[0, 1], rel_tol=1e-5)


def test_shares_and_histogram_count_all_units() -> None:
    gates = gate_map(crafted(UNITS.T), tokens_of(), quantity="forget_gate", count=1)
    assert math.isclose(gates.low, 2 / 24)
    assert math.isclose(gates.high, 2 / 24)
    counts = np.histogram(UNITS, bins=20, range=(0, 1))[0]
    assert sum(gates.histogram) == counts.sum() == 24
    cells = gate_map(crafted([[-3.0, -0.95], [0.0, 0.5], [2.0, 0.05]], quantity="cell"), tokens_of(), quantity="cell")
    assert math.isclose(cells.low, 2 / 6)
    assert math.isclose(cells.high, 3 / 6)
    assert cells.histogram[0] == 2
    assert cells.histogram[-1] == 1
    assert sum(cells.histogram) == 6


def test_what_is_not_there_is_brought_within_range() -> None:
    unrolled = crafted(UNITS.T)
    found = gate_map(unrolled, tokens_of(), layer=7, quantity="reset", first=99, count=3)
    assert (found.layer, found.quantity, found.first, found.shown) == (0, "hidden", 1, [1, 2, 3])
    assert gate_map(unrolled, tokens_of(), count=0).shown == [0]
    assert (found.layers, found.units, found.cell) == (1, 4, "lstm")


def test_the_text_is_read_again_only_if_it_must_be() -> None:
    tokenizer = tokens_of()
    model, cache = small(tokenizer), Cache()
    first = cache.unrolled(model, tokenizer, TEXT, 1)
    assert cache.unrolled(model, tokenizer, TEXT, 1) is first
    assert cache.unrolled(model, tokenizer, TEXT, 2) is not first
    second = cache.unrolled(model, tokenizer, TEXT, 2)
    assert cache.unrolled(model, tokenizer, TALE, 2) is not second
    third = cache.unrolled(model, tokenizer, TALE, 2)
    model.load_weights({name: tensor * 2 for name, tensor in model.weights().items()})  # back to another checkpoint
    assert cache.unrolled(model, tokenizer, TALE, 2) is not third
