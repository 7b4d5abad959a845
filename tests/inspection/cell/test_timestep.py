"""One timestep of an LSTM in numbers: those of torch's own cell, and gradients that autograd confirms."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from rnnplay.errors import InputError
from rnnplay.inspection.cell.timestep import timestep
from rnnplay.model import cells
from tests.inspection.small import small, tokens_of, untouched

torch.set_num_threads(1)
TEXT = "a cat said"


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("position", [0, 4, -1])
def test_the_numbers_are_those_of_torchs_cell(layers: int, position: int) -> None:
    """Computed again with nn.LSTM for the text before and nn.LSTMCell for the timestep, in float64."""
    tokenizer = tokens_of()
    model = small(tokenizer, cell="lstm", layers=layers)
    before = untouched(model)
    found = timestep(model, tokenizer, TEXT, position, count=9)
    assert untouched(model) == before
    at = position if position >= 0 else len(TEXT) - 2
    assert (found.position, found.tokens, found.units) == (at, list(TEXT), list(range(9)))

    ids = [tokenizer.newline, *tokenizer.encode(TEXT).tolist()]
    embedded = model.embedding(torch.tensor(ids[: at + 2])).double().detach()
    rnn = nn.LSTM(6, 9, num_layers=layers, batch_first=True).double()
    rnn.load_state_dict({name: weight.double() for name, weight in model.rnn.state_dict().items()})
    hidden, cell = rnn(embedded[None, :-1])[1]
    x = embedded[-1:]
    if layers == 2:
        x = rnn(embedded[None])[0].new_tensor(lower_layer(rnn, embedded))
    h, c = (one[-1].detach().requires_grad_() for one in (hidden, cell))
    single = nn.LSTMCell(x.shape[1], 9).double()
    with torch.no_grad():
        for name, weight in single.named_parameters():
            weight.copy_(getattr(rnn, f"{name}_l{layers - 1}"))
    new_h, new_c = single(x, (h, c))
    logits = nn.functional.linear(new_h, model.output.weight.double(), model.output.bias.double())
    loss = nn.functional.cross_entropy(logits, torch.tensor(ids[at + 2 : at + 3]))
    wanted = torch.autograd.grad(loss, [h, c, new_h, new_c])
    assert found.loss == pytest.approx(loss.item(), rel=1e-5)
    assert found.probability == pytest.approx(math.exp(-loss.item()), rel=1e-5)
    values: dict[str, Any] = {"hidden_before": h, "cell_before": c, "hidden": new_h, "cell": new_c}
    for (name, value), gradient in zip(values.items(), wanted, strict=True):
        assert getattr(found.values, name) == pytest.approx(value.flatten().tolist(), abs=1e-6), name
        assert getattr(found.gradients, name) == pytest.approx(gradient.flatten().tolist(), abs=1e-6), name
    assert 0 <= found.difference < 1e-9


def lower_layer(rnn: nn.LSTM, embedded: torch.Tensor) -> list[list[float]]:
    """The first layer's last hidden state, (1, H)."""
    one = nn.LSTM(6, 9, batch_first=True).double()
    one.load_state_dict({name: weight for name, weight in rnn.state_dict().items() if name.endswith("l0")})
    found: list[list[float]] = one(embedded[None])[0][0, -1:].tolist()
    return found


def test_the_sums_lead_to_the_gates_and_their_gradients_to_the_sums() -> None:
    """What the picture shows between two boxes adds up: z, σ(z), and σ' on the way back."""
    tokenizer = tokens_of()
    found = timestep(small(tokenizer, cell="lstm"), tokenizer, TEXT, first=3)
    assert found.units == [3, 4]
    for gate, total in (("input_gate", "input_sum"), ("forget_gate", "forget_sum"), ("output_gate", "output_sum")):
        for value, z, gradient, of_z in zip(
            *(getattr(numbers, name) for numbers in (found.values, found.gradients) for name in (gate, total)),
            strict=True,
        ):
            assert value == pytest.approx(1 / (1 + math.exp(-z)))
            assert of_z == pytest.approx(gradient * value * (1 - value))
    for f, of_c, of_before in zip(
        found.values.forget_gate, found.gradients.cell, found.gradients.cell_before, strict=True
    ):
        assert of_before == pytest.approx(f * of_c)


def test_a_wrong_equation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference from autograd is a measurement: with another cell it is not small."""
    tokenizer = tokens_of()
    model = small(tokenizer, cell="lstm")
    right = cells.lstm_step

    def wrong(*arguments: Any) -> Any:
        step = right(*arguments)
        return step._replace(hidden=step.output_gate * step.cell)  # without the tanh

    monkeypatch.setattr(cells, "lstm_step", wrong)
    assert timestep(model, tokenizer, TEXT).difference > 1e-3


def test_units_and_position_beyond_the_ends_are_the_nearest() -> None:
    """The interface turns pages without knowing where the last one ends."""
    tokenizer = tokens_of()
    model = small(tokenizer, cell="lstm")
    assert timestep(model, tokenizer, TEXT, position=99, first=99).position == len(TEXT) - 2
    assert timestep(model, tokenizer, TEXT, position=-99, first=99).units == [7, 8]
    assert timestep(small(tokenizer, cell="lstm", hidden=1), tokenizer, TEXT).units == [0]


def test_a_line_begins_from_zero_where_lines_are_sequences() -> None:
    """A newline resets the state of a model of lines, as in training."""
    tokenizer = tokens_of()
    model = small(tokenizer, cell="lstm", feed="lines")
    found = timestep(model, tokenizer, "a cat\nsat", position=5, count=9)
    assert found.tokens[found.position] == "\n"
    assert found.values.cell_before == [0.0] * 9
    assert found.difference < 1e-9


@pytest.mark.parametrize(("cell", "text", "complaint"), [("gru", TEXT, "GRU"), ("lstm", "a", "at least two")])
def test_what_cannot_be_walked_through_is_said(cell: str, text: str, complaint: str) -> None:
    tokenizer = tokens_of()
    with pytest.raises(InputError, match=complaint):
        timestep(small(tokenizer, cell=cell), tokenizer, text)
