"""When a checkpoint is due, writing it, and trying again later where the disk refuses."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from rnnplay.config import RunConfig
from rnnplay.runs.checkpoint_state import TrainingState
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.lock import RunLock
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.checkpoints import thin_out, write_checkpoint
from rnnplay.training.journal import Journal
from rnnplay.training.learner import Tensors

TUNED_SECONDS = 1.0
"""A changed knob is in a checkpoint no later than this."""

LOOK_SECONDS = 1.0
"""How often it is looked whether the run's folder is still there."""

RETRY_SECONDS = 10.0
"""Between attempts, while the disk refuses."""


class Saver:
    """The checkpoints and run.json of one run."""

    def __init__(
        self,
        folder: RunFolder,
        info: RunInfo,
        journal: Journal,
        lock: RunLock,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = lock
        self._folder, self._info, self._journal, self._clock = folder, info, journal, clock
        self._tried = self._looked = clock()
        self._refused = False
        self._anew = False
        """Whether the folder was made anew and lacks run.json, which comes after a checkpoint."""

    def due(self, config: RunConfig, step: int, tuned: bool) -> bool:
        """Whether the run at `step` is to be saved now; `tuned`: a knob was changed since it was last."""
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
        """Makes the run's folder anew if somebody has removed it; to be called before anything else is written.

        Raises OSError, then as `save` does; InputError if another run has taken its place.
        """
        if not self.lock.in_place:
            try:
                lock = self._folder.make_anew(self._info, tokenizer)
            except OSError:
                self._refused, self._tried = True, self._clock()
                raise
            self.lock.release()
            self.lock, self._anew = lock, True

    def save(self, state: TrainingState, tensors: Tensors, config: RunConfig) -> None:
        """Writes a checkpoint and thins out older ones. Raises OSError; the next is then due in RETRY_SECONDS."""
        try:
            write_checkpoint(self._folder, state, *tensors)
            thin_out(self._folder, config.keep)
            self.save_info(config)
        except OSError:
            self._refused = True
            raise
        finally:
            self._tried = self._clock()
        self._refused = False
        self._journal.worked("a checkpoint")
        if self._anew:
            self._anew = False
            self._journal.notice(
                f"Somebody removed or moved the folder of the run; it is made anew, with a checkpoint of step "
                f"{state.step:,}. What it held before is not in it."
            )

    def save_info(self, config: RunConfig) -> None:
        """Puts `config` into run.json, if it is another there. Raises OSError."""
        if self._info.config != config or self._anew:
            info = msgspec.structs.replace(self._info, config=config)
            self._folder.write_info(info)
            self._info = info
