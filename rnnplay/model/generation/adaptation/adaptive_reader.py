"""Adapts a model to the text that it reads: dynamic evaluation and a continuous cache.

Dynamic evaluation (Krause et al. 2018) goes on training on the text as it passes, a step after each segment. With θ
the weights, θ₀ the trained ones, g the gradient of the segment's mean loss, and r = RMS of such gradients over the
training text:

    θ ← θ + min(1, λ r / mean r) (θ₀ − θ) − η g / (r + ε)

A continuous cache (Grave et al. 2017) keeps (hᵢ, xᵢ₊₁), the last hidden states and the token that followed each:

    p_cache(w) ∝ Σᵢ [xᵢ₊₁ = w] exp(θ hₜ·hᵢ),        p = (1 − λ) p_model + λ p_cache

Each token is predicted before anything is learned from it, and only a copy of the model changes.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnplay.generation_config import AdaptationConfig
from rnnplay.model.generation.adaptation.cache_rows import CacheRows
from rnnplay.model.language_model import LanguageModel, State, detach

EPSILON = 1e-3
"""ε above, as in the paper's code."""

Tensors = Mapping[str, Tensor]
Rows = tuple[Tensor, Tensor]
"""Hidden states (N, H), and the tokens (N,) that followed them."""


TOGETHER = 1 << 16
"""Numbers of a tensor that are updated together, so that they are still in a cache of the processor."""


def dynamic_update(weight: Tensor, trained: Tensor, gradient: Tensor, step: Tensor, pull: Tensor) -> None:
    """Updates one weight tensor in place. All are of one shape; `step` is η / (r + ε), `pull` min(1, λ r / mean r)."""
    weight = weight.view(-1)
    trained, gradient, step, pull = (one.reshape(-1) for one in (trained, gradient, step, pull))
    for at in range(0, len(weight), TOGETHER):
        part = slice(at, at + TOGETHER)
        weight[part].lerp_(trained[part], pull[part]).addcmul_(gradient[part], step[part], value=-1)


def pulls(rms: Tensors, decay: float) -> dict[str, Tensor]:
    """min(1, λ r / mean r) for each weight; the mean is over all weights together."""
    mean = sum(float(one.sum()) for one in rms.values()) / sum(one.numel() for one in rms.values())
    if mean == 0:
        return {name: torch.full_like(one, decay) for name, one in rms.items()}
    return {name: (decay / mean * one).clamp(max=1) for name, one in rms.items()}


class GradientScale:
    """Root mean square of each weight's gradient over the segments of a training text; measured a little at a time."""

    def __init__(self, model: LanguageModel, ids: Tensor, segment: int) -> None:
        """`ids` (N,) are read in segments, with the state carried."""
        self._reader = _copied(model)
        self._sums = {name: torch.zeros_like(weight) for name, weight in self._reader.named_parameters()}
        self._ids, self._segment = ids, segment
        self._starts = range(0, max(1, len(ids) - segment), segment)
        self._state: State | None = None
        self.done = 0
        """Segments read."""

    @property
    def of(self) -> int:
        """Segments to read."""
        return len(self._starts)

    def measure(self, until: float | None = None) -> Tensors | None:
        """Reads on; returns the scales, or None if `time.perf_counter()` came to `until` before."""
        for at in self._starts[self.done :]:
            part = self._ids[at : at + self._segment + 1]
            logits, state = self._reader(part[None, :-1], self._state)
            self._state = detach(state)
            cross_entropy(logits[0], part[1:]).backward()  # type: ignore[no-untyped-call]
            for name, gradient in _gradients(self._reader).items():
                self._sums[name].addcmul_(gradient, gradient)
            self.done += 1
            if self.done < self.of and until is not None and time.perf_counter() > until:
                return None
        return {name: (total / len(self._starts)).sqrt() for name, total in self._sums.items()}


def gradient_rms(model: LanguageModel, ids: Tensor, segment: int) -> Tensors:
    """Root mean square of each weight's gradient, over the segments of a training text, ids (N,), state carried."""
    found = GradientScale(model, ids, segment).measure()
    assert found is not None
    return found


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of an AdaptiveReader after a segment, to return to."""

    weights: dict[str, Tensor] | None
    """None where weights are not updated."""
    state: State | None
    cached: CacheRows


class AdaptiveReader:
    """Reads a text from its beginning, and adapts a copy of the model to it on the way."""

    def __init__(self, model: LanguageModel, settings: AdaptationConfig, rms: Tensors | None = None) -> None:
        """`rms`: see `gradient_rms`; None where nothing is updated. `model` itself stays as it is."""
        self.model = _copied(model)
        self.settings = settings
        self._state: State | None = None
        self._cached = CacheRows(model.config.hidden)
        self._updates = settings.dynamic and rms is not None
        if settings.dynamic and rms is not None:
            self._trained = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}
            self._pulls = pulls(rms, settings.dynamic_decay)
            self._steps = {name: settings.dynamic_lr / (one + EPSILON) for name, one in rms.items()}

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the nats (T,) of the predictions of ids[1:] in a segment of T + 1 ids; then learns from them.

        First under the weights alone, then with the cache. Segments overlap by one id: each begins with the
        last one of the one before.
        """
        with torch.set_grad_enabled(self._updates):
            hidden, state = self.model.read(ids[None, :-1], self._state)
            losses = cross_entropy(self.model.logits(hidden[0]), ids[1:], reduction="none")  # (T,)
        self._state = detach(state)
        alone = nats = losses.detach().double()
        if self.settings.cache:
            nats = self._with_cache(nats, hidden[0].detach(), ids[1:])
        if self._updates:
            losses.mean().backward()  # type: ignore[no-untyped-call]
            self._update()
        return alone, nats

    def look(self, ids: Tensor) -> tuple[Tensor, State, Rows, Rows]:
        """Reads `ids` (T,), at least one, after the last segment without learning anything.

        Returns the logits (V,) and the state after them, and what the cache has then: hidden states (N, H) and the
        tokens (N,) that followed them, those of the segments and then those of `ids`.
        """
        with torch.no_grad():
            hidden, state = self.model.read(ids[None], self._state)
            logits = self.model.logits(hidden[0, -1])
        if not self.settings.cache:
            return logits, state, (hidden[0, :0], ids[:0]), (hidden[0, :0], ids[:0])
        size = self.settings.cache_size
        newest = hidden[0, :-1][-size:], ids[1:][-size:]
        return logits, state, self._cached.last(size - len(newest[0])), newest

    @property
    def moment(self) -> Moment:
        """Where it is in the text, to return to."""
        of = self.model.named_parameters() if self._updates else ()
        weights = {name: weight.detach().clone() for name, weight in of} or None
        return Moment(weights, self._state, self._cached)

    @torch.no_grad()
    def return_to(self, moment: Moment) -> None:
        """Goes back (or forward) to a moment of this reader, as if nothing had been read since."""
        self._state, self._cached = moment.state, moment.cached
        if moment.weights is not None:
            for name, weight in self.model.named_parameters():
                weight.copy_(moment.weights[name])

    def _with_cache(self, nats: Tensor, hidden: Tensor, followed: Tensor) -> Tensor:
        """The nats (T,) of the mixture, for hidden states (T, H); keeps them."""
        settings, before = self.settings, min(len(self._cached), self.settings.cache_size)
        self._cached = self._cached.with_more(hidden, followed, settings.cache_size)
        kept, tokens = self._cached.last(before + len(hidden))
        scores = settings.cache_theta * (hidden @ kept.T).double()  # (T, N + T)
        place = torch.arange(len(kept)) - before
        now = torch.arange(len(hidden))[:, None]
        # What is predicted is not known yet, nor what comes later; and what is too old is forgotten.
        scores.masked_fill_((place >= now) | (place < now - settings.cache_size), -math.inf)
        found = tokens == followed[:, None]
        total = torch.logsumexp(scores, 1)
        cached = torch.logsumexp(scores.masked_fill(~found, -math.inf), 1) - total  # (T,) log p_cache
        mixed = -torch.logaddexp(math.log(1 - settings.cache_lambda) - nats, math.log(settings.cache_lambda) + cached)
        return torch.where(total.isneginf(), nats, mixed)

    @torch.no_grad()
    def _update(self) -> None:
        gradients = _gradients(self.model)
        for name, weight in self.model.named_parameters():
            dynamic_update(weight, self._trained[name], gradients[name], self._steps[name], self._pulls[name])


def _copied(model: LanguageModel) -> LanguageModel:
    """A copy on the CPU whose weights have gradients, none so far."""
    other = copy.deepcopy(model).cpu().eval()
    other.zero_grad()
    return other.requires_grad_()


def _gradients(model: LanguageModel) -> dict[str, Tensor]:
    """Takes the gradients of all weights; they are then cleared."""
    found = {}
    for name, weight in model.named_parameters():
        gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
        found[name] = gradient.to_dense() if gradient.is_sparse else gradient
        weight.grad = None
    return found
