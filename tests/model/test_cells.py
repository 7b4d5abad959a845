"""The cells written as equations compute what torch.nn computes, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from rnnplay.model import cells
from rnnplay.model.language_model import State

torch.set_num_threads(1)

B, T, E, H = 3, 7, 4, 5

MAKERS: dict[str, Callable[[int], nn.RNNBase]] = {
    "tanh": lambda layers: nn.RNN(E, H, layers, batch_first=True),
    "relu": lambda layers: nn.RNN(E, H, layers, nonlinearity="relu", batch_first=True),
    "gru": lambda layers: nn.GRU(E, H, layers, batch_first=True),
    "lstm": lambda layers: nn.LSTM(E, H, layers, batch_first=True),
}
CASES = list(product(MAKERS, (1, 2)))


def make(cell: str, layers: int) -> tuple[nn.RNNBase, Tensor, list[Tensor]]:
    """Random weights (biases too), inputs and initial state, in float64 and wanting gradients."""
    torch.manual_seed(5)
    rnn = MAKERS[cell](layers).double()
    for weight in rnn.parameters():
        nn.init.normal_(weight, std=0.6)
    inputs = torch.randn(B, T, E, dtype=torch.float64, requires_grad=True)
    parts = [torch.randn(layers, B, H, dtype=torch.float64, requires_grad=True) for _ in range(1 + (cell == "lstm"))]
    return rnn, inputs, parts


def as_state(parts: list[Tensor]) -> State:
    return parts[0] if len(parts) == 1 else (parts[0], parts[1])


def as_parts(state: State) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else list(state)


@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_the_unrolled_cells_equal_torch_forward(cell: str, layers: int) -> None:
    rnn, inputs, parts = make(cell, layers)
    expected, expected_state = rnn(inputs, as_state(parts))
    hidden, state, history = cells.unroll(rnn, inputs, as_state(parts))
    torch.testing.assert_close(hidden, expected)
    for own, theirs in zip(as_parts(state), as_parts(expected_state), strict=True):
        torch.testing.assert_close(own, theirs)
    assert len(history) == T
    assert all(len(steps) == layers for steps in history)


@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_gradients_flow_back_as_in_torch(cell: str, layers: int) -> None:
    """Both directions: down to the inputs and back to the initial state; and into every weight."""
    rnn, inputs, parts = make(cell, layers)
    wanted = [inputs, *parts, *rnn.parameters()]
    mix = torch.randn(B, T, H, dtype=torch.float64)

    def gradients(hidden: Tensor, state: State) -> tuple[Tensor, ...]:
        loss = (hidden * mix).sum() + sum((part**2).sum() for part in as_parts(state))
        return torch.autograd.grad(loss, wanted)

    theirs = gradients(*rnn(inputs, as_state(parts)))
    hidden, state, _ = cells.unroll(rnn, inputs, as_state(parts))
    own = gradients(hidden, state)
    assert all(bool(gradient.abs().max() > 0) for gradient in own)
    for one, other in zip(own, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", [cell for cell in MAKERS if cell != "relu"])
def test_gradients_equal_finite_differences(cell: str) -> None:
    rnn, inputs, parts = make(cell, 1)
    weights = cells.layers(rnn)[0]
    leaves = [part.detach()[0].requires_grad_() for part in parts]

    def one_step(x: Tensor, *others: Tensor) -> Tensor:
        state, given = others[: len(leaves)], cells.Weights(*others[len(leaves) :])
        if cell == "lstm":
            return torch.cat(cells.lstm_step(x, state[0], state[1], given), dim=-1)
        if cell == "gru":
            return torch.cat(cells.gru_step(x, state[0], given), dim=-1)
        return torch.cat(cells.rnn_step(x, state[0], given), dim=-1)

    x = inputs.detach()[:, 0].requires_grad_()
    assert torch.autograd.gradcheck(one_step, (x, *leaves, *weights))


def test_the_lstm_gates_are_the_ones_they_are_named() -> None:
    """Each gate is driven by its own bias alone, and does what the notes say it does."""
    size = 2
    zeros = torch.zeros(4 * size, size)
    before = torch.tensor([[0.5, -0.25]])  # the cell state

    def run(i: float, f: float, new: float, o: float) -> cells.LSTMStep:
        bias = torch.tensor([i, f, new, o], dtype=torch.float32).repeat_interleave(size)
        weights = cells.Weights(zeros, zeros, bias, torch.zeros(4 * size))
        return cells.lstm_step(torch.zeros(1, size), torch.zeros(1, size), before, weights)

    held = run(i=-99, f=99, new=3, o=99)
    torch.testing.assert_close(held.cell, before)  # forget gate open, input gate shut: nothing is forgotten
    torch.testing.assert_close(held.hidden, torch.tanh(before))
    written = run(i=99, f=-99, new=99, o=99)
    torch.testing.assert_close(written.cell, torch.ones(1, size))
    torch.testing.assert_close(written.new_cell, torch.ones(1, size))
    silent = run(i=99, f=99, new=99, o=-99)
    torch.testing.assert_close(silent.hidden, torch.zeros(1, size))
    assert float(silent.input_gate.min()) == float(silent.forget_gate.min()) == 1.0


def test_the_gru_keeps_its_state_where_the_update_gate_is_one() -> None:
    size = 2
    zeros = torch.zeros(3 * size, size)
    before = torch.tensor([[0.5, -0.25]])
    bias = torch.tensor([0.0, 99.0, 1.0]).repeat_interleave(size)  # r, z, h̃
    kept = cells.gru_step(torch.zeros(1, size), before, cells.Weights(zeros, zeros, bias, torch.zeros(3 * size)))
    torch.testing.assert_close(kept.hidden, before)
    torch.testing.assert_close(kept.update, torch.ones(1, size))
    torch.testing.assert_close(kept.reset, torch.full((1, size), 0.5))


def test_a_pair_of_states_is_refused_by_a_gru() -> None:
    rnn, inputs, parts = make("gru", 1)
    with pytest.raises(TypeError, match="LSTM"):
        cells.step(rnn, inputs[:, 0], (parts[0], parts[0]))
