"""States of a run to go back to: two of them in memory, and the checkpoints on disk.

A state holds what the steps have made: weights, the optimizer's moments, what the validations and the watch have seen.
The text and the random numbers do not go back: the run reads on from where it was, from a hidden state of zero, so
that it does not meet the batches it stumbled over once more (Chowdhery et al. 2022, PaLM, section 5.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from rnnplay.common.working_time import working_time
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.runs.checkpoint_state import WEIGHTS_FILE, ValidationHistory, read_state
from rnnplay.runs.divergence import PROVEN_STEPS, Watch
from rnnplay.runs.folder import CheckpointInfo, RunFolder
from rnnplay.training.checkpoints import RAW, good_ones, read_state_tensors, read_weights

MEMORY = 1 << 29
"""Bytes of a state that is kept in memory; runs of larger ones go back to checkpoints on disk."""

SHARE = 0.003
"""Of the time, at most, goes into copies."""


class GoodState(NamedTuple):
    """What the run goes back to."""

    step: int
    tokens: int
    validations: ValidationHistory
    watch: Watch
    tensors: dict[str, Tensor]
    """As Learner.snapshot gives them."""


class GoodStates:
    """The last one that has proved itself, and a newer one that has yet to."""

    def __init__(self, clock: Callable[[], float] = working_time) -> None:
        self._clock = clock
        self._taken = clock()
        self._cost = 0.0
        """Seconds that the last copy took."""
        self._proven: GoodState | None = None
        self._candidate: GoodState | None = None

    def due(self, config: RunConfig, size: int) -> bool:
        """Whether it is time for another, of `size` bytes."""
        if not config.good_seconds or self._candidate is not None or size > MEMORY:
            return False
        return self._clock() - self._taken >= max(config.good_seconds, self._cost / SHARE)

    def take(self, copy: Callable[[], GoodState]) -> None:
        """Keeps the state that `copy` makes of this moment, which is calm and finite."""
        began = self._clock()
        self._candidate = copy()
        self._taken = self._clock()
        self._cost = self._taken - began

    def prove(self, step: int) -> None:
        """The run is at `step`, and calm."""
        if self._candidate is not None and step - self._candidate.step >= PROVEN_STEPS:
            self._proven, self._candidate = self._candidate, None

    def forget_after(self, step: int) -> None:
        """The run went back to `step`: what came later is not to be gone back to."""
        self._candidate = None
        if self._proven is not None and self._proven.step > step:
            self._proven = None
        self._taken = self._clock()

    def last(self, folder: RunFolder, config: RunConfig, vocabulary: int, step: int) -> GoodState | None:
        """The one that a run at `step` goes back to: the latest that has proved itself, in memory or on disk."""
        for checkpoint in good_ones(folder.checkpoints(), step):
            if self._proven is not None and self._proven.step >= checkpoint.step:
                break
            try:
                return read_good(checkpoint, config, vocabulary)
            except InputError:
                continue  # damaged on disk: an older one
        return self._proven


def read_good(checkpoint: CheckpointInfo, config: RunConfig, vocabulary: int) -> GoodState:
    """A checkpoint as a state to go back to; raises InputError if it cannot be used."""
    state = read_state(checkpoint.path)
    weights = read_weights(checkpoint.path, config, vocabulary, state.sha256.get(WEIGHTS_FILE, ""))
    others = read_state_tensors(checkpoint.path, config, vocabulary, state)
    made = {name: tensor for name, tensor in others.items() if name.startswith(("optimizer.", RAW))}
    tensors = {f"weights.{name}": tensor for name, tensor in weights.items()} | made
    return GoodState(state.step, state.tokens, state.validations, state.watch, tensors)
