"""Adapts a model to the text that it reads: dynamic evaluation and a continuous cache.

Dynamic evaluation (Krause & others 2018) goes on training on the text as it passes, a step after each segment. With θ
the weights, θ₀ the trained ones, g the gradient of the segment's mean loss, and r = RMS of such gradients over the
training text:

    θ ← θ + min(1, λ r / mean r) (θ₀ − θ) − η g / (r + ε)

A continuous cache (Grave & others 2017) keeps (hᵢ, xᵢ₊₁), the last hidden states and the token that followed each:

    p_cache(w) ∝ Σᵢ [xᵢ₊₁ = w] exp(θ hₜ·hᵢ),        p = (1 − λ) p_model + λ p_cache

Each token is predicted before anything is learned from it, and only a copy of the model changes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnplay.generation_config import AdaptationConfig
from rnnplay.model.language_model import LanguageModel, State, detach

EPSILON = 1e-3
"""ε above, as in the paper's code."""

Tensors = Mapping[str, Tensor]


def dynamic_update(weight: Tensor, trained: Tensor, gradient: Tensor, rms: Tensor, pull: Tensor, lr: float) -> Tensor:
    """One weight tensor after an update. All are of one shape; `pull` is min(1, λ r / mean r)."""
    return weight + pull * (trained - weight) - lr * gradient / (rms + EPSILON)


def pulls(rms: Tensors, decay: float) -> dict[str, Tensor]:
    """min(1, λ r / mean r) for each weight; the mean is over all weights together."""
    mean = sum(float(one.sum()) for one in rms.values()) / sum(one.numel() for one in rms.values())
    if mean == 0:
        return {name: torch.full_like(one, decay) for name, one in rms.items()}
    return {name: (decay / mean * one).clamp(max=1) for name, one in rms.items()}


def gradient_rms(model: LanguageModel, ids: Tensor, segment: int) -> Tensors:
    """Root mean square of each weight's gradient, over the segments of a training text, ids (N,), state carried."""
    reader = copy.deepcopy(model).eval()
    sums = {name: torch.zeros_like(weight) for name, weight in reader.named_parameters()}
    state: State | None = None
    starts = range(0, max(1, len(ids) - segment), segment)
    for at in starts:
        part = ids[at : at + segment + 1]
        logits, state = reader(part[None, :-1], state)
        state = detach(state)
        cross_entropy(logits[0], part[1:]).backward()  # type: ignore[no-untyped-call]
        for name, gradient in _gradients(reader).items():
            sums[name] += gradient**2
    return {name: (total / len(starts)).sqrt() for name, total in sums.items()}


class AdaptiveReader:
    """Reads a text from its beginning, and adapts a copy of the model to it on the way."""

    def __init__(self, model: LanguageModel, settings: AdaptationConfig, rms: Tensors | None = None) -> None:
        """`rms`: see `gradient_rms`; None where nothing is updated. `model` itself stays as it is."""
        self.model = copy.deepcopy(model).eval()
        self._settings = settings
        self._state: State | None = None
        self._hidden = torch.zeros(0, model.config.hidden)
        self._followed = torch.zeros(0, dtype=torch.int64)
        self._rms = rms if settings.dynamic else None
        if self._rms is not None:
            self._trained = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}
            self._pulls = pulls(self._rms, settings.dynamic_decay)

    def read(self, ids: Tensor) -> Tensor:
        """The nats (T,) of the predictions of ids[1:] by a segment of T + 1 ids; then learns from them.

        Segments overlap by one id: each begins with the last one of the one before.
        """
        with torch.set_grad_enabled(self._rms is not None):
            hidden, state = self.model.read(ids[None, :-1], self._state)
            losses = cross_entropy(self.model.logits(hidden[0]), ids[1:], reduction="none")  # (T,)
        self._state = detach(state)
        nats = losses.detach().double()
        if self._settings.cache:
            nats = self._with_cache(nats, hidden[0].detach(), ids[1:])
        if self._rms is not None:
            losses.mean().backward()  # type: ignore[no-untyped-call]
            self._update(self._rms)
        return nats

    def _with_cache(self, nats: Tensor, hidden: Tensor, followed: Tensor) -> Tensor:
        """The nats (T,) of the mixture, for hidden states (T, H); keeps them."""
        settings, before = self._settings, len(self._hidden)
        self._hidden = torch.cat([self._hidden, hidden])
        self._followed = torch.cat([self._followed, followed])
        scores = settings.cache_theta * (hidden @ self._hidden.T).double()  # (T, N + T)
        place = torch.arange(len(self._hidden)) - before
        now = torch.arange(len(hidden))[:, None]
        # What is predicted is not known yet, nor what comes later; and what is too old is forgotten.
        scores.masked_fill_((place >= now) | (place < now - settings.cache_size), -math.inf)
        found = self._followed == followed[:, None]
        total = torch.logsumexp(scores, 1)
        cached = torch.logsumexp(scores.masked_fill(~found, -math.inf), 1) - total  # (T,) log p_cache
        mixed = -torch.logaddexp(math.log(1 - settings.cache_lambda) - nats, math.log(settings.cache_lambda) + cached)
        self._hidden = self._hidden[-settings.cache_size :]
        self._followed = self._followed[-settings.cache_size :]
        return torch.where(total.isneginf(), nats, mixed)

    @torch.no_grad()
    def _update(self, rms: Tensors) -> None:
        gradients = _gradients(self.model)
        for name, weight in self.model.named_parameters():
            trained, gradient, lr = self._trained[name], gradients[name], self._settings.dynamic_lr
            weight.copy_(dynamic_update(weight, trained, gradient, rms[name], self._pulls[name], lr))


def _gradients(model: LanguageModel) -> dict[str, Tensor]:
    """Takes the gradients of all weights; they are then cleared."""
    found = {}
    for name, weight in model.named_parameters():
        gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
        found[name] = gradient.to_dense() if gradient.is_sparse else gradient
        weight.grad = None
    return found
