"""Every inspection against an independent computation: plain torch.nn layers and the equations in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnnplay.config import RunConfig
from rnnplay.inspection.clipping import clipped_step
from rnnplay.inspection.connectivity import connectivity
from rnnplay.inspection.gates import UnrolledCache, gate_map
from rnnplay.inspection.gradients import gradient_curve
from rnnplay.inspection.predictions import predictions
from rnnplay.inspection.probe import ProbeBatch
from rnnplay.inspection.results import QUANTITIES, Forced
from rnnplay.inspection.unrolled import unroll_text
from rnnplay.inspection.what_if import forcing
from rnnplay.model.language_model import LanguageModel
from rnnplay.model.sampling import complete
from rnnplay.text.characters import CharTokenizer
from rnnplay.text.feeds import Batch

TEXT = 'The cat said "no", and sat on a mat.'
TOKENIZER = CharTokenizer("\n" + "".join(sorted(set(TEXT))))
KINDS = [(cell, layers) for cell in ("rnn", "gru", "lstm") for layers in (1, 2)]
Array = np.ndarray[Any, np.dtype[np.float64]]


def make(cell: Any, layers: int, **values: Any) -> LanguageModel:
    config = RunConfig(
        cell=cell, layers=layers, hidden=7, embedding=5, recurrent_gain=1.2, dropout=0.3, seed=3, **values
    )
    model = LanguageModel(config, TOKENIZER.size)
    with torch.no_grad():
        for parameter in model.parameters():  # biases too are to be seen in the numbers
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(5)))
    return model


def single_layers(model: LanguageModel) -> list[nn.RNNBase]:
    """A torch.nn layer for each layer of the model, so that the states between them can be differentiated."""
    kinds: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
    made = []
    for layer in range(model.config.layers):
        size = model.config.embedding if layer == 0 else model.config.hidden
        plain = kinds[model.config.cell](size, model.config.hidden, batch_first=True)
        own = {f"{name}_l0": getattr(model.rnn, f"{name}_l{layer}") for name in NAMES}
        plain.load_state_dict(own)
        made.append(plain)
    return made


NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def test_gradients_through_time() -> None:
    """Each layer alone, timestep by timestep, row by row; the nodes are torch.nn's own outputs."""
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(1, TOKENIZER.size, (4, 3 + 12), generator=draw)
    for cell, layers in KINDS:
        model = make(cell, layers)
        found = gradient_curve(model, ProbeBatch(ids.numpy(), 3, np.zeros(4, np.int64)), "one", 9)
        assert found.distances == list(range(11))
        rows = [naive_curves(model, ids[row : row + 1], warm=3) for row in range(4)]
        expected = np.mean([hidden for hidden, _ in rows], axis=0)
        np.testing.assert_allclose(found.hidden, expected, rtol=1e-4)
        if cell == "lstm":
            np.testing.assert_allclose(found.cell, np.mean([cells for _, cells in rows], axis=0), rtol=1e-4)
        else:
            assert found.cell == []
        assert all(parameter.grad is None for parameter in model.parameters())
        assert model.training


def naive_curves(model: LanguageModel, ids: Tensor, warm: int) -> tuple[list[list[float]], list[list[float]]]:
    """(layers, K + 1) norms of the gradients of one row's last loss, the last timestep first; and of the cells."""
    layers = single_layers(model)
    states: list[Any] = [None] * len(layers)
    hidden: list[list[Tensor]] = [[] for _ in layers]
    cells: list[list[Tensor]] = [[] for _ in layers]
    zero = torch.zeros(1, 1, 7)
    for timestep in range(ids.shape[1] - 1):
        x = model.embedding(ids[:, timestep : timestep + 1])
        for layer, plain in enumerate(layers):
            _, state = plain(x, states[layer])
            if isinstance(state, tuple):
                # torch's c is an output beside h: the way from it to this timestep's h takes the equation.
                state = lstm_equation(plain, x[:, 0], states[layer] or (zero, zero), state)
                state[1].retain_grad()
                cells[layer].append(state[1])
            node = state[0] if isinstance(state, tuple) else state
            node.retain_grad()
            hidden[layer].append(node)
            states[layer] = state
            x = node.transpose(0, 1)  # from the node itself, so that this way to the loss counts too
    loss = nn.functional.cross_entropy(model.output(x[:, 0]), ids[:, -1])
    loss.backward()  # type: ignore[no-untyped-call]
    model.zero_grad(set_to_none=True)

    def norms(nodes: list[list[Tensor]]) -> list[list[float]]:
        return [[float(one.grad.norm()) for one in own[: warm - 1 : -1] if one.grad is not None] for own in nodes]

    return norms(hidden), norms(cells) if cells[0] else []


def lstm_equation(plain: Any, x: Tensor, before: Any, expected: Any) -> tuple[Tensor, Tensor]:
    """(h, c) after x, checked against torch's."""
    i, f, g, o = (
        x @ plain.weight_ih_l0.T + plain.bias_ih_l0 + before[0][0] @ plain.weight_hh_l0.T + plain.bias_hh_l0
    ).chunk(4, dim=-1)
    c = f.sigmoid() * before[1] + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    torch.testing.assert_close((h, c), expected)
    return h, c


def sigma(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def equations(model: LanguageModel, ids: list[int], closed: str = "", value: float = 0.0) -> list[dict[str, Array]]:
    """All quantities of all layers over `ids`, (T, H) each, by the equations, `closed` in layer 0 held at `value`."""
    size = model.config.hidden
    weights = {name: tensor.detach().double().numpy() for name, tensor in model.state_dict().items()}
    inputs: Array = weights["embedding.weight"][ids]
    found = []
    for layer in range(model.config.layers):
        u, w, b, d = (weights[f"rnn.{name}_l{layer}"] for name in NAMES)
        h, c = np.zeros(size), np.zeros(size)
        rows: list[dict[str, Array]] = []
        for x in inputs:
            from_x, from_h = u @ x + b, w @ h + d

            def hold(name: str, computed: Array, layer: int = layer) -> Array:
                return np.full(size, value) if layer == 0 and name == closed else computed

            if model.config.cell == "lstm":
                i, f, g, o = np.split(from_x + from_h, 4)
                row = {
                    "input_gate": hold("input_gate", sigma(i)),
                    "forget_gate": hold("forget_gate", sigma(f)),
                    "output_gate": hold("output_gate", sigma(o)),
                    "new_cell": hold("new_cell", np.tanh(g)),
                }
                c = row["cell"] = hold("cell", row["forget_gate"] * c + row["input_gate"] * row["new_cell"])
                h = row["hidden"] = hold("hidden", row["output_gate"] * np.tanh(c))
            elif model.config.cell == "gru":
                (xr, xz, xn), (hr, hz, hn) = np.split(from_x, 3), np.split(from_h, 3)
                row = {"reset": hold("reset", sigma(xr + hr)), "update": hold("update", sigma(xz + hz))}
                row["new_hidden"] = hold("new_hidden", np.tanh(xn + row["reset"] * hn))
                h = row["hidden"] = hold("hidden", (1 - row["update"]) * row["new_hidden"] + row["update"] * h)
            else:
                row = {}
                h = row["hidden"] = hold("hidden", np.tanh(from_x + from_h))
            rows.append(row)
        found.append({name: np.array([row[name] for row in rows]) for name in rows[0]})
        inputs = found[-1]["hidden"]
    return found


@pytest.mark.parametrize(("cell", "layers"), KINDS)
def test_gates(cell: str, layers: int) -> None:
    model = make(cell, layers)
    ids = [1, *TOKENIZER.encode(TEXT).tolist()]
    assert TOKENIZER.newline == 1
    unrolled = unroll_text(model, TOKENIZER, TEXT)
    for layer, expected in enumerate(equations(model, ids)):
        for quantity in QUANTITIES[cell]:
            found = gate_map(unrolled, TOKENIZER, layer=layer, quantity=quantity, count=7)
            np.testing.assert_allclose(np.array(found.values).T, expected[quantity][1:], rtol=1e-4, atol=1e-6)
            assert found.tokens == list(TEXT)
            assert sum(found.histogram) == 7 * len(TEXT)


@pytest.mark.parametrize(("cell", "layers"), KINDS)
def test_a_forced_quantity_is_the_equation_edited(cell: str, layers: int) -> None:
    model = make(cell, layers)
    ids = [1, *TOKENIZER.encode(TEXT).tolist()]
    for quantity in QUANTITIES[cell]:
        for value in (0.0, 1.0):
            hook = forcing(model.config, [Forced(layer=0, quantity=quantity, value=value)])
            top = equations(model, ids, quantity, value)[-1]["hidden"]
            logits = torch.from_numpy(top) @ model.output.weight.double().T + model.output.bias.double()
            logs = logits.log_softmax(-1)
            found = predictions(model, TOKENIZER, TEXT, hook=hook)
            expected = [-float(logs[at, token]) for at, token in enumerate(ids[1:])]
            np.testing.assert_allclose([one.surprisal for one in found.tokens], expected, rtol=1e-4, atol=1e-5)
            following = complete(model, TOKENIZER, TEXT, 3, hook).next
            shares = logs[-1].exp()
            best = shares.topk(3).values.tolist()
            np.testing.assert_allclose([share for _, share in following], best, rtol=1e-4)


def test_clamped_units_leave_the_others_their_equation() -> None:
    model = make("lstm", 1)
    hook = forcing(model.config, [Forced(layer=0, quantity="cell", value=-2.0, units=[1, 4])])
    values = unroll_text(model, TOKENIZER, TEXT, hook).layers[0]
    assert (values["cell"][:, [1, 4]] == -2).all()
    torch.testing.assert_close(values["hidden"], values["output_gate"] * torch.tanh(values["cell"]))
    kept = (
        values["forget_gate"][1:, 0] * values["cell"][:-1, 0] + values["input_gate"][1:, 0] * values["new_cell"][1:, 0]
    )
    torch.testing.assert_close(values["cell"][1:, 0], kept)


@pytest.mark.parametrize(("cell", "layers"), KINDS)
@pytest.mark.parametrize("position", [-1, 0, 11])
def test_connectivity(cell: str, layers: int, position: int) -> None:
    model = make(cell, layers)
    found = connectivity(model, TOKENIZER, TEXT, position)
    ids = torch.tensor([[1, *TOKENIZER.encode(TEXT).tolist()]])
    last = position % len(TEXT)
    embedded = model.embedding.weight[ids[:, : last + 2]].detach().requires_grad_()
    x = embedded
    for plain in single_layers(model):
        x, _ = plain(x)
    logits = model.output(x[0, -1])
    logits.max().backward()
    assert embedded.grad is not None
    expected = embedded.grad[0].double().square().sum(-1)[1:]
    np.testing.assert_allclose(found.strengths, expected.numpy(), rtol=1e-4, atol=1e-12)
    assert found.target == TOKENIZER.tokens[int(logits.argmax())]
    assert found.position == last


@pytest.mark.parametrize(("cell", "layers"), KINDS)
def test_predictions(cell: str, layers: int) -> None:
    model = make(cell, layers)
    found = predictions(model, TOKENIZER, TEXT, "one", 4)
    ids = torch.tensor([[1, *TOKENIZER.encode(TEXT).tolist()]])
    x = model.embedding(ids[:, :-1])
    for plain in single_layers(model):
        x, _ = plain(x)
    logs = model.output(x)[0].log_softmax(-1)
    own = logs.gather(1, ids[0, 1:, None])[:, 0]
    np.testing.assert_allclose([one.surprisal for one in found.tokens], -own.detach().numpy(), rtol=1e-4)
    assert [one.rank for one in found.tokens] == [
        1 + int((row > row[token]).sum()) for row, token in zip(logs, ids[0, 1:], strict=True)
    ]
    assert found.loss == pytest.approx(-float(own.mean()), rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(found.loss))
    for one, row in zip(found.tokens, logs.exp(), strict=True):
        np.testing.assert_allclose([top.probability for top in one.top], row.topk(10).values.tolist(), rtol=1e-4)


@pytest.mark.parametrize("mode", ["norm", "value", "off"])
def test_clipping(mode: Any) -> None:
    model = make("lstm", 2)
    draw = np.random.default_rng(0)
    inputs, targets = (draw.integers(1, TOKENIZER.size, (3, 9)) for _ in range(2))
    found = clipped_step(model, Batch(inputs, targets, None, reset=True), None, mode, 0.01, "one", 3)
    assert all(parameter.grad is None for parameter in model.parameters())
    x = model.embedding(torch.from_numpy(inputs))
    for plain in (layers := single_layers(model)):
        x, _ = plain(x)
    nn.functional.cross_entropy(model.output(x).flatten(0, 1), torch.from_numpy(targets).flatten()).backward()  # type: ignore[no-untyped-call]
    parameters = [
        model.embedding.weight,
        model.output.weight,
        model.output.bias,
        *(p for m in layers for p in m.parameters()),
    ]
    before = torch.cat([p.grad.flatten().double() for p in parameters if p.grad is not None])
    if mode == "norm":
        nn.utils.clip_grad_norm_(parameters, 0.01)
    elif mode == "value":
        nn.utils.clip_grad_value_(parameters, 0.01)
    after = torch.cat([p.grad.flatten().double() for p in parameters if p.grad is not None])
    assert found.before == pytest.approx(float(before.norm()), rel=1e-4)
    assert found.after == pytest.approx(float(after.norm()), rel=1e-4)
    assert found.scale == pytest.approx(float(after.norm() / before.norm()), rel=1e-4)
    cosine = float(before @ after / before.norm() / after.norm())
    assert found.cosine == pytest.approx(cosine, abs=1e-6)
    assert (found.cosine < 0.999) == (mode == "value")
    assert sum(one.share for one in found.parameters) == pytest.approx(1.0, rel=1e-5)


def test_the_unrolled_text_is_read_again_only_when_something_changed() -> None:
    model, cache = make("gru", 1), UnrolledCache()
    first = cache.get(model, TOKENIZER, TEXT, 1)
    assert cache.get(model, TOKENIZER, TEXT, 1) is first
    assert cache.get(model, TOKENIZER, TEXT, 2) is not first
    second = cache.get(model, TOKENIZER, TEXT, 2)
    with torch.no_grad():
        model.output.bias.zero_()
    assert cache.get(model, TOKENIZER, TEXT, 2) is not second
    assert cache.get(model, TOKENIZER, TEXT[:9], 2).tokens == list(TEXT[:9])
