"""A run that is being trained: begins or resumes it, takes its steps (loop.py), and does between them what is asked."""

from __future__ import annotations

from collections.abc import Callable

import torch

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.model.hardware import keep_memory, prepare_thread
from rnnplay.model.language_model import LanguageModel, State
from rnnplay.runs.divergence import BY_HAND, Remedy, Trouble
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import describe_run
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record, Rollback, Tuned, Validation
from rnnplay.runs.words import run_words
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.text.feeds import Batch
from rnnplay.training.checkpointing.branching import Branch
from rnnplay.training.checkpointing.resuming import Resumed, open_run, resolved
from rnnplay.training.checkpointing.rollback_states import read_rollback_state
from rnnplay.training.checkpointing.saving import Saver
from rnnplay.training.evaluation import much_unknown
from rnnplay.training.learner import Learner, do_nothing
from rnnplay.training.loop import Loop
from rnnplay.training.optim import decay_remark
from rnnplay.training.processes.group import ALONE, Group
from rnnplay.training.progress import Progress
from rnnplay.training.recorder import Recorder
from rnnplay.training.sample_log import SampleLog
from rnnplay.training.threads.thread_count import ThreadCount


class Trainer:
    """Trains one run: call `advance` until it returns Finished. Records go to `emit` and to metrics.jsonl.

    The constructor begins a new run in `folder`, with the weights of `branch` if given; `resume` continues one. `poll`
    is called during long work, `between_passes` inside each step, while the weights are still those of the step
    before, which it may read. `group`: the processes that train together, of which this one leads.
    The run is locked for other processes until it is finished or `close` is called. Raises InputError if the run
    exists already or another process trains it, OSError if the folder cannot be written.
    """

    def __init__(
        self,
        config: RunConfig,
        corpus: EncodedCorpus,
        folder: RunFolder,
        emit: Callable[[Record], None],
        poll: Callable[[], None] = do_nothing,
        between_passes: Callable[[], None] = do_nothing,
        *,
        resumed: Resumed | None = None,
        branch: Branch | None = None,
        group: Group = ALONE,
    ) -> None:
        prepare_thread()
        keep_memory()
        config = resumed.config if resumed else resolved(config, corpus)
        self.tokenizer = corpus.tokenizer
        self.corpus = corpus
        self._folder = folder
        lock = resumed.lock if resumed else folder.claim()
        try:
            self._learner = Learner(config, corpus, between_passes, group)
            self._progress = Progress(self._learner, corpus)
            before, fixed = resumed.threads if resumed else 0, group.fixed_threads(config)
            threads = ThreadCount(config, self.model, self._learner.device, before, between_passes, fixed)
            self._recorder = Recorder(folder, emit, resumed.state.step if resumed else 0)
            parent = branch.parent if branch else None
            new = describe_run(config, corpus, folder.name, self.model.size, str(torch.__version__), parent, group.job)
            info = resumed.info if resumed else new
            self._saver = Saver(folder, info, self._recorder, lock)
            self._samples = SampleLog(config, corpus, folder, self._recorder)
            self._loop = Loop(
                *(config, self._learner, self._progress, threads, folder, corpus.tokenizer),
                *(self._recorder, self._saver, self._samples, poll),
            )
            reached = None
            if resumed is None:
                reached = self._begin(branch)
                folder.write_info(info)
            else:
                self._restore(resumed)
            self.words = run_words(folder.path, corpus if resumed is None else None)
            self._recorder.emit(self._progress.started(folder.name, threads.count))
            if reached is not None:
                self._recorder.emit(reached)
            notices = [corpus.remark, much_unknown(config, corpus), decay_remark(config)]
            notices += branch.notices if branch else ()
            for notice in filter(None, notices if not resumed else ()):
                self._recorder.notice(notice)
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
        poll: Callable[[], None] = do_nothing,
        between_passes: Callable[[], None] = do_nothing,
        checkpoint: str = "latest",
        group: Group = ALONE,
    ) -> Trainer:
        """Continues a run from a checkpoint ("latest", "best" or a step) as if it had never been interrupted.

        Later checkpoints and records are deleted. `config` may differ from the run's in its length, its live knobs, and
        the knobs of divergence, evaluation, checkpoints and machine; a live knob that does not differ keeps the value
        it was tuned to. Raises ConfigError for other knobs, InputError for a run that has reached its length or has
        changed on disk.
        """
        resumed = open_run(config, corpus, folder, checkpoint)
        trainer = cls(config, corpus, folder, emit, poll, between_passes, resumed=resumed, group=group)
        try:
            for remark in filter(None, (corpus.remark, group.regrouped(resumed.state.processes))):
                trainer._recorder.notice(remark)
            for knob, value in resumed.tuned.items():
                trainer._recorder.emit(Tuned(step=trainer.step, knob=knob, value=value))
            for knob, value in resumed.changed.items():
                trainer.tune(knob, value)
            if risen := trainer._progress.learning_rate_warning(resumed.info.config, trainer.config):
                trainer._recorder.notice(risen)
            # Replaces a checkpoint that says that the run has ended: this process may die at any moment.
            trainer._loop.unsaved |= bool(resumed.state.finished)
            if trainer._loop.unsaved:
                trainer.checkpoint()
            trainer._saver.save_info(trainer.config)
        except BaseException:
            trainer.close()
            raise
        return trainer

    def advance(self) -> Finished | None:
        """Trains one step, then validates and saves if due; returns Finished after the last step.

        If the run diverges, it is rolled back, or Finished.
        """
        return self._loop.advance()

    def finish(self, reason: str) -> Finished:
        """Ends the run for `reason`: a final validation if its length is reached, a checkpoint, Finished."""
        return self._loop.finish(reason)

    # --- while it runs ------------------------------------------------------------------------------------------

    def tune(self, knob: str, value: float | str) -> None:
        """Sets a live knob from the next step on; raises ConfigError for other knobs and for invalid values."""
        self._loop.tune(knob, value)

    def pause(self) -> None:
        """Stops the clock, and writes what is buffered to disk."""
        self._loop.paused = True
        self._progress.stopwatch.stop()
        self._recorder.flush()

    def unpause(self) -> None:
        """Starts the clock again."""
        self._loop.paused = False
        self._progress.stopwatch.start()

    def checkpoint(self) -> Checkpoint:
        """Writes a checkpoint unless the current state is on disk already, and records it. Raises OSError."""
        return self._loop.checkpoint()

    def rollback(self, to: str | int, remedy: Remedy = "none") -> Rollback:
        """Rolls the run back, as its user asks, to a checkpoint ("latest", "best" or a step) or its last "good" state.

        Later checkpoints are deleted; the records of the undone steps stay, followed by the Rollback. The text is read
        on from where it was. Raises InputError if there is no such checkpoint or the run is over.
        """
        if self._loop.finished is not None:
            raise InputError(f"The run {self._folder.name!r} is over; resume it from that checkpoint.")
        if to != "good":
            good = read_rollback_state(self._folder.checkpoint(str(to)), self.config, self.tokenizer.size)
        elif (last := self._loop.last_good_state()) is not None:
            good = last
        else:
            raise InputError(f"The run {self._folder.name!r} has no good state to go back to; start it again.")
        return self._loop.roll_back(good, Trouble(BY_HAND, ""), remedy, self._progress.watch.rollbacks)

    def close(self) -> None:
        """Releases the run without saving. Nothing else may be called afterwards."""
        self._recorder.flush()
        self._saver.lock.release()

    # --- the state of the run -----------------------------------------------------------------------------------

    @property
    def config(self) -> RunConfig:
        """The run's config, with the present values of live knobs."""
        return self._loop.config

    @property
    def model(self) -> LanguageModel:
        """The model that is validated and saved: with the average of the weights where one is kept."""
        return self._learner.model

    @property
    def raw_model(self) -> LanguageModel:
        """The model that the next step updates; differs from `model` where an average of its weights is kept."""
        return self._learner.raw_model

    @property
    def run(self) -> str:
        """The run's name."""
        return self._folder.name

    @property
    def saved(self) -> bool:
        """Whether the current state is on disk."""
        return not self._loop.unsaved

    @property
    def finite(self) -> bool:
        """Whether all weights are finite."""
        return not self._learner.not_finite()

    @property
    def step(self) -> int:
        """Number of steps done."""
        return self._progress.step

    @property
    def tokens(self) -> int:
        """Tokens trained on since the run's first step."""
        return self._progress.tokens

    def next_batch(self) -> tuple[Batch, State | None]:
        """The batch that the next step will read, and the state it starts from; changes nothing."""
        return self._learner.next_batch()

    @property
    def fraction(self) -> float:
        """The fraction of its length that the run has done, 0 to 1; 0 if it has none."""
        return self._progress.fraction(self.config)

    @property
    def seconds(self) -> float:
        """Training time: steps, validations and checkpoints, in all processes; without pauses."""
        return self._progress.stopwatch.seconds

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the length is reached, at the pace so far; None if it has none or there is no pace yet."""
        return self._progress.seconds_left(self.config)

    # --- inside -------------------------------------------------------------------------------------------------

    def _begin(self, branch: Branch | None) -> Validation | None:
        """Begins a new run; returns what the weights of `branch` are worth on the run's own text."""
        self._folder.begin(self.tokenizer)
        self._folder.log.flush()
        self._samples.cut(-1)
        reached = None
        if branch is not None:
            self._learner.begin_with(branch.weights, branch.moments)
            reached = self._progress.validate(self.config, self._loop.poll)
            self._recorder.append(reached)
        self._learner.share()
        self._samples.take(0, self.model, reached.loss if reached else None)
        self._loop.save()  # so that the run can be resumed from its first moment on
        return reached

    def _restore(self, resumed: Resumed) -> None:
        state = resumed.state
        self._progress.restore(state, resumed.tensors, self.config)
        self._learner.share()
        self._loop.unsaved = False
        self._folder.rewind(state.step, state.metrics_bytes)
        self._samples.cut(state.step)
        if state.metrics_bytes:
            self._recorder.append(Checkpoint(step=state.step, path=resumed.path.name))
