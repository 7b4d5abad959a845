"""Trains the trials of a study, one after another, each as an ordinary run; several processes may do so at once."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import ConfigError, FinishedError, TooShortError, is_out_of_memory
from rnnplay.experiments.sweep.plan import trial_config, value_of
from rnnplay.experiments.sweep.study import Study
from rnnplay.experiments.sweep.table import Trial
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Step, Validation
from rnnplay.runs.metrics.step_columns import ColumnReader
from rnnplay.workspace import Workspace

if TYPE_CHECKING:
    from rnnplay.text.encoding.encoded import EncodedCorpus
    from rnnplay.training.trainer import Trainer

PROGRESS_SECONDS = 0.5


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a worker is with its trial."""

    number: int
    """The trial's."""
    step: int
    loss: float
    """Loss on the training text, nats per token, smoothed."""
    fraction: float
    """Fraction of the run's length that is done, 0 to 1."""
    ended: bool = False
    """Whether the trial has come to its end."""


class Worker:
    """One process that works on a study.

    `report` is called about twice a second while a run trains; `stopping` says whether to stop after the step under
    way, with a checkpoint.
    """

    def __init__(
        self,
        study: Study,
        workspace: Workspace,
        threads: int,
        report: Callable[[Progress], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._study, self._workspace = study, workspace
        self._threads = threads
        self._report, self._stopping = report, stopping

    def run(self) -> None:
        """Works until every trial is done or taken by another process, or until it is to stop."""
        while not self._stopping():
            trial = self._study.next()
            if trial is None:
                return
            try:
                self._work(trial)
            finally:
                self._study.give_back(trial)

    def _work(self, trial: Trial) -> None:
        try:
            config = with_values(trial_config(self._study.plan, trial.params, trial.seed), {"threads": self._threads})
            step = self._train(trial, config)
        except (ConfigError, TooShortError) as error:  # of this combination alone
            self._study.failed(trial, str(error))
            step = 0
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._study.failed(trial, "there was not enough memory")
            step = 0
        if step is not None:
            self._report(Progress(number=trial.number, step=step, loss=math.nan, fraction=1.0, ended=True))

    def _train(self, trial: Trial, config: RunConfig) -> int | None:
        """Trains the run of a trial to its end, and tells the study; returns its last step, None if it was stopped."""
        folder = RunFolder(self._workspace.checkpoints / trial.run)
        if (ended := _ended(folder)) is not None:
            self._conclude(trial, folder, ended)
            return ended.step
        behind = False
        watched = _Watched(trial.number, self._report)

        def emit(record: Record) -> None:
            nonlocal behind
            watched.take(record, trainer.fraction if trainer is not None else 0.0)
            if isinstance(record, Validation) and math.isfinite(record.loss):
                behind |= self._study.report(trial, record.step, record.loss)

        trainer: Trainer | None = None
        try:
            trainer = self._opened(config, folder, emit)
        except FinishedError:
            found = folder.checkpoint()
            self._conclude(trial, folder, Finished(step=found.step, reason="length"))
            return found.step
        try:
            self._study.started(trial, trainer.step)
            finished = None
            while finished is None:
                if self._stopping() or behind or not self._study.still_ours(trial):
                    finished = trainer.finish("stopped")
                else:
                    finished = trainer.advance()
        finally:
            trainer.close()
        if finished.reason == "stopped":
            if not behind:
                return None
            self._study.pruned(trial, finished.step)
        else:
            self._conclude(trial, folder, finished)
        return finished.step

    def _opened(self, config: RunConfig, folder: RunFolder, emit: Callable[[Record], None]) -> Trainer:
        from rnnplay.text.corpora.catalogue import find_corpus
        from rnnplay.text.encoding.encoded import encode_again, encode_corpus

        if not folder.holds_run():
            encoded = encode_corpus(find_corpus(config.corpus, self._workspace), config, self._workspace.cache)
            self._study.check_text(config.corpus, encoded.sha256)
            from rnnplay.training.trainer import Trainer  # loads torch

            return Trainer(config, encoded, folder, emit)
        info = folder.info()
        encoded = encode_again(config, info.corpus_sha256, folder.tokenizer(), self._workspace)
        self._study.check_text(config.corpus, encoded.sha256)
        _check_same(config, folder, encoded)
        from rnnplay.training.trainer import Trainer

        # As the run has it: a rollback may have changed its learning rate since it began.
        going_on = with_values(info.config, {"threads": self._threads})
        return Trainer.resume(going_on, encoded, folder, emit)

    def _conclude(self, trial: Trial, folder: RunFolder, finished: Finished) -> None:
        if finished.reason == "diverged":
            self._study.diverged(trial, finished.step, f"diverged after step {finished.step:,}")
            return
        validations = kept_validations(ColumnReader(folder.log, all_bytes=1 << 20).read())
        finite = not validations or math.isfinite(validations[-1].loss)
        found = value_of(self._study.plan.metric, validations) if finite else None
        if found is None:
            self._study.diverged(trial, finished.step, "its validation loss is not finite")
        else:
            self._study.done(trial, found[0], found[1], finished.step)


def kept_validations(records: Iterable[object]) -> list[Validation]:
    """Returns the validations of a run's records, without those of steps that a rollback has undone."""
    kept: list[Validation] = []
    for record in records:
        if isinstance(record, Rollback):
            kept = [one for one in kept if one.step <= record.to]
        elif isinstance(record, Validation):
            kept.append(record)
    return kept


class _Watched:
    """Reports the progress of a run, not too often."""

    def __init__(self, number: int, report: Callable[[Progress], None]) -> None:
        self._number, self._report = number, report
        self._loss = math.nan
        self._reported = 0.0

    def take(self, record: Record, fraction: float) -> None:
        if not isinstance(record, Step):
            return
        self._loss = record.loss if math.isnan(self._loss) else self._loss + 0.05 * (record.loss - self._loss)
        if time.monotonic() - self._reported >= PROGRESS_SECONDS:
            self._reported = time.monotonic()
            self._report(Progress(number=self._number, step=record.step, loss=self._loss, fraction=fraction))


def _ended(folder: RunFolder) -> Finished | None:
    """Returns how the run ended, if it has: the process may have been killed before it told the study."""
    if not folder.holds_run():
        return None
    found = folder.checkpoints()
    if not found:
        return None
    state = read_state(found[-1].path)
    return Finished(step=state.step, reason=state.finished) if state.finished else None


def _check_same(config: RunConfig, folder: RunFolder, encoded: EncodedCorpus) -> None:
    from rnnplay.training.checkpointing.resuming import check_resumable, resolved

    with contextlib.suppress(OSError):
        check_resumable(folder, folder.info(), resolved(config, encoded), encoded)
