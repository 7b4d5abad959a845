"""The ways to write a word that was begun in byte pairs, with what they add to its letters.

In byte pairs, a whole word may be other tokens than its beginning is, so the letters typed so far are not read but
required: all ways to write them in tokens are followed, each weighted by its probability (the tokens are marginalised;
"token healing" takes only the most probable way).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from rnnplay.model.generation.context import UNKNOWN_ID, Writer
from rnnplay.model.generation.filters import softmax
from rnnplay.model.generation.stepper import Floats, Steps
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.utf8 import to_bytes

LEAST = 0.002
"""Continuations less probable than this are not searched."""

TOGETHER = 8
"""Stepped in one step of the model: with more, those less probable are stepped before it is known that they are not
needed."""

MOST_STEPS = 64
"""Most steps by which the ways are followed."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to write what was begun, up to the first token that reaches its end."""

    token: int
    """The last token of it."""
    probability: float
    """Its probability among all ways."""
    state: Floats
    """The state (S,) before `token`."""
    writer: Writer
    text: str
    """What `token` adds to what was begun; "" where it ends there, or within a character."""


@dataclass(frozen=True, slots=True)
class Begun:
    """All ways that were found, the most probable first."""

    ways: list[Way]
    steps: int
    """Steps of the model that finding them took."""


def ways_to_write(stepper: Steps, tokenizer: Tokenizer, logits: Floats, state: Floats, writer: Writer) -> Begun:
    """Follows the ways to write what `writer` has not read, before which the model has `logits` (V,) and `state` (S,).

    Raises CheckpointError for a model whose numbers are not finite.
    """
    pieces = pieces_of(cast(Hashable, tokenizer))
    found: list[Way] = []
    open_ways: list[Way] = []
    steps = 0

    def follow(probability: float, logits: Floats, state: Floats, writer: Writer) -> None:
        scores = softmax(logits, UNKNOWN_ID)
        for token in pieces.fitting(writer.awaited):
            after = writer.copy()
            text = after.write(token)
            way = Way(token, probability * float(scores[token]), state, after, text)
            (open_ways if after.unread else found).append(way)

    follow(1.0, logits, state, writer)
    while open_ways and steps < MOST_STEPS:
        best = max((way.probability for way in found), default=0.0)
        open_ways.sort(key=lambda way: -way.probability)
        ways = [way for way in open_ways[:TOGETHER] if way.probability > LEAST * best]
        if not ways:
            break
        del open_ways[: len(ways)]
        steps += len(ways)
        for way, row, after in _stepped(stepper, ways):
            follow(way.probability, row, after, way.writer)
    total = sum(way.probability for way in found) or 1.0
    shares = [Way(way.token, way.probability / total, way.state, way.writer, way.text) for way in found]
    return Begun(sorted(shares, key=lambda way: -way.probability), steps)


def next_pieces(
    stepper: Steps, tokenizer: Tokenizer, begun: Begun, bars: int
) -> tuple[list[tuple[str, float]], list[str]]:
    """The `bars` most probable pieces that continue what was begun, with probabilities, and what each adds to the text.

    The rest of the token under way, or, where that ends with what was begun, the next one.
    """
    shown: dict[str, float] = {}
    added: dict[str, str] = {}

    def add(text: str, token: int, probability: float) -> None:
        label = text or tokenizer.tokens[token]
        shown[label] = shown.get(label, 0.0) + probability
        added[label] = text

    ended = [way for way in begun.ways if not way.text and way.probability >= LEAST][:TOGETHER]
    for way in begun.ways:
        if way.text:
            add(way.text, way.token, way.probability)
    for way, row, _ in _stepped(stepper, ended) if ended else []:
        scores = softmax(row, UNKNOWN_ID)
        for token in np.argsort(-scores, kind="stable")[:bars].tolist():
            add(way.writer.copy().write(token), token, way.probability * float(scores[token]))
    best = sorted(shown.items(), key=lambda one: -one[1])[:bars]
    return best, [added[label] for label, _ in best]


def _stepped(stepper: Steps, ways: list[Way]) -> list[tuple[Way, Floats, Floats]]:
    """Yields each of `ways` with the logits (V,) and the state (S,) after it."""
    batch = stepper.batch(len(ways))
    batch.states[:] = [way.state for way in ways]
    rows = batch.step([way.token for way in ways]).copy()
    return list(zip(ways, rows, batch.states.copy(), strict=True))


class Pieces:
    """The bytes of a tokenizer's tokens, in order, to find those that agree with what is awaited."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        texts = (to_bytes(tokenizer.decode_after(None, token)) for token in range(1, tokenizer.size))
        self._sorted = sorted((text, token) for token, text in enumerate(texts, 1) if text)

    def fitting(self, awaited: bytes) -> list[int]:
        """The tokens that begin with `awaited`, or with which it begins."""
        found = []
        for length in range(1, len(awaited)):
            at = bisect_left(self._sorted, (awaited[:length], 0))
            while at < len(self._sorted) and self._sorted[at][0] == awaited[:length]:
                found.append(self._sorted[at][1])
                at += 1
        at = bisect_left(self._sorted, (awaited, 0))
        while at < len(self._sorted) and self._sorted[at][0].startswith(awaited):
            found.append(self._sorted[at][1])
            at += 1
        return found


@lru_cache(maxsize=4)
def pieces_of(tokenizer: Any) -> Pieces:
    """The tokens' bytes, kept for the last few tokenizers."""
    return Pieces(tokenizer)
