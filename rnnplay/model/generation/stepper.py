"""One timestep of a model, as quick as its weights can be read: for sampling and completion.

A step of one sequence is a few products of a matrix with a vector, and the time goes into the calls around them.
So the weights are laid out once: a layer's U and W under one another and transposed, one product a layer; its two
biases summed; the first layer's product with each of the V embeddings computed beforehand, unless there are too many;
and everything else is done in place with numpy, whose calls take a fraction of a microsecond. Products are torch's,
which keeps to its number of threads. The equations are those of cells.py, which tests hold this against.

σ(z) is computed as (1 + tanh(z / 2)) / 2, so that one call does all gates; the weights hold the inner half already,
which is exact.

A sequence's state is one row (S,) of float32: h of each layer, then, of an LSTM, c of each layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnnplay.errors import CheckpointError
from rnnplay.model.cells import layers
from rnnplay.model.language_model import LanguageModel, State

Floats = NDArray[np.float32]

LARGEST_TABLE = 4_000_000
"""Numbers in the table of the first layer's inputs; with more, each token's is computed when it is read."""


class Stepped(Protocol):
    """Sequences that are stepped together, as in Batch."""

    states: Floats

    def step(self, tokens: Sequence[int]) -> Floats:
        """Reads one more token of each sequence; returns the logits (B, V)."""


class Steps(Protocol):
    """Anything that steps a model, as Stepper does."""

    def batch(self, rows: int) -> Stepped:
        """The buffers for `rows` sequences."""


class Stepper:
    """A model's weights, laid out for single timesteps on the CPU.

    They are those of the last `refresh`; a model in training is refreshed when its weights have changed.
    """

    def __init__(self, model: LanguageModel) -> None:
        config = model.config
        self.cell, self.hidden, self.layers = config.cell, config.hidden, config.layers
        self.relu = config.nonlinearity == "relu"
        self.vocabulary = model.vocabulary
        self.state_size = config.layers * config.hidden * (2 if config.cell == "lstm" else 1)
        self.version = 0
        """Grows by one each time the weights have changed."""
        self._parameters = list(model.parameters())
        self._seen: list[int] = []
        self._batches: dict[int, Batch] = {}
        self.matrices: list[Tensor] = []
        """A layer's [U W] transposed: (X + H, G·H), or without U where the first layer's inputs are in `table`; of a
        GRU, whose parts are not summed, W (H, G·H)."""
        self.inputs: list[Tensor | None] = []
        """Of a GRU: U transposed (X, G·H), None where they are in `table`."""
        self.biases: list[Floats] = []
        """(G·H,); of a GRU b_hh."""
        self.input_biases: list[Floats] = []
        self.table: Floats | None = None
        """The first layer's U x + b of each token, (V, G·H)."""
        self.refresh(model)

    def refresh(self, model: LanguageModel) -> None:
        """Lays the weights out anew if they have changed since the last time."""
        seen = [parameter._version for parameter in self._parameters]
        if seen == self._seen:
            return
        self._seen = seen
        self.version += 1
        with torch.no_grad():
            self._lay_out(model)

    def _lay_out(self, model: LanguageModel) -> None:
        hidden = self.hidden
        self.embedding = model.embedding.weight.detach().float().cpu().numpy()  # (V, E)
        halved = torch.ones(1)
        if self.cell == "lstm":
            halved = torch.tensor([0.5, 0.5, 1.0, 0.5]).repeat_interleave(hidden)
        elif self.cell == "gru":
            halved = torch.tensor([0.5, 0.5, 1.0]).repeat_interleave(hidden)
        self.outer = halved.numpy()
        self.shift = np.where(self.outer == 0.5, np.float32(0.5), np.float32(0)).astype(np.float32)
        self.matrices, self.inputs, self.biases, self.input_biases, self.table = [], [], [], [], None
        for layer, weights in enumerate(layers(model.rnn)):
            weight_ih, weight_hh, bias_ih, bias_hh = (weight.detach().cpu().float() for weight in weights)
            tabulated = layer == 0 and self.vocabulary * len(weight_hh) <= LARGEST_TABLE
            apart = self.cell == "gru"
            bias = bias_ih if apart else bias_ih + bias_hh
            if tabulated:
                rows = torch.from_numpy(self.embedding) @ weight_ih.t() + bias
                self.table = rows.mul_(halved).numpy()
            if apart:
                self.inputs.append(None if tabulated else (weight_ih.t() * halved).contiguous())
                self.matrices.append((weight_hh.t() * halved).contiguous())
                self.biases.append((bias_hh * halved).numpy())
            else:
                under = [weight_hh] if tabulated else [weight_ih, weight_hh]
                self.matrices.append((torch.cat(under, 1).t() * halved).contiguous())
                self.biases.append((bias * halved).numpy())
            self.input_biases.append((bias * halved).numpy())
        self.adaptive: Any = None
        if isinstance(model.output, nn.Linear):
            self.output = model.output.weight.detach().float().cpu().t().contiguous()  # (H, V)
            self.output_bias = model.output.bias.detach().float().cpu().numpy()
        else:
            self.adaptive = model.output
        for batch in self._batches.values():
            batch.bind()

    def batch(self, rows: int) -> Batch:
        """The buffers for `rows` sequences; the same ones each time."""
        if rows not in self._batches:
            self._batches[rows] = Batch(self, rows)
        return self._batches[rows]


class Batch:
    """B sequences that are stepped together.

    `states` (B, S) may be written to; `step` replaces them. `logits` (B, V) are those of the last step, and are
    overwritten by the next.
    """

    def __init__(self, stepper: Stepper, rows: int) -> None:
        self._own, self.rows = stepper, rows
        size, hidden = stepper.state_size, stepper.hidden
        self.states: Floats = np.zeros((rows, size), np.float32)
        gates = stepper.biases[0].shape[0]
        self._z: Floats = np.empty((rows, gates), np.float32)
        self._from_x: Floats = np.empty((rows, gates), np.float32)
        self.logits: Floats = np.empty((rows, stepper.vocabulary), np.float32)
        self._first: Floats = np.empty((rows, stepper.embedding.shape[1] + hidden), np.float32)
        self._hiddens = [self._part(layer) for layer in range(stepper.layers)]
        self._cells = [self._part(layer + stepper.layers) for layer in range(stepper.layers)]
        self._new: Floats = np.empty((rows, hidden), np.float32)
        self._advance = {"lstm": self._lstm, "gru": self._gru, "rnn": self._rnn}[stepper.cell]
        self.bind()

    def bind(self) -> None:
        """Prepares the products with the weights as laid out."""
        own, hidden = self._own, self._own.hidden
        z, first = self._tensor(self._z), self._tensor(self._first)
        states = self._tensor(self.states)
        # (factor, matrix, result) of each layer; a layer's input and its own h lie side by side in the state.
        self._products: list[tuple[Tensor, Tensor, Tensor]] = []
        self._input_products: list[tuple[Tensor, Tensor, Tensor] | None] = []
        for layer, matrix in enumerate(own.matrices):
            inputs = None
            h = states[..., layer * hidden : (layer + 1) * hidden]
            if own.cell == "gru":
                factor, given = h, own.inputs[layer]
                if given is not None:
                    below = states[..., (layer - 1) * hidden : layer * hidden]
                    x = below if layer else first[..., : given.shape[0]]
                    inputs = (x, self._matrix(given), self._tensor(self._from_x))
            elif layer == 0:
                factor = h if own.table is not None else first
            else:
                factor = states[..., (layer - 1) * hidden : (layer + 1) * hidden]
            self._products.append((factor, self._matrix(matrix), z))
            self._input_products.append(inputs)
        if own.adaptive is None:
            top = states[..., (own.layers - 1) * hidden : own.layers * hidden]
            self._output = (top, self._matrix(own.output), self._tensor(self.logits))
        self._outer, self._shift = own.outer, own.shift

    def step(self, tokens: Sequence[int] | NDArray[np.int64]) -> Floats:
        """Reads one more token of each sequence; returns `logits` (B, V).

        Raises CheckpointError if they are not finite.
        """
        own = self._own
        index = tokens[0] if self.rows == 1 else tokens  # a row of a table is found sooner by a number than by a list
        if own.table is None:
            width = own.embedding.shape[1]
            self._first[:, :width] = own.embedding[index]
            self._first[:, width:] = self._hiddens[0]
        for layer in range(own.layers):
            self._advance(layer, index)
        return self.score()

    def score(self) -> Floats:
        """The logits (B, V) after the current states. Raises CheckpointError if they are not finite."""
        own = self._own
        if own.adaptive is None:
            self._multiply(self._output)
            np.add(self.logits, own.output_bias, self.logits)
        else:
            top = torch.from_numpy(self._hiddens[-1]).to(next(own.adaptive.parameters()).device)
            with torch.inference_mode(), torch.autocast(top.device.type, enabled=False):
                self.logits[:] = own.adaptive.log_prob(top.contiguous()).float().cpu().numpy()
        # The largest of a row with NaN is NaN, so this finds every logit that no probability can be made of.
        if not np.isfinite(self.logits.max()):
            raise CheckpointError(
                "The model's numbers are no longer finite, as its training diverged; take an earlier checkpoint.", None
            )
        return self.logits

    def _lstm(self, layer: int, tokens: Any) -> None:
        z, hidden, h, c = self._z, self._own.hidden, self._hiddens[layer], self._cells[layer]
        self._preactivate(layer, tokens)
        np.tanh(z, z)
        np.multiply(z, self._outer, z)
        np.add(z, self._shift, z)
        i, f, new, o = z[:, :hidden], z[:, hidden : 2 * hidden], z[:, 2 * hidden : 3 * hidden], z[:, 3 * hidden :]
        np.multiply(f, c, c)
        np.multiply(i, new, i)
        np.add(c, i, c)
        np.tanh(c, h)
        np.multiply(h, o, h)

    def _gru(self, layer: int, tokens: Any) -> None:
        own, hidden, h, new = self._own, self._own.hidden, self._hiddens[layer], self._new
        inputs = self._input_products[layer]
        if inputs is None:
            assert own.table is not None
            from_x = own.table[tokens]
        else:
            self._multiply(inputs)
            from_x = self._from_x
            np.add(from_x, own.input_biases[layer], from_x)
        self._multiply(self._products[layer])
        z = self._z
        np.add(z, own.biases[layer], z)
        gates = z[:, : 2 * hidden]
        np.add(gates, from_x[..., : 2 * hidden], gates)
        np.tanh(gates, gates)
        np.multiply(gates, 0.5, gates)
        np.add(gates, 0.5, gates)
        np.multiply(z[:, :hidden], z[:, 2 * hidden :], new)
        np.add(new, from_x[..., 2 * hidden :], new)
        np.tanh(new, new)
        np.subtract(h, new, h)  # h = new + z (h - new)
        np.multiply(h, z[:, hidden : 2 * hidden], h)
        np.add(h, new, h)

    def _rnn(self, layer: int, tokens: Any) -> None:
        self._preactivate(layer, tokens)
        if self._own.relu:
            np.maximum(self._z, 0, out=self._hiddens[layer])
        else:
            np.tanh(self._z, self._hiddens[layer])

    def _preactivate(self, layer: int, tokens: Any) -> None:
        own, z = self._own, self._z
        self._multiply(self._products[layer])
        if layer == 0 and own.table is not None:
            np.add(z, own.table[tokens], z)
        else:
            np.add(z, own.biases[layer], z)

    def _multiply(self, product: tuple[Tensor, Tensor, Tensor]) -> None:
        factor, matrix, result = product
        if self.rows == 1:
            torch.mv(matrix, factor, out=result)
        else:
            torch.mm(factor, matrix, out=result)

    def _part(self, index: int) -> Floats:
        hidden = self._own.hidden
        return self.states[:, index * hidden : (index + 1) * hidden]

    def _tensor(self, array: Floats) -> Tensor:
        """The same memory as a tensor; one sequence as a vector, which is multiplied more quickly."""
        tensor = torch.from_numpy(array)
        return tensor[0] if self.rows == 1 else tensor

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.t() if self.rows == 1 else matrix


_STEPPERS: WeakKeyDictionary[LanguageModel, Stepper] = WeakKeyDictionary()


def stepper_of(model: LanguageModel) -> Stepper:
    """The stepper of `model`, with the weights as they are now."""
    stepper = _STEPPERS.get(model)
    if stepper is None:
        stepper = _STEPPERS[model] = Stepper(model)
    else:
        stepper.refresh(model)
    return stepper


def as_row(state: State) -> Floats:
    """A state (L, 1, H), of an LSTM two, as one row (S,)."""
    parts = state if isinstance(state, tuple) else (state,)
    return cast(Floats, torch.cat([part.detach().float().cpu().reshape(-1) for part in parts]).numpy())


def as_state(row: Floats, model: LanguageModel) -> State:
    """A row (S,) as the state (L, 1, H) that torch.nn's layers take."""
    config = model.config
    parts = torch.from_numpy(row.copy()).to(model.device).view(-1, config.layers, 1, config.hidden)
    return (parts[0], parts[1]) if config.cell == "lstm" else parts[0]
