"""The trainer: one step as the lecture has it, and around it what makes a run: validations, checkpoints, an end."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import torch

from rnnplay.common.formatting import unknown_warning
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.model.hardware import keep_memory, prepare_thread, release_memory
from rnnplay.model.language_model import LanguageModel, State
from rnnplay.runs.checkpoint_state import ENDINGS
from rnnplay.runs.divergence import BY_HAND, WEIGHTS, Remedy
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import describe_run
from rnnplay.runs.records import Checkpoint, Finished, Record, Rollback, Tuned, Validation
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.text.feeds import Batch
from rnnplay.training.good_states import GoodState, GoodStates, read_good
from rnnplay.training.journal import Journal
from rnnplay.training.learner import Learner, nothing
from rnnplay.training.progress import Progress, Trouble
from rnnplay.training.resuming import Resumed, live_value, open_run, resolved
from rnnplay.training.saving import Saver
from rnnplay.training.threads import ThreadCount


def _unknown_warning(config: RunConfig, corpus: EncodedCorpus) -> str:
    parts = {"training": corpus.train.unknown_fraction, "validation": corpus.validation.unknown_fraction}
    name = max(parts, key=parts.__getitem__)
    warning = unknown_warning(parts[name], f"the {name} text")
    smaller = config.min_count > 1 or config.max_vocabulary > 0
    return f"{warning} Give a lower min_count or a larger max_vocabulary." if warning and smaller else warning


class Trainer:
    """Trains one run: call `advance` until it returns Finished. Records go to `emit` and to metrics.jsonl.

    Making one begins a new run in `folder`; `resume` goes on with one. `poll` is called inside long work,
    `between_passes` inside each step, while the weights are still those of the step before: it may read them.
    The run is locked for other processes until it is finished, or `close` is called. Raises InputError if there is
    such a run already or another process trains it, OSError if the folder cannot be written.
    """

    def __init__(
        self,
        config: RunConfig,
        corpus: EncodedCorpus,
        folder: RunFolder,
        emit: Callable[[Record], None],
        poll: Callable[[], None] = nothing,
        between_passes: Callable[[], None] = nothing,
        *,
        resumed: Resumed | None = None,
    ) -> None:
        prepare_thread()
        keep_memory()
        self.config = config = resumed.config if resumed else resolved(config, corpus)
        self.tokenizer = corpus.tokenizer
        self.corpus = corpus
        self._folder, self._poll = folder, poll
        self._good = GoodStates()
        self._paused = False
        self._unsaved = True
        """Whether a checkpoint of this moment would differ from the last one written."""
        self._tuned = False
        self._finished: Finished | None = None
        lock = resumed.lock if resumed else folder.claim()
        try:
            self._learner = Learner(config, corpus, between_passes)
            self._progress = Progress(self._learner, corpus)
            before = resumed.threads if resumed else 0
            self._threads = ThreadCount(config, self.model, self._learner.device, before, between_passes)
            self._journal = Journal(folder, emit, resumed.state.step if resumed else 0)
            begins = describe_run(config, corpus, folder.name, self.model.size, str(torch.__version__))
            info = resumed.info if resumed else begins
            self._saver = Saver(folder, info, self._journal, lock)
            if resumed is None:
                folder.begin(corpus.tokenizer)
                folder.log.flush()
                self._save()  # so that there is something to go on from at any moment
                folder.write_info(info)
            else:
                self._restore(resumed)
            self._journal.tell(self._progress.started(folder.name, self._threads.count))
            if resumed is None and (warning := _unknown_warning(config, corpus)):
                self._journal.notice(warning)
        except BaseException:
            lock.release()
            if resumed is None:
                folder.forget_start()
            raise

    @classmethod
    def resume(
        cls,
        config: RunConfig,
        corpus: EncodedCorpus,
        folder: RunFolder,
        emit: Callable[[Record], None],
        poll: Callable[[], None] = nothing,
        between_passes: Callable[[], None] = nothing,
        checkpoint: str = "latest",
    ) -> Trainer:
        """Goes on from a checkpoint ("latest", "best" or a step) as if the run had never been interrupted.

        What was recorded after that checkpoint, and later checkpoints, are deleted. `config` may differ from
        the run's in its length, in live knobs and in those of evaluation, checkpoints and machine; a live knob
        that does not differ stays as it was tuned. Raises ConfigError for other knobs, InputError for a run that
        has reached its length or has changed on disk.
        """
        resumed = open_run(config, corpus, folder, checkpoint)
        trainer = cls(config, corpus, folder, emit, poll, between_passes, resumed=resumed)
        try:
            if corpus.remark:
                trainer._journal.notice(corpus.remark)
            for knob, value in resumed.tuned.items():
                trainer._journal.tell(Tuned(step=trainer.step, knob=knob, value=value))
            for knob, value in resumed.changed.items():
                trainer.tune(knob, value)
            if risen := trainer._progress.risen_rate(resumed.info.config, trainer.config):
                trainer._journal.notice(risen)
            # One that is not of a run's end, so that this process may die at any moment.
            trainer._unsaved |= bool(resumed.state.finished)
            if trainer._unsaved:
                trainer.checkpoint()
            trainer._saver.save_info(trainer.config)
        except BaseException:
            trainer.close()
            raise
        return trainer

    # --- what others may look at ----------------------------------------------------------------------------

    @property
    def model(self) -> LanguageModel:
        """As it is at this moment, the one that is validated and saved: with the EMA weights where an EMA is kept."""
        return self._learner.model

    @property
    def raw_model(self) -> LanguageModel:
        """The one that the next step updates: another than `model` where an EMA of its weights is kept."""
        return self._learner.raw_model

    @property
    def run(self) -> str:
        """The run's name."""
        return self._folder.name

    @property
    def saved(self) -> bool:
        """Whether this moment is on disk."""
        return not self._unsaved

    @property
    def finite(self) -> bool:
        """Whether all weights are."""
        return not self._learner.not_finite()

    @property
    def step(self) -> int:
        """Steps done."""
        return self._progress.step

    def next_batch(self) -> tuple[Batch, State | None]:
        """What the next step will read, and the state it carries into it; nothing moves on."""
        return self._learner.next_batch()

    @property
    def fraction(self) -> float:
        """How far the run is on its way to its length, 0 to 1; 0 if it has none."""
        return self._progress.fraction(self.config)

    @property
    def seconds(self) -> float:
        """Training time: steps, validations and checkpoints, in all processes; neither pauses nor stops."""
        return self._progress.stopwatch.seconds

    @property
    def seconds_left(self) -> float | None:
        """Until the length is reached, at the pace so far; None if it has none or there is no pace yet."""
        return self._progress.seconds_left(self.config)

    # --- the run --------------------------------------------------------------------------------------------

    def advance(self) -> Finished | None:
        """One training step, then the validation and the checkpoint that are due; Finished if it was the last.

        Where the run diverges by it, it is back at an earlier step afterwards, or Finished.
        """
        if self._finished is not None:
            return self._finished
        if not self._paused:
            self._progress.stopwatch.start()
        if (change := self._threads.watch(self.step)) is not None:
            self._journal.record(change)
        taken = self._progress.take_step(self.config)
        self._unsaved = True
        if still := self._progress.stopwatch.left_out():
            self._journal.notice(
                f"Training stood still for {still:,.0f} s (the process was stopped, or the machine slept); that is not "
                "counted as training time."
            )
        self._journal.record(taken.step)
        if taken.skipped is not None:
            self._journal.record(taken.skipped)
        if taken.trouble is not None:
            return self._diverged(taken.trouble)
        if self._progress.watch.calm:
            self._good.prove(self.step)
        best = False
        if self._progress.is_time_to_validate(self.config):
            best = self._validate().best
        if self._progress.is_over(self.config):
            return self.finish("length")
        if 0 < self.config.early_stop <= self._progress.validations.stale:
            return self.finish("early stop")
        return self._keep(due=best or self._saver.due(self.config, self.step, self._tuned))

    def finish(self, reason: str) -> Finished:
        """Ends the run: a last validation if its length is reached, a checkpoint, Finished."""
        if self._finished is None:
            if reason in ENDINGS:
                self._progress.ended = ENDINGS[reason]
                self._unsaved = True
                if reason != "diverged" and self._progress.validations.last_step != self.step:
                    self._validate()
            self._progress.stopwatch.stop()
            self._unsaved |= not self._saver.lock.in_place
            if self._unsaved:
                self._checkpoint_if_possible()
            if self._unsaved:
                self._journal.notice("The run ends, but its last steps are NOT on disk; make room, and save it again.")
            self._finished = Finished(step=self.step, reason=reason)
            self._journal.record(self._finished)
            self._journal.flush()
            if not self._unsaved:
                self._saver.lock.release()
        return self._finished

    def close(self) -> None:
        """Lets the run go, as it is on disk. Nothing else may be called after this."""
        self._journal.flush()
        self._saver.lock.release()

    def rollback(self, to: str | int = "good", remedy: Remedy = "none") -> Rollback:
        """Goes back by hand, to a checkpoint of the run ("latest", "best" or a step) or its last "good" state.

        Later checkpoints are deleted; the records of the abandoned steps stay, followed by the Rollback. The text is
        read on from where it was. Raises InputError if there is no such checkpoint or the run is over.
        """
        if self._finished is not None:
            raise InputError(f"The run {self._folder.name!r} is over; resume it from that checkpoint.")
        if to != "good":
            good = read_good(self._folder.checkpoint(str(to)), self.config, self.tokenizer.size)
        elif (last := self._last_good()) is not None:
            good = last
        else:
            raise InputError(f"The run {self._folder.name!r} has no good state to go back to; start it anew.")
        return self._go_back(good, Trouble(BY_HAND, ""), remedy, self._progress.watch.rollbacks)

    def tune(self, knob: str, value: float | str) -> None:
        """Sets a live knob from the next step on; raises ConfigError for others and for values not allowed."""
        checked = live_value(knob, value)
        self.config = msgspec.structs.replace(self.config, **{knob: checked})
        self._journal.record(Tuned(step=self.step, knob=knob, value=checked))
        self._journal.flush()
        self._unsaved = True
        self._tuned = True

    def pause(self) -> None:
        """Stops the clock; what was recorded goes to disk."""
        self._paused = True
        self._progress.stopwatch.stop()
        self._journal.flush()

    def unpause(self) -> None:
        """Lets the clock go on."""
        self._paused = False
        self._progress.stopwatch.start()

    def checkpoint(self) -> Checkpoint:
        """Sees to it that there is a checkpoint of this moment, and says so. Raises OSError."""
        path = self._folder.checkpoint_path(self.step)
        record = Checkpoint(step=self.step, path=str(path))
        self._unsaved |= not self._saver.lock.in_place
        if self._unsaved:
            self._save()
            # In the file the name only: a run folder may be moved.
            self._journal.record(record, on_disk=Checkpoint(step=self.step, path=path.name))
            if self._finished is not None:  # it had been refused at the end
                self._journal.flush()
                self._saver.lock.release()
        else:
            self._journal.tell(record)
        return record

    # --- inside ---------------------------------------------------------------------------------------------

    def _restore(self, resumed: Resumed) -> None:
        state = resumed.state
        self._progress.restore(state, resumed.tensors, self.config)
        self._unsaved = False
        self._folder.rewind(state.step, state.metrics_bytes)
        if state.metrics_bytes:
            self._journal.keep(Checkpoint(step=state.step, path=resumed.path.name))

    def _keep(self, due: bool) -> Finished | None:
        """Keeps this moment on disk if `due`, and in memory if that is; looks at the weights before."""
        good_due = self._good.due(self.config, self._learner.snapshot_bytes)
        if due or good_due:
            where = self._learner.not_finite()
            if where and self.config.divergence != "off":
                return self._diverged(Trouble(WEIGHTS, where))
            if good_due and self._progress.watch.calm and not where:
                self._good.take(self._progress.good_state)
            if due:
                self._checkpoint_if_possible()
        return None

    def _diverged(self, trouble: Trouble) -> Finished | None:
        """Back to the last good state, to go on from there or to end."""
        made, config = self._progress.watch.rollbacks, self.config
        onward = config.divergence == "rollback" and made < config.max_rollbacks
        good = self._last_good()
        if good is not None:
            self._go_back(good, trouble, config.divergence_remedy if onward else "none", made + onward)
            if onward:
                return None
        if config.divergence == "rollback":
            clip = "clip" if self.config.clip == "off" else "clip lower"
            self._journal.notice(
                f"The run has diverged{f' again after {made} rollbacks' if made else ''}, and stops; lower the rate, "
                f"{clip}, or allow more rollbacks."
                if good is not None
                else "The run has diverged, and no good state is left to go back to; start it anew."
            )
        return self.finish("diverged")

    def _last_good(self) -> GoodState | None:
        return self._good.last(self._folder, self.config, self.tokenizer.size, self.step)

    def _go_back(self, good: GoodState, trouble: Trouble, remedy: Remedy, rollbacks: int) -> Rollback:
        record = self._progress.go_back(good, trouble, remedy, rollbacks, self.config)
        self._good.forget_after(self.step)
        self._unsaved = True
        self._journal.record(record)
        for knob, value in record.changed.items():
            self.tune(knob, value)
        # What came later goes first: a process that dies in between goes on from before the trouble.
        self._checkpoint_if_possible(forget_later=True)
        return record

    def _validate(self) -> Validation:
        record = self._progress.validate(self.config, self._poll)
        self._unsaved = True
        self._journal.record(record)
        return record

    def _checkpoint_if_possible(self, forget_later: bool = False) -> None:
        try:
            if forget_later:
                self._folder.remove_checkpoints_after(self.step)
            self.checkpoint()
        except OSError as error:
            self._journal.failed("a checkpoint", error)

    def _save(self) -> None:
        self._saver.keep_folder(self.tokenizer)
        state = self._progress.state(self.config, self._threads.count, self._journal.flush(durable=True))
        self._saver.save(state, (self.model.weights(), self._learner.tensors()), self.config)
        self._unsaved = self._tuned = False
        release_memory()  # seldom enough to cost nothing
