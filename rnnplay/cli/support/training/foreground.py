"""Trains a run in this process, and shows it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

from rnnplay.cli.support.reporters import Reporter
from rnnplay.common.limits import reason
from rnnplay.common.signals import StopSignals
from rnnplay.config import RunConfig
from rnnplay.errors import LostProcessError
from rnnplay.runs.launch import Launch
from rnnplay.runs.metrics.records import Finished, Record, Validation

if TYPE_CHECKING:
    from rnnplay.experiments.export.tensorboard_events import LiveEvents
    from rnnplay.runs.branching import BranchStart
    from rnnplay.runs.folder import RunFolder
    from rnnplay.training.processes.group import Group
    from rnnplay.training.trainer import Trainer
    from rnnplay.workspace import Workspace


class Foreground:
    """A run trained in this process: its trainer, its reporter, and the signals that stop it."""

    def __init__(self, reporter: Reporter, events: Path | None, launch: Launch) -> None:
        """`events`: the folder of event files for TensorBoard, None for none; `launch`: how torchrun started this."""
        self.reporter = reporter
        self._launch = launch
        self._group: Group | None = None
        self._events_folder = events
        self._events: LiveEvents | None = None
        self.stop = StopSignals()
        self.validation: Validation | None = None
        self._trainer: Trainer | None = None
        self._announced = False

    def prepare(
        self,
        config: RunConfig,
        folder: RunFolder,
        resume: str | None,
        workspace: Workspace,
        start: BranchStart | None = None,
    ) -> Trainer:
        """Encodes the text, loads torch and creates the model.

        `resume`: the checkpoint to continue from, None for a new run; `start`: what a new run is branched from.
        """
        from rnnplay.text.corpora.catalogue import find_corpus
        from rnnplay.text.encoding.encoded import encode_again, encode_corpus

        progress = self.reporter.preparing
        if resume:
            info = folder.info()
            moved = config.corpus != info.config.corpus  # the user says where it is now
            encoded = encode_again(
                config, info.corpus_sha256, folder.tokenizer(), workspace, progress, use_copy=not moved
            )
        elif start is not None:
            encoded = start.encode(config, workspace, progress)
        else:
            encoded = encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache, progress)

        if self._events_folder is not None:
            from rnnplay.experiments.export.tensorboard_events import LiveEvents

            self._events = LiveEvents(self._events_folder, folder.name, config)

        from rnnplay.training.checkpointing.branching import read_branch  # imported here, as it loads torch
        from rnnplay.training.followers import invite
        from rnnplay.training.processes.joining import join
        from rnnplay.training.trainer import Trainer

        self._group = group = join(self._launch)
        invite(group, config, encoded)
        hooks = (self._emit, self._poll)
        if resume:
            self._trainer = Trainer.resume(config, encoded, folder, *hooks, checkpoint=resume, group=group)
        else:
            branch = None
            if start is not None:
                branch = read_branch(start.parent, config, encoded, start.with_optimizer, start.shrink)
            self._trainer = Trainer(config, encoded, folder, *hooks, branch=branch, group=group)
        return self._trainer

    def run(self, trainer: Trainer) -> Finished:
        """Trains until the length is reached, a signal asks for a stop, or the reporter's reader is gone."""
        finished = None
        with self.stop:
            try:
                while finished is None:
                    if (
                        self.stop.asked
                        or self.reporter.closed
                        or (self._group is not None and self._group.asked_to_stop)
                    ):
                        return trainer.finish("stopped")
                    finished = trainer.advance()
                    self._poll()
            except LostProcessError:
                # torchrun ends this process by SIGTERM now, perhaps before it has said why it ends by itself.
                self.stop.ignore(signal.SIGTERM)
                raise
        return finished

    def close(self) -> None:
        """Releases the run, so that other processes can train it."""
        if self._trainer is not None:
            self._trainer.close()
        if self._group is not None:
            self._group.close()
        if self._events is not None:
            self._events.close()

    def _emit(self, record: Record) -> None:
        if self._events is not None:
            self._events.record(record)
            if (problem := self._events.problem) is not None:
                self._events = None
                self.reporter.say(
                    f"TensorBoard's events cannot be written to {self._events_folder} ({reason(problem)}); training "
                    "goes on without them."
                )
        if isinstance(record, Validation):
            self.validation = record
        self.reporter.record(record)

    def _poll(self) -> None:
        if self._trainer is not None:
            self.reporter.tick(self._trainer.fraction, self._trainer.seconds_left)
        if self.stop.asked and not self._announced:
            self._announced = True
            self.reporter.say("Stopping after this step; ctrl-C again ends at once, without a checkpoint.")
