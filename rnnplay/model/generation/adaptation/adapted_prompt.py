"""A prompt and a model that adapts to it; what was learned is kept between keys.

The prompt is divided into segments from its beginning on, each of `dynamic_segment` tokens, and what follows is learned
only from whole ones: a segment is read with the weights that the segments before it have left, and when the token after
its last one is known, the weights take a step. So what a prompt of n tokens is answered with, weights, state and cache,
depends on its tokens alone: the weights on the first (n - 1) // segment segments, the cache on all tokens. It is the
same however the prompt was typed; a deleted token takes back what was learned from it, since the weights, the state and
the cache after earlier segments are kept. Of what is further back only some are kept, fewer the longer ago, and what
lies between is learned again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnplay.errors import CheckpointError
from rnnplay.generation_config import AdaptationConfig
from rnnplay.model.generation.adaptation.adaptive_reader import AdaptiveReader, Moment, Tensors
from rnnplay.model.generation.stepper import Floats, Stepped, Steps, as_row, stepper_of
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.vocabulary import Ids

KEPT_BYTES = 256 << 20
"""About as much memory as the weights and caches after earlier segments may take."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from a prompt, and what it was worth."""

    tokens: int
    """Tokens that both have predicted, and that were learned from."""
    of: int
    """Tokens of the prompt that can be learned from: those of its whole segments."""
    before: float
    """Their mean nats under the model as it was trained; 0 for none."""
    after: float
    """Their mean nats as it adapted: each was predicted before anything was learned from it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The readers after some number of segments, and the nats up to there."""

    plain: Moment | None
    adapted: Moment
    before: float
    after: float


class AdaptedPrompt:
    """What one model has learned from one prompt, which changes from key to key."""

    def __init__(self, model: LanguageModel, settings: AdaptationConfig, rms: Tensors | None) -> None:
        """`rms`: see `gradient_rms`, needed for dynamic evaluation. `model` itself stays as it is."""
        self.settings = settings
        self._segment = settings.dynamic_segment
        # What a cache is compared with comes from the same reading.
        self._plain = AdaptiveReader(model, AdaptationConfig()) if settings.dynamic else None
        self._reader = AdaptiveReader(model, settings, rms)
        self._ids: Ids = np.zeros(0, np.int64)
        self._at = 0
        """The number of segments that the readers have read."""
        self._places = {0: self._place(0.0, 0.0)}
        """Places to return to, by the number of segments read."""
        self._states: tuple[Tensor, ...] = ()
        """What the cache has after the prompt that was read last: hidden states (N, H), in parts."""
        self._followed: Ids = self._ids
        """The tokens (N,) that followed them."""
        self._wanted = 0
        per_place = 4 * (model.size * settings.dynamic + settings.cache_size * model.config.hidden * settings.cache) + 1
        self._dense = max(1, min(16, KEPT_BYTES // (10 * per_place)))
        """This many of the last places are kept, and half as many of each stretch before, each stretch twice as long as
        the next."""

    @property
    def model(self) -> LanguageModel:
        """The model as it has adapted to what was read last."""
        return self._reader.model

    @property
    def learned(self) -> Learned:
        """What was learned from the prompt that was read last."""
        tokens, place = self._at * self._segment, self._places[self._at]
        count = max(tokens, 1)
        return Learned(tokens, self._wanted * self._segment, place.before / count, place.after / count)

    def read(self, ids: Ids, seconds: float | None = None) -> tuple[Floats, Floats] | None:
        """Returns logits (V,), with a cache log p, and the state (S,) after `ids` (at least one).

        After `seconds` it returns None if it has not learned from all of it; the next call goes on from there.
        Raises CheckpointError if the logits are not finite.
        """
        until = None if seconds is None else time.perf_counter() + seconds
        self._change(ids)
        self._wanted = (len(ids) - 1) // self._segment
        self._go_to(max(place for place in self._places if place <= self._wanted))
        while self._at < self._wanted:
            self._learn(ids)  # at least one segment a call
            if self._at < self._wanted and until is not None and time.perf_counter() > until:
                return None
        rest = torch.from_numpy(ids[self._at * self._segment :])
        logits, state, *cached = self._reader.look(rest)
        if not bool(torch.isfinite(logits).all()):
            raise CheckpointError("The model's numbers are no longer finite; use a lower dynamic_lr.", None)
        self._states = tuple(states for states, _ in cached)
        self._followed = torch.cat([tokens for _, tokens in cached]).numpy()
        row = as_row(state)
        width = self.model.config.hidden * self.model.config.layers
        top = row[width - self.model.config.hidden : width]
        return self.mixed(logits.numpy()[None], top[None])[0], row

    def steps(self) -> Steps:
        """Steps the model as it has adapted to what was read last; logits are log p of the mixture with the cache."""
        plain = stepper_of(self.model)
        return _MixedSteps(self, plain) if self.settings.cache else plain

    def _change(self, ids: Ids) -> None:
        """Gives up what was learned from other tokens than those of `ids`."""
        shorter = min(len(ids), len(self._ids))
        different = np.flatnonzero(ids[:shorter] != self._ids[:shorter])
        common = int(different[0]) if len(different) else shorter
        if common == len(ids):  # what was deleted may be typed again
            return
        self._ids = ids
        for place in [place for place in self._places if place and place * self._segment + 1 > common]:
            del self._places[place]

    def _place(self, before: float, after: float) -> _Place:
        return _Place(self._plain.moment if self._plain is not None else None, self._reader.moment, before, after)

    def _go_to(self, place: int) -> None:
        if place != self._at:
            self._at = place
            found = self._places[place]
            if self._plain is not None and found.plain is not None:
                self._plain.return_to(found.plain)
            self._reader.return_to(found.adapted)

    def _learn(self, ids: Ids) -> None:
        start, place = self._at * self._segment, self._places[self._at]
        segment = torch.from_numpy(ids[start : start + self._segment + 1])
        alone, after = self._reader.read(segment)
        before = alone if self._plain is None else self._plain.read(segment)[1]
        self._at += 1
        self._places[self._at] = self._place(place.before + float(before.sum()), place.after + float(after.sum()))
        for old in [old for old in self._places if old and old % self._spacing(self._at - old)]:
            del self._places[old]

    def _spacing(self, ago: int) -> int:
        """The distance of the places that are kept `ago` segments back: a power of two, about proportional to that."""
        return 1 << max(0, int(math.log2(max(ago, 1) / self._dense)) + 1) if ago > self._dense else 1

    def mixed(self, logits: Floats, hidden: Floats) -> Floats:
        """Turns logits (B, V) of the model into log p of its mixture with the cache, by the hidden states (B, H)."""
        if not len(self._followed):
            return logits
        weight = self.settings.cache_lambda
        p: Floats = np.exp(logits - logits.max(1, keepdims=True))
        p *= (1 - weight) / p.sum(1, keepdims=True)
        # By torch: numpy's products start threads of their own, which beside other work wait long for each other.
        own = torch.from_numpy(hidden)
        scores = torch.cat([own @ states.t() for states in self._states], 1).numpy()  # (B, N)
        scores *= self.settings.cache_theta
        scores -= scores.max(1, keepdims=True)
        np.exp(scores, out=scores)
        scores *= weight / scores.sum(1, keepdims=True)
        for row, cached in zip(p, scores, strict=True):
            row += np.bincount(self._followed, cached, len(row))
        p += 1e-30
        np.log(p, out=p)
        return p


class _MixedSteps:
    """As stepper.Stepper, with a cache."""

    def __init__(self, prompt: AdaptedPrompt, plain: Steps) -> None:
        self.prompt, self.plain = prompt, plain

    def batch(self, rows: int) -> Stepped:
        """The buffers for `rows` sequences."""
        return _MixedBatch(self, self.plain.batch(rows))


class _MixedBatch:
    def __init__(self, own: _MixedSteps, plain: Stepped) -> None:
        self._own, self._plain = own, plain
        self.states = plain.states

    def step(self, tokens: Sequence[int]) -> Floats:
        """Reads one more token of each sequence; returns log p (B, V)."""
        config = self._own.prompt.model.config
        logits = self._plain.step(tokens)
        end = config.layers * config.hidden
        top = self.states[:, end - config.hidden : end]
        return self._own.prompt.mixed(logits, top)
