"""Forcing a gate is editing its equation, in the step, in a text's predictions and in a completion."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.inspection.cell.unrolled import unroll_text
from rnnplay.inspection.predictions import predictions
from rnnplay.inspection.results import QUANTITIES, Forced
from rnnplay.inspection.what_if import forcing_hook
from rnnplay.model import cells
from rnnplay.model.generation.completion import complete
from tests.inspection.small import small, tokens_of, untouched

torch.set_num_threads(1)
TEXT = "a cat said"


def edited(model: Any, ids: list[int], change: Callable[[int, str, Tensor], Tensor]) -> list[Tensor]:
    """The top hidden state (H,) at each timestep, the equations written out here with `change` at each quantity."""
    config = model.config
    states = [(torch.zeros(config.hidden), torch.zeros(config.hidden)) for _ in range(config.layers)]
    tops = []
    for token in ids:
        x = model.embedding.weight[token]
        for layer in range(config.layers):
            weights = cells.layers(model.rnn)[layer]
            h, c = states[layer]
            u = (weights.weight_ih @ x + weights.bias_ih).view(-1, config.hidden)
            w = (weights.weight_hh @ h + weights.bias_hh).view(-1, config.hidden)
            if config.cell == "lstm":
                i, f = change(layer, "input_gate", (u[0] + w[0]).sigmoid()), (u[1] + w[1]).sigmoid()
                f = change(layer, "forget_gate", f)
                new = change(layer, "new_cell", (u[2] + w[2]).tanh())
                o = change(layer, "output_gate", (u[3] + w[3]).sigmoid())
                c = change(layer, "cell", f * c + i * new)
                h = change(layer, "hidden", o * c.tanh())
            elif config.cell == "gru":
                r = change(layer, "reset", (u[0] + w[0]).sigmoid())
                z = change(layer, "update", (u[1] + w[1]).sigmoid())
                new = change(layer, "new_hidden", (u[2] + r * w[2]).tanh())
                h = change(layer, "hidden", (1 - z) * new + z * h)
            else:
                h = change(layer, "hidden", (u[0] + w[0]).tanh())
            states[layer] = (h, c)
            x = h
        tops.append(x)
    return tops


ALL = [(cell, quantity) for cell, names in QUANTITIES.items() for quantity in names]


@pytest.mark.parametrize("units", [[], [2, 5]])
@pytest.mark.parametrize(("cell", "quantity"), ALL)
def test_forcing_is_editing_the_equation(cell: str, quantity: Any, units: list[int]) -> None:
    tokenizer = tokens_of()
    model = small(tokenizer, cell=cell, layers=2)
    forced = Forced(layer=0, quantity=quantity, value=0.25, units=units)

    def change(layer: int, name: str, value: Tensor) -> Tensor:
        if (layer, name) != (0, quantity):
            return value
        held = value.clone()
        held[units or slice(None)] = 0.25
        return held

    hook = forcing_hook(model.config, [forced])
    assert hook is not None
    assert tokenizer.newline is not None
    ids = [tokenizer.newline, *tokenizer.encode(TEXT).tolist()]
    with torch.no_grad():
        tops = edited(model, ids, change)
        plain = edited(model, ids, lambda _layer, _name, value: value)
    unrolled = unroll_text(model, tokenizer, TEXT, hook)
    torch.testing.assert_close(unrolled.layers[1]["hidden"], torch.stack(tops[1:]), rtol=1e-4, atol=1e-6)
    held = unrolled.layers[0][quantity]
    assert bool((held[:, units or slice(None)] == 0.25).all())
    assert not torch.allclose(torch.stack(tops), torch.stack(plain))

    logits = model.output(torch.stack(tops))
    shares = torch.softmax(logits, -1)
    found = predictions(model, tokenizer, TEXT, hook=hook)
    for place, one in enumerate(found.tokens):
        assert math.isclose(one.probability, float(shares[place, ids[place + 1]].detach()), rel_tol=1e-4)

    before = untouched(model)
    suggested = complete(model, tokenizer, TEXT, 5, hook)
    assert untouched(model) == before
    best = [share for _, share in suggested.next]
    torch.testing.assert_close(torch.tensor(best), shares[-1].topk(5).values.detach(), rtol=1e-4, atol=1e-6)


def test_nothing_forced_is_no_hook_and_a_hook_that_changes_nothing_is_the_untouched_completion() -> None:
    tokenizer = tokens_of("word")
    model = small(tokenizer, layers=2)
    assert forcing_hook(model.config, []) is None
    plain = complete(model, tokenizer, "The ca", 4)
    same = complete(model, tokenizer, "The ca", 4, lambda _layer, _quantity, value: value)
    assert plain.suggestion == same.suggestion
    assert [token for token, _ in plain.next] == [token for token, _ in same.next]


def test_the_later_of_two_holds() -> None:
    hook = forcing_hook(
        RunConfig(hidden=3),
        [
            Forced(layer=0, quantity="cell", value=1),
            Forced(layer=0, quantity="cell", value=2, units=[1]),
        ],
    )
    assert hook is not None
    assert hook(0, "cell", torch.zeros(1, 3)).tolist() == [[1, 2, 1]]
    assert hook(1, "cell", torch.zeros(1, 3)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("forced", "words"),
    [
        (Forced(layer=2, quantity="cell", value=0), "0 to 1"),
        (Forced(layer=0, quantity="reset", value=0), "LSTM cells have no reset"),
        (Forced(layer=0, quantity="cell", value=0, units=[8]), "0 to 7"),
        (Forced(layer=0, quantity="cell", value=math.inf), "finite"),
    ],
)
def test_what_the_model_does_not_have_is_refused(forced: Forced, words: str) -> None:
    with pytest.raises(InputError, match=words):
        forcing_hook(RunConfig(layers=2, hidden=8), [forced])
