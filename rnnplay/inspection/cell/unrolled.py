"""Records everything that a model's cells compute while it reads a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnplay.inspection.forward_pass import encode_text, undisturbed
from rnnplay.inspection.results import QUANTITIES, Quantity
from rnnplay.model import cells
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class UnrolledText:
    """A text, and the quantities of each layer at each of its tokens."""

    cell: str
    """"rnn", "lstm" or "gru"."""
    ids: list[int]
    previous: int | None
    """The token read before the first one: the newline, if the vocabulary has one."""
    tokens: list[str]
    """The T tokens as displayed."""
    layers: list[Mapping[Quantity, Tensor]]
    """For each layer, its quantities, (T, H) float32 on the CPU."""


def unroll_text(
    model: LanguageModel, tokenizer: Tokenizer, text: str, hook: cells.LayerHook | None = None
) -> UnrolledText:
    """Reads `text` in float32, with `hook` as in cells.step. Raises InputError if it is empty or too long."""
    encoded = encode_text(model, tokenizer, text)
    ids, begins = encoded.all, encoded.begins(encoded.all)
    with undisturbed(model), torch.inference_mode():
        embedded = model.embedding(torch.tensor(ids, device=model.device))  # (T, E)
        found = _in_parallel(model, embedded, begins) if hook is None else _one_by_one(model, embedded, begins, hook)
    first = len(encoded.before)
    return UnrolledText(
        cell=model.config.cell,
        ids=encoded.ids,
        previous=encoded.before[0] if first else None,
        tokens=[tokenizer.tokens[token] for token in encoded.ids],
        layers=[{name: tensor[first:].cpu() for name, tensor in layer.items()} for layer in found],
    )


def _one_by_one(
    model: LanguageModel, embedded: Tensor, begins: Sequence[int], hook: cells.LayerHook | None
) -> list[dict[Quantity, Tensor]]:
    history: list[list[cells.Step]] = []
    for start, stop in zip(begins, [*begins[1:], len(embedded)], strict=True):
        history += cells.unroll(model.rnn, embedded[None, start:stop], model.zero_state(1), hook)[2]
    names = QUANTITIES[model.config.cell]
    return [
        {name: torch.cat([getattr(step, name) for step in steps]) for name in names}
        for steps in zip(*history, strict=True)
    ]


def _in_parallel(model: LanguageModel, embedded: Tensor, begins: Sequence[int]) -> list[dict[Quantity, Tensor]]:
    """Returns the same several times faster: torch.nn finds the hidden states, the rest is computed in one batch.

    A timestep of a large cell takes as long as reading its weights from memory; in a batch, all timesteps share one
    read.
    """
    rnn, x = model.rnn, embedded  # (T, X)
    found: list[dict[Quantity, Tensor]] = []
    for weights in cells.layers(rnn):
        hidden = _layer(rnn, weights, x, begins)  # (T, H)
        before = _shifted(hidden, begins)
        step: cells.Step
        if isinstance(rnn, nn.LSTM):
            gates = cells.lstm_step(x, before, torch.zeros_like(hidden), weights)
            cell = _cell_states(gates, begins)
            step = cells.lstm_step(x, before, _shifted(cell, begins), weights)
        elif isinstance(rnn, nn.GRU):
            step = cells.gru_step(x, before, weights)
        else:
            step = cells.rnn_step(x, before, weights, str(rnn.nonlinearity))
        found.append({name: getattr(step, name) for name in QUANTITIES[model.config.cell]})
        x = hidden
    return found


def _layer(rnn: nn.RNNBase, weights: cells.Weights, x: Tensor, begins: Sequence[int]) -> Tensor:
    """The hidden states (T, H) of one layer for inputs x (T, X), by the function that torch.nn's layer calls."""
    zero = x.new_zeros(1, 1, weights.weight_hh.shape[1])
    settings = (list(weights), True, 1, 0.0, False, False, True)
    parts = []
    for start, stop in zip(begins, [*begins[1:], len(x)], strict=True):
        part = x[None, start:stop]
        if isinstance(rnn, nn.LSTM):
            hidden = torch.lstm(part, (zero, zero), *settings)[0]
        elif isinstance(rnn, nn.GRU):
            hidden = torch.gru(part, zero, *settings)[0]
        elif rnn.nonlinearity == "tanh":
            hidden = torch.rnn_tanh(part, zero, *settings)[0]
        else:
            hidden = torch.rnn_relu(part, zero, *settings)[0]
        parts.append(hidden[0])
    return torch.cat(parts)


def _cell_states(gates: cells.LSTMStep, begins: Sequence[int]) -> Tensor:
    """The cell states (T, H), from the gates of all timesteps."""
    written = gates.input_gate * gates.new_cell
    states: list[Tensor] = []
    starts = set(begins)
    for timestep, (kept, new) in enumerate(zip(gates.forget_gate.unbind(), written.unbind(), strict=True)):
        states.append(new if timestep in starts else torch.addcmul(new, kept, states[-1]))
    return torch.stack(states)


def _shifted(states: Tensor, begins: Sequence[int]) -> Tensor:
    """The states (T, H) that each timestep starts from: the previous timestep's, or zero where a sequence begins."""
    before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    before[list(begins)] = 0
    return before
