"""States to roll a run back to: two in memory, and the checkpoints on disk.

A state holds what the steps have computed: weights, the optimizer's moments, the history of validations and the
divergence watch. The position in the text and the random numbers are not rolled back: the run reads on from where it
was, from a hidden state of zero, so that it does not repeat the batches on which it diverged (Chowdhery et al. 2022,
PaLM, section 5.1).
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
from rnnplay.training.checkpointing.checkpoints import read_state_tensors, read_weights, rollback_candidates
from rnnplay.training.learner import RAW

MOST_BYTES = 1 << 29
"""Bytes of the largest state that is kept in memory; runs with larger ones are rolled back to checkpoints on disk."""

COPYING_FRACTION = 0.003
"""Fraction of the time that copies may take."""


class RollbackState(NamedTuple):
    """A state that the run can be rolled back to."""

    step: int
    tokens: int
    validations: ValidationHistory
    watch: Watch
    tensors: dict[str, Tensor]
    """As returned by `Learner.snapshot`."""


class RollbackStates:
    """The last proven state in memory, and a newer candidate, which is proven by PROVEN_STEPS more steps."""

    def __init__(self, clock: Callable[[], float] = working_time) -> None:
        self._clock = clock
        self._taken = clock()
        self._cost = 0.0
        """Seconds that the last copy took."""
        self._proven: RollbackState | None = None
        self._candidate: RollbackState | None = None

    def due(self, config: RunConfig, size: int) -> bool:
        """Whether it is time to copy another state, of `size` bytes."""
        if not config.good_seconds or self._candidate is not None or size > MOST_BYTES:
            return False
        return self._clock() - self._taken >= max(config.good_seconds, self._cost / COPYING_FRACTION)

    def take(self, copy: Callable[[], RollbackState]) -> None:
        """Keeps the state that `copy` returns; to be called only while the run is calm and its weights are finite."""
        began = self._clock()
        self._candidate = copy()
        self._taken = self._clock()
        self._cost = self._taken - began

    def prove(self, step: int) -> None:
        """Accepts the candidate if the run, calm at `step`, is far enough past it."""
        if self._candidate is not None and step - self._candidate.step >= PROVEN_STEPS:
            self._proven, self._candidate = self._candidate, None

    def forget_after(self, step: int) -> None:
        """Drops what is later than `step`, to which the run was rolled back, and any candidate."""
        self._candidate = None
        if self._proven is not None and self._proven.step > step:
            self._proven = None
        self._taken = self._clock()

    def last(self, folder: RunFolder, config: RunConfig, vocabulary: int, step: int) -> RollbackState | None:
        """The state that a run at `step` is rolled back to: the latest proven one, in memory or on disk."""
        for checkpoint in rollback_candidates(folder.checkpoints(), step):
            if self._proven is not None and self._proven.step >= checkpoint.step:
                break
            try:
                return read_rollback_state(checkpoint, config, vocabulary)
            except InputError:
                continue  # damaged on disk: the next one
        return self._proven


def read_rollback_state(checkpoint: CheckpointInfo, config: RunConfig, vocabulary: int) -> RollbackState:
    """Reads a checkpoint as a state to roll back to; raises InputError if it cannot be used."""
    state = read_state(checkpoint.path)
    weights = read_weights(checkpoint.path, config, vocabulary, state.sha256.get(WEIGHTS_FILE, ""))
    others = read_state_tensors(checkpoint.path, config, vocabulary, state)
    made = {name: tensor for name, tensor in others.items() if name.startswith(("optimizer.", RAW))}
    tensors = {f"weights.{name}": tensor for name, tensor in weights.items()} | made
    return RollbackState(state.step, state.tokens, state.validations, state.watch, tensors)
