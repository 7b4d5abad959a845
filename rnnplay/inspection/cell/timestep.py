"""Walks through one timestep of an LSTM: every number of its equations, forward and backward."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from rnnplay.errors import InputError
from rnnplay.inspection.forward_pass import encode_text, undisturbed
from rnnplay.inspection.results import LSTMNumbers, Timestep
from rnnplay.model import cells
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer


def timestep(
    model: LanguageModel,
    tokenizer: Tokenizer,
    text: str,
    position: int = -1,
    first: int = 0,
    count: int = 2,
    run: str = "",
    step: int = 0,
) -> Timestep:
    """Computes the timestep of the top layer that reads token `position` of `text` and predicts the one after it.

    The gradients are those of this timestep's loss alone, with the states before it as given: what one step of
    backpropagation through time computes before later losses are added. They are computed from the equations (in
    float64) and compared with autograd's. A negative `position` counts from the last token that has another after it;
    it is clamped to the text, and `first` (with `count`, the units returned) to the layer. Raises InputError for a
    model that is no LSTM, and for a text that is empty, too long, or a single token.
    """
    if model.config.cell != "lstm":
        raise InputError(
            f"This model's cells are {model.config.cell.upper()}; the timestep walked through is an LSTM's: "
            "inspect a run that was trained with --cell lstm."
        )
    encoded = encode_text(model, tokenizer, text)
    if len(encoded.ids) < 2:
        raise InputError("The text is a single token; a timestep predicts the next one, so enter at least two.")
    last = len(encoded.ids) - 2
    position = min(max(0, position + last + 1 if position < 0 else position), last)
    ids = encoded.all[: len(encoded.before) + position + 1]
    ids = ids[encoded.begins(ids)[-1] :]
    target = encoded.ids[position + 1]
    with undisturbed(model), torch.no_grad():
        embedded = model.embedding(torch.tensor(ids, device=model.device))  # (T, E)
        state = model.zero_state(1)
        if len(ids) > 1:
            state = model.rnn(embedded[None, :-1], state)[1]
        below, _ = cells.step(model.rnn, embedded[-1:], state)
        x = (below[-2].hidden if len(below) > 1 else embedded[-1:]).double().cpu()  # (1, X)
        hidden_before, cell_before = (one[-1].double().cpu() for one in state)  # (1, H) each
        weights = cells.Weights(*(weight.double().cpu() for weight in cells.layers(model.rnn)[-1]))
        sums = linear(hidden_before, weights.weight_hh, weights.bias_hh) + linear(x, weights.weight_ih, weights.bias_ih)
        with torch.enable_grad():
            states = hidden_before.requires_grad_(), cell_before.requires_grad_()
            forward = cells.lstm_step(x, *states, weights)
            logits = model.logits(forward.hidden.float().to(model.device))  # (1, V)
            loss = cross_entropy(logits, torch.tensor([target], device=model.device))
            automatic = torch.autograd.grad(loss, [*forward, *states])
        loss = loss.detach()
        values, gradients = _numbers(forward, sums, hidden_before, cell_before, weights, automatic[5])
    names = (*forward._fields, "hidden_before", "cell_before")
    first = min(max(0, first), max(0, model.config.hidden - count))
    units = list(range(first, min(first + count, model.config.hidden)))
    return Timestep(
        run=run,
        step=step,
        layer=model.config.layers - 1,
        hidden=model.config.hidden,
        units=units,
        tokens=[tokenizer.tokens[token] for token in encoded.ids],
        position=position,
        probability=math.exp(-float(loss)),
        loss=float(loss),
        values=_of_units(values, units),
        gradients=_of_units(gradients, units),
        difference=_difference([(gradients[name], one) for name, one in zip(names, automatic, strict=True)]),
    )


def _numbers(
    forward: cells.LSTMStep,
    sums: Tensor,
    hidden_before: Tensor,
    cell_before: Tensor,
    weights: cells.Weights,
    from_output: Tensor,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns the fields of LSTMNumbers, (1, H) each: the values, and ∂L/∂ each of them from ∂L/∂h⁽ᵗ⁾ `from_output`.

    The equations are those of cells.lstm_step, differentiated by hand.
    """
    i, f, o, new, cell, hidden = (one.detach() for one in forward)
    squashed = cell.tanh()
    hidden_before, cell_before = hidden_before.detach(), cell_before.detach()
    input_sum, forget_sum, new_sum, output_sum = sums.chunk(4, dim=-1)  # torch's order
    values = {
        "hidden_before": hidden_before,
        "cell_before": cell_before,
        "input_sum": input_sum,
        "forget_sum": forget_sum,
        "output_sum": output_sum,
        "new_sum": new_sum,
        "input_gate": i,
        "forget_gate": f,
        "output_gate": o,
        "new_cell": new,
        "cell": cell,
        "squashed": squashed,
        "hidden": hidden,
    }
    d_output, d_squashed = from_output * squashed, from_output * o
    d_cell = d_squashed * (1 - squashed.square())
    d_forget, d_input, d_new = d_cell * cell_before, d_cell * new, d_cell * i
    d_sums = {
        "input_sum": d_input * i * (1 - i),
        "forget_sum": d_forget * f * (1 - f),
        "new_sum": d_new * (1 - new.square()),
        "output_sum": d_output * o * (1 - o),
    }
    gradients = {
        **d_sums,
        "hidden": from_output,
        "output_gate": d_output,
        "squashed": d_squashed,
        "cell": d_cell,
        "forget_gate": d_forget,
        "input_gate": d_input,
        "new_cell": d_new,
        "cell_before": d_cell * f,
        "hidden_before": torch.cat(list(d_sums.values()), dim=-1) @ weights.weight_hh,
    }
    return values, gradients


def _of_units(numbers: dict[str, Tensor], units: list[int]) -> LSTMNumbers:
    return LSTMNumbers(**{name: number[0, units].tolist() for name, number in numbers.items()})


def _difference(pairs: list[tuple[Tensor, Tensor]]) -> float:
    """Returns the largest difference between two gradients of a pair, relative to the largest gradient; NaN if any is.

    0 if all gradients are 0.
    """
    largest = max(float(one.abs().max()) for _, one in pairs)
    differences = torch.stack([(one - other).abs().max() for one, other in pairs])
    return float(differences.max()) / largest if largest else float(differences.max())
