"""When a checkpoint is due, writing it, and trying again later where the disk refuses."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from rnnplay.config import RunConfig
from rnnplay.training.checkpoints import thin_out, write_checkpoint
from rnnplay.training.journal import Journal
from rnnplay.training.learner import Tensors
from rnnplay.training.run_folder import RunFolder
from rnnplay.training.run_info import RunInfo
from rnnplay.training.state import TrainingState

TUNED_SECONDS = 1.0
"""A changed knob is in a checkpoint no later than this."""

RETRY_SECONDS = 10.0
"""Between attempts, while the disk refuses."""


class Saver:
    """The checkpoints and run.json of one run."""

    def __init__(
        self, folder: RunFolder, info: RunInfo, journal: Journal, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._info, self._journal, self._clock = folder, info, journal, clock
        self._tried = clock()
        self._refused = False

    def due(self, config: RunConfig, step: int, tuned: bool) -> bool:
        """Whether the run at `step` is to be saved now; `tuned`: a knob was changed since it was last."""
        every, seconds = config.checkpoint_every, config.checkpoint_seconds
        waited = self._clock() - self._tried
        if self._refused:
            return waited >= RETRY_SECONDS
        return bool(
            (every and step % every == 0) or (seconds and waited >= seconds) or (tuned and waited >= TUNED_SECONDS)
        )

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

    def save_info(self, config: RunConfig) -> None:
        """Puts `config` into run.json, if it is another there. Raises OSError."""
        if self._info.config != config:
            info = msgspec.structs.replace(self._info, config=config)
            self._folder.write_info(info)
            self._info = info
