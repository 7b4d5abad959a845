"""What rnnplay is compared with: training loops as one writes them with torch.nn, and the machine's limits.

Embedding → nn.RNN, GRU or LSTM → linear; cross-entropy, backward, clip_grad_norm_, the optimizer's step; float32.
The ids are random, as speed does not depend on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Step = Callable[[], int]
"""Trains one step and returns its number of tokens."""


@dataclass(frozen=True)
class Shape:
    """The shape of a model and of its training."""

    cell: str
    layers: int
    hidden: int
    vocabulary: int = 66
    embedding: int = 0
    """0: the size of the hidden state."""
    batch: int = 32
    bptt: int = 64
    dropout: float = 0.0
    optimizer: str = "adam"
    lr: float = 0.002
    clip: float = 1.0

    @property
    def name(self) -> str:
        """The name in tables, such as "LSTM 2×128"."""
        words = ", 33k words" if self.vocabulary > 10_000 else ""
        return f"{self.cell.upper()} {self.layers}×{self.hidden}{words}"


WORDS = Shape("lstm", 2, 200, 33_278, batch=20, bptt=35, dropout=0.2, optimizer="sgd", lr=20.0, clip=0.25)
"""The recipe of PyTorch's word_language_model for WikiText-2."""

CHAR_RNN = Shape("lstm", 2, 128, batch=50, bptt=50)
"""The defaults of char-rnn."""

CHARACTERS = tuple(Shape("lstm", layers, hidden) for layers, hidden in ((1, 256), (2, 128), (2, 512)))


class Model(nn.Module):
    """A model like rnnplay's, in a dozen lines."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        embedding = shape.embedding or shape.hidden
        kind: dict[str, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        between = shape.dropout if shape.layers > 1 else 0.0
        self.embedding = nn.Embedding(shape.vocabulary, embedding)
        self.rnn = kind[shape.cell](embedding, shape.hidden, shape.layers, batch_first=True, dropout=between)
        self.output = nn.Linear(shape.hidden, shape.vocabulary)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(
        self, ids: Tensor, state: Tensor | tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        """Returns logits (B, T, V) and the last state."""
        hidden, last = self.rnn(self.dropout(self.embedding(ids)), state)
        return self.output(self.dropout(hidden)), last


def bare_loop(shape: Shape) -> Step:
    """Returns the step of a minimal training loop."""
    torch.manual_seed(1)
    model = Model(shape)
    if shape.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), lr=shape.lr)
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=shape.lr)
    steps = 200
    ids = torch.randint(shape.vocabulary, (shape.batch, shape.bptt * steps + 1))
    state: Tensor | tuple[Tensor, Tensor] | None = None
    place = 0

    def step() -> int:
        nonlocal state, place
        inputs = ids[:, place : place + shape.bptt]
        targets = ids[:, place + 1 : place + shape.bptt + 1]
        place = (place + shape.bptt) % (shape.bptt * steps)
        logits, state = model(inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), shape.clip)
        optimizer.step()
        state = (state[0].detach(), state[1].detach()) if isinstance(state, tuple) else state.detach()
        loss.item()
        return inputs.numel()

    return step


def layers_alone(shape: Shape) -> Step:
    """Returns a step of torch.nn's recurrent layers alone, forward and backward."""
    model = Model(shape).rnn
    inputs = torch.randn(shape.batch, shape.bptt, model.input_size, requires_grad=True)
    weights = list(model.parameters())

    def step() -> int:
        hidden, _ = model(inputs)
        torch.autograd.grad(hidden, [inputs, *weights], torch.ones_like(hidden))
        return shape.batch * shape.bptt

    return step


def products_alone(shape: Shape) -> Step:
    """Returns a step of the matrix products alone that these layers need: a bound on any way to compute them.

    Those with the recurrent weights depend on the previous timestep, so each has only a batch's rows; all others are
    computed for all timesteps at once.
    """
    blocks = {"rnn": 1, "gru": 3, "lstm": 4}[shape.cell]
    tokens, rows = shape.batch * shape.bptt, blocks * shape.hidden
    recurrent, hidden = torch.randn(rows, shape.hidden), torch.randn(tokens, shape.hidden)
    gates, out = torch.randn(tokens, rows), torch.empty(rows, shape.hidden)
    hidden_parts, gates_parts = hidden.tensor_split(shape.bptt), gates.tensor_split(shape.bptt)

    def step() -> int:
        for layer in range(shape.layers):
            size = shape.hidden if layer else shape.embedding or shape.hidden
            inputs, weight = hidden[:, :size], recurrent[:, :size]
            torch.mm(inputs, weight.t(), out=gates)
            for one, gate in zip(hidden_parts, gates_parts, strict=True):
                torch.mm(one, recurrent.t(), out=gate)
            for one, gate in zip(hidden_parts, gates_parts, strict=True):
                torch.mm(gate, recurrent, out=one)
            torch.mm(gates.t(), hidden, out=out)
            torch.mm(gates.t(), inputs)
            torch.mm(gates, weight)
            hidden.fill_(0.5)  # otherwise its values would grow without bound
        return tokens

    return step


def gemm_gflops(dtype: torch.dtype, size: int = 1024, seconds: float = 1.0) -> float:
    """Measures the fastest of many square products, in billions of operations per second."""
    one, other = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    # Processor time on one thread, as other programs only make it wait.
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = clock()
        torch.mm(one, other)
        best = min(best, clock() - began)
    return 2 * size**3 / best / 1e9
