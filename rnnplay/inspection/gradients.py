"""Measures how much of a loss's gradient reaches earlier timesteps: why an RNN forgets, shown on one's own model.

Backpropagation through time multiplies the gradient by ∂h⁽ⁱ⁾/∂h⁽ⁱ⁻¹⁾ at every timestep, and the product often vanishes
or explodes (Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
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
MIN_ROWS = 4
"""With fewer rows the mean is too noisy, so the windows are shortened instead."""
WARM = 32
"""Tokens that each row reads before its window, so that the hidden state has left its initial value."""


class ProbeBatch(NamedTuple):
    """B rows of tokens: a warm-up, a window of `distance` + 1 timesteps, and the token that the last one predicts."""

    ids: NDArray[np.int64]
    """(B, warm + distance + 2)"""
    warm: int
    begins: NDArray[np.int64]
    """(B,) at most `warm`: the index at which each row's sequence begins from a zero state; earlier ids are padding."""

    @property
    def distance(self) -> int:
        """K, the number of timesteps that the gradient goes back."""
        return int(self.ids.shape[1]) - self.warm - 2


def gradient_curve(model: LanguageModel, probe: ProbeBatch, run: str = "", step: int = 0) -> GradientCurve:
    """Computes the row means of ‖∂L_t/∂h⁽ᵗ⁻ᵏ⁾‖₂, and for an LSTM of ‖∂L_t/∂c⁽ᵗ⁻ᵏ⁾‖₂, for k = 0 … K.

    L_t is the cross-entropy (nats) of the row's last token, predicted at timestep t. These are total derivatives: every
    path from a state to the loss counts, through time and through the layers above. Runs in float32 without dropout;
    the model, its .grad and the random state stay unchanged.
    """
    began = working_time()
    with undisturbed(model):
        state = _warm_state(model, probe)
        inputs = torch.from_numpy(probe.ids[:, probe.warm : -1]).to(model.device)  # (B, K + 1)
        targets = torch.from_numpy(probe.ids[:, -1]).to(model.device)  # (B,)
        with torch.enable_grad():
            _, _, history = cells.unroll(model.rnn, model.embedding(inputs), state)
            logits = model.logits(history[-1][-1].hidden)  # (B, V)
            # Rows are independent, so the gradient of the summed loss holds each row's own gradient.
            loss = cross_entropy(logits, targets, reduction="sum")
            curves = _nodes(history)
            flat = torch.autograd.grad(loss, [node for curve in curves for node in curve])  # (B, H) each
    # In float64: the squares of exploded or vanished values leave the range of float32.
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
    """Returns the state after each row's warm-up tokens, of which a row that begins later reads only the last."""
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
            read = (begins <= timestep)[:, None]  # (B, 1): padding before a row's beginning must leave no trace
            state = (state[0] * read, state[1] * read) if isinstance(state, tuple) else state * read
    return state


def _nodes(history: list[list[cells.Step]]) -> list[list[Tensor]]:
    """Each layer's hidden states, followed by an LSTM's cell states, each from the last timestep to the first."""
    layers = list(zip(*reversed(history), strict=True))  # one tuple of steps per layer
    hidden = [[step.hidden for step in steps] for steps in layers]
    cell = [[step.cell for step in steps if isinstance(step, cells.LSTMStep)] for steps in layers]
    return hidden + [curve for curve in cell if curve]


def probe_batch(
    split: EncodedSplit, feed: Literal["stream", "lines"], distance: int, rows: int = ROWS, warm: int = WARM
) -> ProbeBatch:
    """Picks `rows` windows spread evenly over the split; for a corpus of lines, over the windows within a single line.

    A short text yields fewer rows, and shorter windows where it lacks MIN_ROWS of this distance. Raises InputError
    for a negative distance or a text without a single prediction.
    """
    if distance < 0:
        raise InputError(f"The distance must be at least 0 timesteps; got {distance}.")
    ids = np.asarray(split.ids)
    if feed == "lines" and split.line_starts is not None:
        return _within_lines(ids, np.asarray(split.line_starts), distance, rows, warm)
    if len(ids) < 2:
        raise _too_short()
    distance = min(distance, max(0, len(ids) - 1 - min(rows, MIN_ROWS)))
    warm = min(warm, max(0, len(ids) - 1 - rows - distance))
    width = warm + distance + 2
    first = _evenly_spaced(len(ids) - width + 1, rows)  # (B,)
    return ProbeBatch(ids[first[:, None] + np.arange(width)].astype(np.int64), warm, np.zeros(len(first), np.int64))


def _within_lines(ids: NDArray[np.int64], starts: NDArray[np.int64], distance: int, rows: int, warm: int) -> ProbeBatch:
    lengths = np.diff(starts)  # timesteps in each line, one per target, the newline included
    if not len(lengths):
        raise _too_short()
    low, high, least = 0, min(distance, int(lengths.max()) - 1), min(rows, MIN_ROWS)
    while low < high:  # bisect for the largest distance that has enough windows
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _windows(lengths, middle).sum() >= least else (low, middle - 1)
    distance = low
    until = np.cumsum(_windows(lengths, distance))  # (lines,)
    window = _evenly_spaced(int(until[-1]), rows)  # (B,)
    line = np.searchsorted(until, window, side="right")
    last = distance + window - np.concatenate([[0], until])[line]  # (B,): the window's last timestep within its line
    # Timestep 0 reads a newline, timestep t the line's token t - 1.
    timesteps = last[:, None] + np.arange(-distance - warm, 2)  # (B, W)
    newline = ids[starts[1] - 1]
    places = np.maximum(starts[line][:, None] + timesteps - 1, 0)
    read = np.where(timesteps > 0, ids[places], newline).astype(np.int64)
    return ProbeBatch(read, warm, np.maximum(0, warm + distance - last))


def _windows(lengths: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    """The number of timesteps in each line that have `distance` others before them."""
    return np.maximum(0, lengths - distance)


def _evenly_spaced(count: int, rows: int) -> NDArray[np.int64]:
    """At most `rows` distinct indices below `count`, spaced as evenly as possible, the first and last included."""
    return np.unique(np.linspace(0, count - 1, min(rows, count)).astype(np.int64))


def _too_short() -> InputError:
    return InputError(
        "The validation part of the text is too short for a gradient probe; give it a larger fraction in --split."
    )
