"""Writes a run's checkpoints when they are due, and tries again later if that fails."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from rnnplay.config import RunConfig
from rnnplay.runs.checkpoint_state import TrainingState
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.lock import RunLock
from rnnplay.runs.metrics.thinned import STEP_BYTES, ThinnedLog
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.checkpointing.checkpoints import delete_old_checkpoints, write_checkpoint
from rnnplay.training.learner import Tensors
from rnnplay.training.recorder import Recorder

TUNED_SECONDS = 1.0
"""A changed knob is saved in a checkpoint within this time."""

LOOK_SECONDS = 1.0
"""How often the saver checks that the run's folder is still there."""

RETRY_SECONDS = 10.0
"""Time between attempts while writing fails."""


class Saver:
    """Writes the checkpoints and run.json of one run."""

    def __init__(
        self,
        folder: RunFolder,
        info: RunInfo,
        recorder: Recorder,
        lock: RunLock,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = lock
        self._folder, self._info, self._recorder, self._clock = folder, info, recorder, clock
        self._tried = self._looked = clock()
        self._refused = False
        self._copied = 0
        """Bytes of metrics.jsonl when its thinned copy was last extended."""
        self._recreated = False
        """Whether the folder was created again and lacks run.json, which follows a checkpoint."""

    def due(self, config: RunConfig, step: int, tuned: bool) -> bool:
        """Whether the run at `step` should be saved now; `tuned`: a knob has changed since it was last saved."""
        every, seconds = config.checkpoint_every, config.checkpoint_seconds
        now = self._clock()
        waited = now - self._tried
        if self._refused:
            return waited >= RETRY_SECONDS
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            if not self.lock.in_place:
                return True
        return bool(
            (every and step % every == 0) or (seconds and waited >= seconds) or (tuned and waited >= TUNED_SECONDS)
        )

    def keep_folder(self, tokenizer: Tokenizer) -> None:
        """Creates the run's folder again if it was removed; to be called before anything else is written.

        Raises OSError, after which the next attempt is due in RETRY_SECONDS; InputError if another run has taken its
        place.
        """
        if not self.lock.in_place:
            try:
                lock = self._folder.recreate(self._info, tokenizer)
            except OSError:
                self._refused, self._tried = True, self._clock()
                raise
            self.lock.release()
            self.lock, self._recreated = lock, True

    def save(self, state: TrainingState, tensors: Tensors, config: RunConfig) -> None:
        """Writes a checkpoint and deletes old ones. Raises OSError; the next attempt is then due in RETRY_SECONDS."""
        try:
            write_checkpoint(self._folder, state, *tensors)
            delete_old_checkpoints(self._folder, config.keep)
            self.save_info(config)
        except OSError:
            self._refused = True
            raise
        finally:
            self._tried = self._clock()
        self._refused = False
        self._recorder.worked("a checkpoint")
        if (size := self._folder.log.size) - self._copied >= STEP_BYTES:
            self._copied = size
            ThinnedLog(self._folder.log).extend_copy()
        if self._recreated:
            self._recreated = False
            self._recorder.notice(
                f"The folder of the run was removed or moved; it has been created again, with a checkpoint of step "
                f"{state.step:,}. Its earlier contents are not in it."
            )

    def save_info(self, config: RunConfig) -> None:
        """Writes `config` to run.json if it has changed. Raises OSError."""
        if self._info.config != config or self._recreated:
            info = msgspec.structs.replace(self._info, config=config)
            self._folder.write_info(info)
            self._info = info
