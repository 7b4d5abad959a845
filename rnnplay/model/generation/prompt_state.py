"""What a model has read of a prompt, kept between keys.

A typed token costs one step of the model and a deleted one none, as the states after each of the last tokens are kept;
after a change further back the model reads on from there. Of what is further back only every so many states are kept,
so that the memory is bounded: fewer the longer the prompt.

While the weights stay the same, what is read is exact, up to rounding. While they change, as in training, a long prompt
is not read anew at every key: its last `ANEW` tokens are, after a state that earlier weights have left.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from rnnplay.model.generation.reading import FEW, read
from rnnplay.model.generation.stepper import Floats, stepper_of
from rnnplay.model.language_model import LanguageModel

RECENT = 256
"""The state after each of this many last tokens is kept."""

SPACING = 64
"""Tokens between two states that are kept of what is further back, in a prompt that is not very long."""

MOST = 1024
"""States kept of what is further back; where there are more, the spacing is doubled."""

ANEW = 64
"""Tokens read again at the end of a prompt when the weights have changed."""

Ids = NDArray[np.int64]


class PromptState:
    """The states of one prompt, which changes from key to key, and of one model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._ids: Ids = np.zeros(0, np.int64)
        """What the states kept are of; `read` returns those after a beginning of it."""
        self._states: dict[int, Floats] = {}
        """The state (S,), by the number of tokens before it."""
        self._spacing = SPACING
        self._version = 0
        self._exact = True
        """Whether all states are of the present weights."""

    def read(self, ids: Ids, exact: bool = True, seconds: float | None = None) -> tuple[Floats, Floats] | None:
        """Returns the logits (V,) and the state (S,) after `ids` (at least one).

        `exact`: with the present weights from the first token on. After `seconds` it returns None if it has not come
        to the end; what it has read is kept, and the next call, also with other ids, goes on from there.
        Raises CheckpointError if the logits are not finite.
        """
        until = None if seconds is None else time.perf_counter() + seconds
        at = self._common(ids)
        if at < len(ids):  # else what is left was read before, and what was deleted may be typed again
            self._forget(at)
            self._ids = ids
        stepper = stepper_of(self._model)
        if stepper.version != self._version:
            self._version, self._exact = stepper.version, False
            self._forget(max(0, at - ANEW))
        if exact and not self._exact:
            self._states.clear()
        self._exact |= not self._states
        return self._read_on(ids, until)

    def fraction(self, ids: Ids) -> float:
        """The fraction of `ids`, the tokens last asked for, that has been read."""
        return max((position for position in self._states if position <= len(ids)), default=0) / len(ids)

    def _common(self, ids: Ids) -> int:
        """The number of tokens that `ids` begins with in common with those read."""
        shorter = min(len(ids), len(self._ids))
        different = np.flatnonzero(ids[:shorter] != self._ids[:shorter])
        return int(different[0]) if len(different) else shorter

    def _forget(self, after: int) -> None:
        for position in [position for position in self._states if position > after]:
            del self._states[position]

    def _read_on(self, ids: Ids, until: float | None) -> tuple[Floats, Floats] | None:
        end = len(ids)
        at = max((position for position in self._states if position <= end), default=0)
        state = self._states.get(at)
        if at == end:
            assert state is not None
            batch = stepper_of(self._model).batch(1)
            batch.states[0] = state
            return batch.score()[0].copy(), state.copy()
        logits: Floats | None = None
        while at < end:
            # To the next place where the state is kept; the last few one by one.
            stop = min(at + 1 if end - at <= FEW else end - FEW, (at // self._spacing + 1) * self._spacing)
            logits, state = read(self._model, ids[at:stop], state)
            at = stop
            self._keep(at, state)
            if at < end and until is not None and time.perf_counter() > until:
                return None
        assert logits is not None
        assert state is not None
        return logits, state.copy()

    def _keep(self, position: int, state: Floats) -> None:
        self._states[position] = state
        old = position - RECENT
        if old % self._spacing:
            self._states.pop(old, None)
        if len(self._states) > MOST + RECENT:
            while sum(kept <= old and not kept % self._spacing for kept in self._states) > MOST // 2:
                self._spacing *= 2
            for kept in [kept for kept in self._states if kept <= old and kept % self._spacing]:
                del self._states[kept]
