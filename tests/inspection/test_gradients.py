"""The gradient curve is the one that torch.autograd finds on plain nn layers; probes are where they should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.inspection.gradients import ProbeBatch, gradient_curve, probe_batch
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.encoding.encoded import EncodedSplit
from tests.inspection.small import CASES, TALE, Plain, small, tokens_of, untouched

torch.set_num_threads(1)
K = 12


def stream(tokens: int = 97) -> EncodedSplit:
    ids = np.resize(tokens_of().encode(TALE), tokens)
    return EncodedSplit(ids, tokens, None)


def lines(*lengths: int) -> EncodedSplit:
    """Lines of tokens 2, 3, … that end in 1, the newline."""
    parts = [np.append(np.arange(length - 1) % 20 + 2, 1) for length in lengths]
    return EncodedSplit(np.concatenate(parts), sum(lengths), np.concatenate([[0], np.cumsum(lengths)]))


def naive(model: LanguageModel, probe: ProbeBatch) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Row by row and timestep by timestep, by autograd on nn.RNN, nn.GRU or nn.LSTM: (layers, K + 1) each."""
    h: list[list[list[float]]] = []
    c: list[list[list[float]]] = []
    for ids, begin in zip(probe.ids.tolist(), probe.begins.tolist(), strict=True):
        logits, hidden, cell, _ = Plain(model).run(ids[begin:-1])
        loss = torch.nn.functional.cross_entropy(logits[None], torch.tensor([ids[-1]]))
        window = slice(None, -probe.distance - 2, -1)  # the last timestep first
        h.append([])
        c.append([])
        for hiddens, states in zip(hidden, cell, strict=True):
            from_h = torch.autograd.grad(loss, hiddens[window], retain_graph=True)
            h[-1].append([float(grad.double().norm()) for grad in from_h])
            if states:
                onward = torch.autograd.grad(loss, states[window], retain_graph=True, materialize_grads=True)
                # nn.LSTM returns h beside c, not as made of it: h = o ∘ tanh c adds the way through h by hand.
                through = [
                    grad * (own / state.tanh()) * (1 - state.tanh() ** 2)
                    for grad, own, state in zip(from_h, hiddens[window], states[window], strict=True)
                ]
                c[-1].append([float((a + b).detach().double().norm()) for a, b in zip(onward, through, strict=True)])
    return np.mean(h, axis=0), np.mean(c, axis=0)


@pytest.mark.parametrize("feed", ["stream", "lines"])
@pytest.mark.parametrize(("cell", "layers"), CASES)
def test_the_curve_is_autograds_on_plain_layers(cell: str, layers: int, feed: Any) -> None:
    model = small(tokens_of(), cell=cell, layers=layers)
    split = stream() if feed == "stream" else lines(20, 14, 3, 31, 13)
    probe = probe_batch(split, feed, K, rows=5, warm=4)
    assert probe.distance == K
    curve = gradient_curve(model, probe, "a run", 7)
    hidden, cells = naive(model, probe)
    np.testing.assert_allclose(curve.hidden, hidden, rtol=1e-4)
    assert (curve.run, curve.step, curve.distances) == ("a run", 7, list(range(K + 1)))
    if cell == "lstm":
        np.testing.assert_allclose(curve.cell, cells, rtol=1e-4)
    else:
        assert curve.cell == []


def test_nothing_of_the_model_is_disturbed() -> None:
    model = small(tokens_of(), layers=2, dropout=0.5).train()
    torch.manual_seed(3)
    model(torch.tensor([[1, 2, 3]]))[0].sum().backward()
    before = untouched(model)
    probe = probe_batch(stream(), "stream", K)
    first = gradient_curve(model, probe)
    assert untouched(model) == before
    assert gradient_curve(model.eval(), probe).hidden == first.hidden


def test_vanished_gradients_are_small_and_not_zero() -> None:
    """Squares of what is below 1e-23 do not exist in float32."""
    model = LanguageModel(RunConfig(cell="rnn", hidden=8, embedding=4, recurrent_gain=0.01), 60)
    curve = gradient_curve(model, probe_batch(stream(), "stream", 15))
    assert 0 < curve.hidden[0][15] < 1e-25


def test_a_stream_is_probed_evenly_and_always_alike() -> None:
    split = stream(500)
    probe = probe_batch(split, "stream", 20, rows=5, warm=8)
    assert probe.ids.shape == (5, 30)
    assert not probe.begins.any()
    assert probe.ids[0].tolist() == split.ids[:30].tolist()
    assert probe.ids[-1].tolist() == split.ids[-30:].tolist()
    np.testing.assert_array_equal(probe.ids, probe_batch(split, "stream", 20, rows=5, warm=8).ids)


def test_windows_of_lines_stay_inside_them() -> None:
    """Each row reads a newline and then its line, whatever stands before in the array."""
    split = lines(5, 9, 30)
    probe = probe_batch(split, "lines", 6, rows=50, warm=10)
    assert probe.distance == 6
    assert len(probe.ids) == 3 + 24  # all windows there are: 9 - 6 and 30 - 6
    for ids, begin in zip(probe.ids.tolist(), probe.begins.tolist(), strict=True):
        assert begin <= probe.warm
        read = ids[begin:]
        if begin or read[0] == 1:  # from the line's beginning
            assert read[0] == 1
            assert read[1:4] == [2, 3, 4]
        assert 1 not in read[1:-1]


@pytest.mark.parametrize("feed", ["stream", "lines"])
def test_a_short_text_has_shorter_windows(feed: Any) -> None:
    split = stream(12) if feed == "stream" else lines(4, 10)
    probe = probe_batch(split, feed, 64, rows=3)
    assert 5 <= probe.distance <= 10
    assert len(probe.ids) == 3
    assert gradient_curve(small(tokens_of()), probe).distances[-1] == probe.distance


def test_what_cannot_be_probed_is_told() -> None:
    with pytest.raises(InputError, match="at least 0"):
        probe_batch(stream(), "stream", -1)
    with pytest.raises(InputError, match="too short"):
        probe_batch(EncodedSplit(np.zeros(1, np.int64), 1, None), "stream", 3)
    one = probe_batch(EncodedSplit(np.array([1, 2]), 2, None), "stream", 3)
    assert (one.distance, len(one.ids)) == (0, 1)
