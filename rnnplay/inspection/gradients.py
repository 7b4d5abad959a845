"""How much of a loss's gradient arrives at earlier timesteps: why an RNN forgets, seen on one's own model.

Backpropagation through time multiplies by ∂h⁽ⁱ⁾/∂h⁽ⁱ⁻¹⁾ once a timestep, and what is multiplied often vanishes or
explodes (Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnplay.common.working_time import working_time
from rnnplay.errors import InputError
from rnnplay.inspection.forward_pass import undisturbed
from rnnplay.inspection.results import GradientCurve
from rnnplay.model import cells
from rnnplay.model.language_model import LanguageModel, State
from rnnplay.text.encoding.encoded import EncodedSplit

ROWS = 16
LEAST_ROWS = 4
"""Fewer are no mean: the windows are rather made shorter."""
WARM = 32
"""Tokens that each row reads before its window, so that no hidden state is at its beginning there."""


class ProbeBatch(NamedTuple):
    """B rows of tokens: some to warm up, a window of `distance` + 1 timesteps, and the token that the last predicts."""

    ids: NDArray[np.int64]
    """(B, warm + distance + 2)"""
    warm: int
    begins: NDArray[np.int64]
    """(B,): at most `warm`, where each row's sequence begins, in a state of zero; what stands before is not read."""

    @property
    def distance(self) -> int:
        """K: how far back the gradient goes."""
        return int(self.ids.shape[1]) - self.warm - 2


def gradient_curve(model: LanguageModel, probe: ProbeBatch, run: str = "", step: int = 0) -> GradientCurve:
    """The mean over the probe's rows of ‖∂L_t/∂h⁽ᵗ⁻ᵏ⁾‖₂, and of an LSTM's ‖∂L_t/∂c⁽ᵗ⁻ᵏ⁾‖₂, for k = 0 … its distance.

    L_t is the cross-entropy (nats) of the row's last token, predicted at timestep t. Total derivatives: every way from
    a state to the loss counts, over time and through the layers above. Float32, without dropout; the model, its
    .grad and random numbers stay as they are.
    """
    began = working_time()
    with undisturbed(model):
        state = _warm_state(model, probe)
        inputs = torch.from_numpy(probe.ids[:, probe.warm : -1]).to(model.device)  # (B, K + 1)
        targets = torch.from_numpy(probe.ids[:, -1]).to(model.device)  # (B,)
        with torch.enable_grad():
            _, _, history = cells.unroll(model.rnn, model.embedding(inputs), state)
            logits = model.logits(history[-1][-1].hidden)  # (B, V)
            # Rows are independent, so the gradient of their sum holds each row's own.
            loss = cross_entropy(logits, targets, reduction="sum")
            curves = _nodes(history)
            flat = torch.autograd.grad(loss, [node for curve in curves for node in curve])  # (B, H) each
    # In float64: the squares of what has vanished or exploded leave the range of float32.
    norms = torch.linalg.vector_norm(torch.stack(flat), dim=-1, dtype=torch.float64).mean(-1)
    found: list[list[float]] = norms.view(len(curves), -1).tolist()
    return GradientCurve(
        run=run,
        step=step,
        distances=list(range(probe.distance + 1)),
        hidden=found[: model.config.layers],
        cell=found[model.config.layers :],
        seconds=working_time() - began,
    )


def _warm_state(model: LanguageModel, probe: ProbeBatch) -> State:
    """The state after each row's tokens before its window: of the last of them, where rows begin apart."""
    state = model.zero_state(len(probe.ids))
    if not probe.warm:
        return state
    with torch.no_grad():
        ids = torch.from_numpy(probe.ids[:, : probe.warm]).to(model.device)
        embedded = model.embedding(ids)  # (B, W, E)
        if not probe.begins.any():
            warmed: State = model.rnn(embedded, state)[1]
            return warmed
        begins = torch.from_numpy(probe.begins).to(model.device)
        for timestep, x in enumerate(embedded.unbind(1)):
            _, state = cells.step(model.rnn, x, state)
            read = (begins <= timestep)[:, None]  # (B, 1): what stands before a row's beginning leaves no trace
            state = (state[0] * read, state[1] * read) if isinstance(state, tuple) else state * read
    return state


def _nodes(history: list[list[cells.Step]]) -> list[list[Tensor]]:
    """The hidden states of each layer, and then an LSTM's cell states, each from the last timestep to the first."""
    layers = list(zip(*reversed(history), strict=True))  # of each layer its steps
    hidden = [[one.hidden for one in steps] for steps in layers]
    cell = [[one.cell for one in steps if isinstance(one, cells.LSTMStep)] for steps in layers]
    return hidden + [curve for curve in cell if curve]


def probe_batch(
    split: EncodedSplit, feed: Literal["stream", "lines"], distance: int, rows: int = ROWS, warm: int = WARM
) -> ProbeBatch:
    """`rows` windows spread evenly over the split; of lines, over all windows that lie within one.

    A short text has fewer; and where there are not even LEAST_ROWS of that distance, shorter ones. Raises InputError
    for a distance below 0 or a text without a single prediction.
    """
    if distance < 0:
        raise InputError(f"A distance of {distance} timesteps cannot be; it must be at least 0.")
    ids = np.asarray(split.ids)
    if feed == "lines" and split.line_starts is not None:
        return _within_lines(ids, np.asarray(split.line_starts), distance, rows, warm)
    if len(ids) < 2:
        raise _too_short()
    distance = min(distance, max(0, len(ids) - 1 - min(rows, LEAST_ROWS)))
    warm = min(warm, max(0, len(ids) - 1 - rows - distance))
    width = warm + distance + 2
    first = _spread(len(ids) - width + 1, rows)  # (B,)
    return ProbeBatch(ids[first[:, None] + np.arange(width)].astype(np.int64), warm, np.zeros(len(first), np.int64))


def _within_lines(ids: NDArray[np.int64], starts: NDArray[np.int64], distance: int, rows: int, warm: int) -> ProbeBatch:
    lengths = np.diff(starts)  # targets of each line, its newline included: as many timesteps
    if not len(lengths):
        raise _too_short()
    low, high, least = 0, min(distance, int(lengths.max()) - 1), min(rows, LEAST_ROWS)
    while low < high:  # the largest distance of which there are windows enough
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _windows(lengths, middle).sum() >= least else (low, middle - 1)
    distance = low
    until = np.cumsum(_windows(lengths, distance))  # (lines,)
    window = _spread(int(until[-1]), rows)  # (B,)
    line = np.searchsorted(until, window, side="right")
    last = distance + window - np.concatenate([[0], until])[line]  # (B,): the window's last timestep in its line
    # Timestep 0 reads a newline, timestep t the line's token t - 1.
    timesteps = last[:, None] + np.arange(-distance - warm, 2)  # (B, W)
    newline = ids[starts[1] - 1]
    places = np.maximum(starts[line][:, None] + timesteps - 1, 0)
    read = np.where(timesteps > 0, ids[places], newline).astype(np.int64)
    return ProbeBatch(read, warm, np.maximum(0, warm + distance - last))


def _windows(lengths: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    """In each line, timesteps that have `distance` others before them."""
    return np.maximum(0, lengths - distance)


def _spread(count: int, rows: int) -> NDArray[np.int64]:
    """At most `rows` different ones of `count` places, as evenly as can be, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(rows, count)).astype(np.int64))


def _too_short() -> InputError:
    return InputError("The validation part of the text is too short for a probe; give it more of the text in --split.")
