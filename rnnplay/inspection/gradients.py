"""How much of a loss's gradient arrives at earlier timesteps: why an RNN forgets, seen on one's own model.

Backpropagation through time multiplies by ∂h⁽ⁱ⁾/∂h⁽ⁱ⁻¹⁾ once a timestep, and what is multiplied often vanishes or
explodes (Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnplay.common.working_time import working_time
from rnnplay.inspection.probe import ProbeBatch
from rnnplay.inspection.reading import undisturbed
from rnnplay.inspection.results import GradientCurve
from rnnplay.model import cells
from rnnplay.model.language_model import LanguageModel, State


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
