"""The model, whole: embedding → RNN, LSTM or GRU → linear.

Letters of the shapes, here and in every comment of this package:

    B  sequences in a batch        V  vocabulary, tokens the model knows
    T  timesteps of a sequence     E  size of a token's vector (embedding)
    L  recurrent layers            H  units of the hidden state per layer
    G  blocks stacked in one recurrent weight: RNN 1, GRU 3 (r, z, n), LSTM 4 (i, f, c̃, o)

The tensors, named as torch.nn names them:

    embedding.weight     (V, E)
    rnn.weight_ih_l{k}   (G·H, E), and (G·H, H) from the second layer on
    rnn.weight_hh_l{k}   (G·H, H)
    rnn.bias_ih_l{k}     (G·H,)
    rnn.bias_hh_l{k}     (G·H,)
    output.weight        (V, H), the embedding's own tensor when tied
    output.bias          (V,)

and with an adaptive softmax (adaptive_softmax.py), in place of these two, output.head.weight and output.tail.*
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from rnnplay.config import RunConfig
from rnnplay.errors import RnnplayError
from rnnplay.model import recurrent, regularisation
from rnnplay.model.adaptive_softmax import adaptive_loss, make_adaptive
from rnnplay.model.linear_cross_entropy import linear_cross_entropy
from rnnplay.model.sampled_softmax import sampled_cross_entropy

State = Tensor | tuple[Tensor, Tensor]
"""What is carried from one timestep to the next: h (L, B, H), or (h, c) of an LSTM; always float32."""

IGNORED = -100
"""Marks a target that does not count."""


class LanguageModel(nn.Module):
    """Scores the next token at every position of a batch of sequences.

    Its weights depend on `config.seed` alone: torch's global random numbers are neither used nor moved.
    Dropout in training does draw from them.
    """

    def __init__(self, config: RunConfig, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # torch's layers draw weights of their own, which are replaced below
            self.embedding = nn.Embedding(vocabulary, config.embedding)
            self.rnn = make_rnn(config)
            self.output: Any = (  # use `logits` or `loss`, which know both
                make_adaptive(config.hidden, vocabulary)
                if config.softmax == "adaptive"
                else nn.Linear(config.hidden, vocabulary)
            )
        if config.tie and isinstance(self.output, nn.Linear):
            self.output.weight = self.embedding.weight
        self.input_dropout, self.layer_dropout, self.dropout = regularisation.make_dropouts(config)
        self.initialise(torch.Generator().manual_seed(config.seed))

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The logits of each next token, and the state after the last timestep.

        ids (B, T) int64; state as an earlier call returned it, None for zeros. Logits (B, T, V) and state
        are float32, also under autocast: bfloat16 goes to float32 and back without loss, so carrying and
        saving the state changes no bit.
        """
        hidden, state = self.read(ids, state)
        return self.logits(hidden), state

    def read(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """As `forward`, up to the output layer: the hidden states (B, T, H), dropout applied, and the state."""
        hidden, state = self._read(ids, state)
        return self.dropout(hidden), state

    def _read(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """As `read`, before the dropout of the output."""
        # Tied, the output layer fills the gradient of the same weights: only the rows read need be added to it.
        sparse = self.config.tie and ids.device.type == "cpu"
        embedded = embedding(ids, self.embedding.weight, sparse=sparse)  # (B, T, E)
        if self.training and self.config.embedding_dropout:
            embedded = regularisation.drop_words(embedded, ids, self.vocabulary, self.config.embedding_dropout)
        embedded = self.input_dropout(embedded)
        if self.training and regularisation.layer_by_layer(self.config):
            dropped = self.config.weight_drop
            hidden, state = regularisation.run(self.rnn, embedded, state, self.layer_dropout, dropped)
        elif recurrent.applies(self.rnn, embedded):
            hidden, state = recurrent.run(self.rnn, embedded, cast("Tensor | None", state))
        else:
            hidden, state = self.rnn(embedded, state)  # (B, T, H), and (L, B, H) or two of them
        return hidden, _float32(state)

    def logits(self, hidden: Tensor) -> Tensor:
        """The output layer: hidden states (..., H) to logits (..., V), float32; for an adaptive softmax log p."""
        if isinstance(self.output, nn.Linear):
            logits = self.output(hidden)
        else:
            with torch.autocast(hidden.device.type, enabled=False):  # or it would take the softmax in bfloat16
                logits = self.output.log_prob(hidden.reshape(-1, hidden.shape[-1]).float()).view(*hidden.shape[:-1], -1)
        return cast(Tensor, logits.float())

    def loss(
        self, ids: Tensor, targets: Tensor, state: State | None = None, reduction: Literal["mean", "sum"] = "mean"
    ) -> tuple[Tensor, State]:
        """Cross-entropy in nats, shape (), float32, and the state; the logits need not exist whole for it.

        ids (B, T) int64; targets (B·T,) int64, IGNORED where they do not count; state as for `forward`. With a sampled
        softmax an estimate in training, exact in evaluation.
        """
        hidden, state = self.read(ids, state)
        return self._cross_entropy(hidden, targets, reduction), state

    def objective(
        self, ids: Tensor, targets: Tensor, state: State | None = None, reduction: Literal["mean", "sum"] = "mean"
    ) -> tuple[Tensor, Tensor, State]:
        """What a training step minimises, then what `loss` returns: the same unless activations are regularised."""
        hidden, state = self._read(ids, state)
        dropped = self.dropout(hidden)
        loss = objective = self._cross_entropy(dropped, targets, reduction)
        if self.config.ar_alpha or self.config.tar_beta:
            counts = targets.view_as(ids) != IGNORED
            objective = loss + regularisation.activation_penalty(self.config, hidden, dropped, counts)
        return objective, loss, state

    def _cross_entropy(self, hidden: Tensor, targets: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
        hidden = hidden.flatten(0, 1)  # (B·T, H)
        if isinstance(self.output, nn.Linear):
            weight, bias = self.output.weight, self.output.bias
            of_words = (
                sampled_cross_entropy if self.training and self.config.softmax == "sampled" else linear_cross_entropy
            )
            return of_words(hidden, weight, bias, targets, IGNORED, reduction)
        return adaptive_loss(self.output, hidden, targets, IGNORED, reduction)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draws all weights anew.

        embedding       N(0, 1); tied, where it also makes the logits, std 4/√H (at most 1): measured, both the 1/√H
                        of an output (input too faint) and 1 (logits too large) learn more slowly
        recurrent       each gate's H×H block orthogonal (Saxe et al. 2014), times recurrent_gain
        input           each gate's block uniform, Glorot & Bengio 2010
        recurrent bias  0; an LSTM's forget gate forget_bias in bias_ih and 0 in bias_hh
                        (Gers et al. 2000; Jozefowicz et al. 2015)
        output          uniform ±1/√H, bias 0: the first loss, untied, is close to ln V; an adaptive softmax's
                        matrices each by the length of their own rows
        """
        hidden = self.config.hidden
        for name, weight in self.rnn.named_parameters():
            if name.startswith("bias"):
                weight.zero_()
                if self.config.cell == "lstm" and name.startswith("bias_ih"):
                    weight[hidden : 2 * hidden] = self.config.forget_bias
                continue
            for block in torch.split(weight, hidden):  # (H, E) or (H, H), one a gate
                if name.startswith("weight_hh"):
                    nn.init.orthogonal_(block, gain=self.config.recurrent_gain, generator=generator)
                else:
                    nn.init.xavier_uniform_(block, generator=generator)
        scale = 1 / math.sqrt(hidden)
        if isinstance(self.output, nn.Linear):
            self.output.weight.uniform_(-scale, scale, generator=generator)
            self.output.bias.zero_()
        else:
            for weight in self.output.parameters():
                weight.uniform_(-1 / math.sqrt(weight.shape[1]), 1 / math.sqrt(weight.shape[1]), generator=generator)
        self.embedding.weight.normal_(0, min(1.0, 4 * scale) if self.config.tie else 1.0, generator=generator)

    @property
    def size(self) -> int:
        """Number of parameters; a tied tensor counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def vocabulary(self) -> int:
        """V."""
        return self.embedding.num_embeddings

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.embedding.weight.device

    def zero_state(self, batch: int) -> State:
        """The state before the first timestep."""
        hidden = torch.zeros(self.config.layers, batch, self.config.hidden, device=self.device)
        return (hidden, torch.zeros_like(hidden)) if self.config.cell == "lstm" else hidden

    def weights(self) -> dict[str, Tensor]:
        """All tensors by name, for a file.

        Tied, output.weight is left out, as it is embedding.weight (safetensors refuses shared storage):
        `weights.setdefault("output.weight", weights["embedding.weight"])` gives what plain torch.nn layers load.
        """
        tensors: dict[str, Tensor] = self.state_dict()
        if self.config.tie:
            del tensors["output.weight"]
        return tensors

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Loads tensors as `weights` returns them; raises RnnplayError if names, shapes or types differ."""
        own = self.weights()
        for name in sorted(own.keys() | tensors.keys()):
            given, wanted = tensors.get(name), own.get(name)
            if given is None:
                raise RnnplayError(f"The weights have no {name}; they are not of this run's model.")
            if wanted is None:
                raise RnnplayError(f"The weights have a {name}, which this run's model has not; they are of another.")
            if given.shape != wanted.shape or given.dtype != wanted.dtype:
                raise RnnplayError(
                    f"The weights' {name} is {_shown(given)}, but this run's model has {_shown(wanted)}; "
                    "they are of another."
                )
        # With output.weight missing where tied; everything else was checked above.
        self.load_state_dict(dict(tensors), strict=False)


def make_rnn(config: RunConfig) -> nn.RNN | nn.LSTM | nn.GRU:
    """torch's recurrent layers for `config`, batch first."""
    # torch puts dropout between layers only, and warns where there is but one.
    dropout = config.dropouts[1] if config.layers > 1 else 0.0
    sizes = config.embedding, config.hidden, config.layers
    if config.cell == "lstm":
        return nn.LSTM(*sizes, batch_first=True, dropout=dropout)
    if config.cell == "gru":
        return nn.GRU(*sizes, batch_first=True, dropout=dropout)
    return nn.RNN(*sizes, nonlinearity=config.nonlinearity, batch_first=True, dropout=dropout)


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """The context to run a forward pass in: products in bfloat16, or everything in float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == torch.bfloat16)


def detach(state: State) -> State:
    """Detaches the state from the graph that computed it: no gradient flows into the previous batch."""
    return (state[0].detach(), state[1].detach()) if isinstance(state, tuple) else state.detach()


def state_to_tensors(state: State | None) -> dict[str, Tensor]:
    """Names the tensors for a file: "hidden" (L, B, H), and "cell" (L, B, H) of an LSTM; nothing for None."""
    if state is None:
        return {}
    if isinstance(state, tuple):
        return {"hidden": state[0].detach(), "cell": state[1].detach()}
    return {"hidden": state.detach()}


def state_from_tensors(tensors: Mapping[str, Tensor], device: torch.device) -> State | None:
    """The inverse of `state_to_tensors`; other names are ignored."""
    if "hidden" not in tensors:
        return None
    hidden = tensors["hidden"].to(device)
    return (hidden, tensors["cell"].to(device)) if "cell" in tensors else hidden


def _float32(state: State) -> State:
    return (state[0].float(), state[1].float()) if isinstance(state, tuple) else state.float()


def _shown(tensor: Tensor) -> str:
    return f"{'×'.join(map(str, tensor.shape))} {str(tensor.dtype).removeprefix('torch.')}"
