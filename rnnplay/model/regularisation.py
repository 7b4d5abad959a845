"""What keeps an AWD-LSTM (Merity, Keskar & Socher 2018) from overfitting: dropout, and small activations.

Dropout of units, of words and of recurrent weights. In training only; p is the fraction dropped, what is left is
divided by 1 − p, and masks m are 0 or 1:

    token           x̃⁽ᵗ⁾ = m⁽ᵗ⁾ ∘ x⁽ᵗ⁾ / (1 − p)    m⁽ᵗ⁾ (B, ·), drawn at each timestep (Zaremba et al. 2014)
    locked          x̃⁽ᵗ⁾ = m ∘ x⁽ᵗ⁾ / (1 − p)       m (B, ·), one for all timesteps (Gal & Ghahramani 2016)
    words           ẽ_w = m_w e_w / (1 − p)          m (V,), one for all places of the batch (the same)
    weight drop     W̃ = m ∘ W / (1 − p)              m (G·H, H), one a layer, of the matrix that multiplies the hidden
                                                     state: DropConnect (Wan et al. 2013)

All are drawn anew at each step, whose T timesteps they are for.

Activation regularisation (AR) and its temporal form (TAR; Merity, McCann & Socher 2017, "Revisiting activation
regularization for language RNNs") add to the loss, over the positions of a batch that count,

    α · mean (h̃⁽ᵗ⁾)² + β · mean (h⁽ᵗ⁾ − h⁽ᵗ⁻¹⁾)²    h the top layer's hidden state, h̃ the same with its units dropped

Shapes as in language_model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from rnnplay.config import RunConfig
from rnnplay.model import recurrent

Recurrent = nn.RNN | nn.LSTM | nn.GRU


class LockedDropout(nn.Module):
    """Drops the same units of x (B, T, ·) at all timesteps."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Returns x with its units dropped in training, unchanged in evaluation."""
        if not self.training or not self.p:
            return x
        return x * dropout(x.new_ones(len(x), 1, x.shape[-1]), self.p)


def make_dropouts(config: RunConfig) -> list[nn.Module]:
    """Makes the dropouts of units: on the embedding, between layers, on the output."""
    kind = LockedDropout if config.dropout_kind == "locked" else nn.Dropout
    return [kind(p) for p in config.dropouts]


def draws(config: RunConfig) -> bool:
    """Whether a training step draws random numbers."""
    return any((*config.dropouts, config.embedding_dropout, config.weight_drop)) or config.softmax == "sampled"


def drop_words(embedded: Tensor, ids: Tensor, vocabulary: int, p: float) -> Tensor:
    """Drops whole words of embedded (B, T, E), whose ids are ids (B, T)."""
    return embedded * dropout(embedded.new_ones(vocabulary), p)[ids].unsqueeze(-1)


def activation_penalty(config: RunConfig, hidden: Tensor, dropped: Tensor, counts: Tensor) -> Tensor:
    """Computes AR + TAR, shape (), float32; hidden and dropped (B, T, H), counts (B, T): the positions that count."""
    weights = counts.float()
    penalty = hidden.new_zeros((), dtype=torch.float32)
    if config.ar_alpha:
        squares = dropped.float().square().mean(-1)
        penalty = penalty + config.ar_alpha * (squares * weights).sum() / weights.sum().clamp(min=1)
    if config.tar_beta:
        squares = (hidden[:, 1:].float() - hidden[:, :-1].float()).square().mean(-1)
        both = weights[:, 1:] * weights[:, :-1]
        penalty = penalty + config.tar_beta * (squares * both).sum() / both.sum().clamp(min=1)
    return penalty


def layer_by_layer(config: RunConfig) -> bool:
    """Whether training needs `run`: torch's layers neither lock their dropout nor drop weights."""
    return config.weight_drop > 0 or (config.dropout_kind == "locked" and config.dropouts[1] > 0 and config.layers > 1)


def run(
    rnn: Recurrent, inputs: Tensor, state: Tensor | tuple[Tensor, Tensor] | None, between: nn.Module, weight_drop: float
) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
    """As `rnn(inputs, state)` in training, with `between` between its layers and some recurrent weights dropped.

    inputs (B, T, E); state h (L, B, H), or (h, c) of an LSTM, None for zeros. Returns hidden (B, T, H) and the state.
    """
    own = recurrent.applies(rnn, inputs)
    if state is None:
        zeros = inputs.new_zeros(rnn.num_layers, len(inputs), rnn.hidden_size)
        state = (zeros, zeros) if isinstance(rnn, nn.LSTM) else zeros
    states = state if isinstance(state, tuple) else (state,)
    x, last = inputs, []
    for layer, (weight_ih, weight_hh, *biases) in enumerate(rnn.all_weights):
        weights = [weight_ih, dropout(weight_hh, weight_drop), *biases]
        before = [one[layer : layer + 1] for one in states]  # (1, B, H)
        x, *after = _layer(rnn, between(x) if layer else x, before, weights, own)
        last.append(after)
    new = [torch.cat(one) for one in zip(*last, strict=True)]
    return x, (new[0], new[1]) if isinstance(rnn, nn.LSTM) else new[0]


def _layer(rnn: Recurrent, x: Tensor, state: list[Tensor], weights: list[Tensor], own: bool) -> tuple[Tensor, ...]:
    """One layer of `rnn` with these weights: x (B, T, ·), state (1, B, H) each; `own`: by our own kernels."""
    if own:
        return recurrent.run(rnn, x, state[0], [weights])
    # with biases, one layer without dropout, in training, of one direction, batch first
    how: Any = (True, 1, 0.0, True, False, True)
    if isinstance(rnn, nn.LSTM):
        return torch.lstm(x, state, weights, *how)
    if isinstance(rnn, nn.GRU):
        return torch.gru(x, state[0], weights, *how)
    rule = torch.rnn_relu if rnn.nonlinearity == "relu" else torch.rnn_tanh
    return rule(x, state[0], weights, *how)
