"""One timestep of each recurrent cell, written as the equations are.

Training runs torch.nn's layers, which compute the same many times faster over a whole sequence; tests hold the two
equal, forward and backward. Here every gate can be read, so this is what shows the inside of a cell; and over one
timestep of one sequence it is the faster of the two, so text is also sampled with it.

Notation of the course notes (Stanford CS224n): x⁽ᵗ⁾ input, h⁽ᵗ⁾ hidden state, c⁽ᵗ⁾ cell state, c̃⁽ᵗ⁾ new cell content,
i, f, o input, forget and output gate, σ the logistic function, ∘ product element by element. W multiplies the hidden
state and U the input, as in the notes: torch calls them weight_hh and weight_ih, and has two biases where one would do.
Shapes as in language_model; X is E in the first layer and H in those above.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from rnnplay.model.language_model import State


class Weights(NamedTuple):
    """One layer's tensors, the gates' blocks stacked in torch's order."""

    weight_ih: Tensor  # (G·H, X)
    weight_hh: Tensor  # (G·H, H)
    bias_ih: Tensor  # (G·H,)
    bias_hh: Tensor  # (G·H,)


class RNNStep(NamedTuple):
    """What one timestep of a plain RNN computes; all (B, H)."""

    preactivation: Tensor
    hidden: Tensor


class GRUStep(NamedTuple):
    """What one timestep of a GRU computes; all (B, H)."""

    reset: Tensor
    update: Tensor
    new_hidden: Tensor
    hidden: Tensor


class LSTMStep(NamedTuple):
    """What one timestep of an LSTM computes; all (B, H)."""

    input_gate: Tensor
    forget_gate: Tensor
    output_gate: Tensor
    new_cell: Tensor
    cell: Tensor
    hidden: Tensor


Step = RNNStep | GRUStep | LSTMStep

Hook = Callable[[str, Tensor], Tensor]
"""Called with a quantity's name (a field of the steps) and its value (B, H); returns the value to use."""

LayerHook = Callable[[int, str, Tensor], Tensor]
"""The same, preceded by the layer's number."""


def as_computed(_quantity: str, value: Tensor) -> Tensor:
    """The hook that changes nothing."""
    return value


def rnn_step(
    x: Tensor, hidden: Tensor, weights: Weights, nonlinearity: str = "tanh", hook: Hook = as_computed
) -> RNNStep:
    """Plain RNN (Elman 1990); x (B, X), hidden (B, H); nonlinearity "tanh" or "relu".

    h⁽ᵗ⁾ = tanh(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b)
    """
    z = linear(hidden, weights.weight_hh, weights.bias_hh) + linear(x, weights.weight_ih, weights.bias_ih)  # (B, H)
    return RNNStep(z, hook("hidden", torch.tanh(z) if nonlinearity == "tanh" else torch.relu(z)))


def gru_step(x: Tensor, hidden: Tensor, weights: Weights, hook: Hook = as_computed) -> GRUStep:
    """Gated recurrent unit (Cho et al. 2014); x (B, X), hidden (B, H).

    r⁽ᵗ⁾ = σ(W_r h⁽ᵗ⁻¹⁾ + U_r x⁽ᵗ⁾ + b_r)                       reset gate
    z⁽ᵗ⁾ = σ(W_z h⁽ᵗ⁻¹⁾ + U_z x⁽ᵗ⁾ + b_z)                       update gate
    h̃⁽ᵗ⁾ = tanh(r⁽ᵗ⁾ ∘ (W_h h⁽ᵗ⁻¹⁾ + b_hh) + U_h x⁽ᵗ⁾ + b_ih)    new hidden content
    h⁽ᵗ⁾ = (1 − z⁽ᵗ⁾) ∘ h̃⁽ᵗ⁾ + z⁽ᵗ⁾ ∘ h⁽ᵗ⁻¹⁾

    This is torch's form. The notes' update gate is 1 − z, and their reset gate acts on h⁽ᵗ⁻¹⁾ before W_h, not after.
    """
    from_x = linear(x, weights.weight_ih, weights.bias_ih).chunk(3, dim=-1)  # three (B, H): r, z, h̃
    from_h = linear(hidden, weights.weight_hh, weights.bias_hh).chunk(3, dim=-1)
    r = hook("reset", torch.sigmoid(from_h[0] + from_x[0]))
    z = hook("update", torch.sigmoid(from_h[1] + from_x[1]))
    new = hook("new_hidden", torch.tanh(r * from_h[2] + from_x[2]))
    return GRUStep(r, z, new, hook("hidden", (1 - z) * new + z * hidden))


def lstm_step(x: Tensor, hidden: Tensor, cell: Tensor, weights: Weights, hook: Hook = as_computed) -> LSTMStep:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, Gers et al. 2000); x (B, X), hidden and cell (B, H).

    f⁽ᵗ⁾ = σ(W_f h⁽ᵗ⁻¹⁾ + U_f x⁽ᵗ⁾ + b_f)       forget gate: what is kept of the cell
    i⁽ᵗ⁾ = σ(W_i h⁽ᵗ⁻¹⁾ + U_i x⁽ᵗ⁾ + b_i)       input gate: what is written to it
    o⁽ᵗ⁾ = σ(W_o h⁽ᵗ⁻¹⁾ + U_o x⁽ᵗ⁾ + b_o)       output gate: what is read from it
    c̃⁽ᵗ⁾ = tanh(W_c h⁽ᵗ⁻¹⁾ + U_c x⁽ᵗ⁾ + b_c)    new cell content
    c⁽ᵗ⁾ = f⁽ᵗ⁾ ∘ c⁽ᵗ⁻¹⁾ + i⁽ᵗ⁾ ∘ c̃⁽ᵗ⁾
    h⁽ᵗ⁾ = o⁽ᵗ⁾ ∘ tanh c⁽ᵗ⁾
    """
    gates = linear(hidden, weights.weight_hh, weights.bias_hh) + linear(x, weights.weight_ih, weights.bias_ih)
    i, f, new, o = gates.chunk(4, dim=-1)  # torch's order; four (B, H)
    i, f = hook("input_gate", torch.sigmoid(i)), hook("forget_gate", torch.sigmoid(f))
    o, new = hook("output_gate", torch.sigmoid(o)), hook("new_cell", torch.tanh(new))
    cell = hook("cell", f * cell + i * new)
    return LSTMStep(i, f, o, new, cell, hook("hidden", o * torch.tanh(cell)))


def layers(rnn: nn.RNNBase) -> list[Weights]:
    """The weights of `rnn`, layer by layer from the input up."""
    return [Weights(*(getattr(rnn, f"{name}_l{layer}") for name in Weights._fields)) for layer in range(rnn.num_layers)]


def step(rnn: nn.RNNBase, x: Tensor, state: State, hook: LayerHook | None = None) -> tuple[list[Step], State]:
    """One timestep through all layers of `rnn`, without dropout.

    x (B, E); state as torch's: h (L, B, H), of an LSTM (h, c). Returns what each layer computed, from the input up
    (the last one's hidden is what `rnn` returns), and the new state. `hook` may change each quantity as it is
    computed, and so all that follows from it; of an RNN the hidden state only.
    """
    stacked = layers(rnn)
    hooks: list[Hook] = [partial(hook, layer) if hook else as_computed for layer in range(len(stacked))]
    steps: list[Step] = []
    if isinstance(rnn, nn.LSTM):
        hiddens, cells = state
        lstm: list[LSTMStep] = []
        for weights, own, hidden, cell in zip(stacked, hooks, hiddens.unbind(), cells.unbind(), strict=True):
            lstm.append(lstm_step(x, hidden, cell, weights, own))
            x = lstm[-1].hidden  # (B, H)
        steps.extend(lstm)
        return steps, (torch.stack([s.hidden for s in lstm]), torch.stack([s.cell for s in lstm]))
    if not isinstance(state, Tensor):
        raise TypeError("a pair of states is an LSTM's")
    for weights, own, hidden in zip(stacked, hooks, state.unbind(), strict=True):
        if isinstance(rnn, nn.GRU):
            steps.append(gru_step(x, hidden, weights, own))
        else:
            steps.append(rnn_step(x, hidden, weights, str(rnn.nonlinearity), own))
        x = steps[-1].hidden
    return steps, torch.stack([s.hidden for s in steps])


def unroll(
    rnn: nn.RNNBase, inputs: Tensor, state: State, hook: LayerHook | None = None
) -> tuple[Tensor, State, list[list[Step]]]:
    """`step` over all timesteps of inputs (B, T, E).

    Returns the top layer's hidden states (B, T, H), the last state, and what each timestep's layers computed.
    """
    history: list[list[Step]] = []
    for x in inputs.unbind(1):  # (B, E)
        steps, state = step(rnn, x, state, hook)
        history.append(steps)
    return torch.stack([steps[-1].hidden for steps in history], dim=1), state, history
