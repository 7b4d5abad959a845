"""The trainer: one step as the lecture has it, and around it what makes a run: validations, checkpoints, an end."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import torch

from rnnplay.config import RunConfig, knobs
from rnnplay.errors import ConfigError
from rnnplay.model.hardware import choose_threads, prepare_thread
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.encoded import EncodedCorpus
from rnnplay.training.checkpoints import thin_out, write_checkpoint
from rnnplay.training.evaluation import evaluate
from rnnplay.training.learner import Learner
from rnnplay.training.length import fraction_done, is_over, seconds_left
from rnnplay.training.optim import rate_multiplier
from rnnplay.training.records import Checkpoint, Finished, Record, Started, Step, Tuned, Validation
from rnnplay.training.resuming import Resumed, live_knobs, open_run, resolved
from rnnplay.training.run_folder import RunFolder, describe_run
from rnnplay.training.state import FORMAT, Ending, Gains, TrainingState
from rnnplay.training.stopwatch import Speed, Stopwatch

TUNED_SECONDS = 1.0
"""A changed knob is in a checkpoint no later than this."""


def nothing() -> None:
    """Nobody to poll."""


class Trainer:
    """Trains one run: call `advance` until it returns Finished. Records go to `emit` and to metrics.jsonl.

    Making one begins a new run in `folder`; `resume` goes on with one. `poll` is called inside long work.
    Raises InputError if there is such a run already, OSError if the folder cannot be written.
    """

    def __init__(
        self,
        config: RunConfig,
        corpus: EncodedCorpus,
        folder: RunFolder,
        emit: Callable[[Record], None],
        poll: Callable[[], None] = nothing,
        *,
        resumed: Resumed | None = None,
    ) -> None:
        prepare_thread()
        self.config = config = resumed.config if resumed else resolved(config, corpus)
        self.tokenizer = corpus.tokenizer
        self.step = 0
        self._corpus, self._folder, self._emit, self._poll = corpus, folder, emit, poll
        self._learner = Learner(config, corpus)
        self._tokens = 0
        self._gains = Gains()
        self._speed = Speed()
        self._stopwatch = Stopwatch()
        self._begun = (0.0, 0.0)
        """Fraction and seconds where this process began."""
        self._paused = False
        self._unsaved = True
        """Whether a checkpoint of this moment would differ from the last one written."""
        self._tuned = False
        self._ended: Ending = ""
        self._finished: Finished | None = None
        self._saved_at = time.monotonic()
        if resumed is None:
            self._threads = choose_threads(config, self.model, self._learner.device)
            self._info = describe_run(config, corpus, folder, self.model.size, str(torch.__version__))
            folder.create(self._info, corpus.tokenizer)
            self._save()  # so that there is something to go on from at any moment
        else:
            self._threads = resumed.threads
            self._info = resumed.info
            self._restore(resumed)
        emit(self._started())

    @classmethod
    def resume(
        cls,
        config: RunConfig,
        corpus: EncodedCorpus,
        folder: RunFolder,
        emit: Callable[[Record], None],
        poll: Callable[[], None] = nothing,
        checkpoint: str = "latest",
    ) -> Trainer:
        """Goes on from a checkpoint ("latest", "best" or a step) as if the run had never been interrupted.

        What was recorded after that checkpoint, and later checkpoints, are deleted. `config` may differ from
        the run's in its length, in live knobs and in those of evaluation, checkpoints and machine; a live knob
        that does not differ stays as it was tuned. Raises ConfigError for other knobs, InputError for a run that
        has reached its length or has changed on disk.
        """
        resumed = open_run(config, corpus, folder, checkpoint)
        trainer = cls(config, corpus, folder, emit, poll, resumed=resumed)
        for knob, value in resumed.changed.items():
            trainer.tune(knob, value)
        trainer._save_info()
        if resumed.changed:
            trainer.checkpoint()
        return trainer

    # --- what others may look at ----------------------------------------------------------------------------

    @property
    def model(self) -> LanguageModel:
        """As it is at this moment."""
        return self._learner.model

    @property
    def fraction(self) -> float:
        """How far the run is on its way to its length, 0 to 1; 0 if it has none."""
        return fraction_done(self.config, self.step, self._learner.feed.epoch, self.seconds)

    @property
    def seconds(self) -> float:
        """Training time: steps, validations and checkpoints, in all processes; not pauses."""
        return self._stopwatch.seconds

    @property
    def seconds_left(self) -> float | None:
        """Until the length is reached, at the pace so far; None if it has none or there is no pace yet."""
        return seconds_left(self.config, self.fraction, self.seconds, *self._begun)

    # --- the run --------------------------------------------------------------------------------------------

    def advance(self) -> Finished | None:
        """One training step, then the validation and the checkpoint that are due; Finished if it was the last."""
        if self._finished is not None:
            return self._finished
        if not self._paused:
            self._stopwatch.start()
        self._step()
        best = False
        if self.config.eval_every and self.step % self.config.eval_every == 0:
            best = self._validate().best
        if is_over(self.config, self.step, self._learner.feed.epoch, self.seconds, self._speed.step_seconds):
            return self.finish("length")
        if self.config.early_stop and self._gains.stale >= self.config.early_stop:
            return self.finish("early stop")
        if best or self._checkpoint_is_due():
            self.checkpoint()
        return None

    def finish(self, reason: str) -> Finished:
        """Ends the run: a last validation if its length is reached, a checkpoint, Finished."""
        if self._finished is None:
            if reason in ("length", "early stop"):
                self._ended = "length" if reason == "length" else "early stop"
                self._unsaved = True
                if self._gains.last_step != self.step:
                    self._validate()
            self._stopwatch.stop()
            if self._unsaved:
                self.checkpoint()
            self._finished = Finished(step=self.step, reason=reason)
            self._record(self._finished)
            self._folder.log.flush()
        return self._finished

    def tune(self, knob: str, value: float | str) -> None:
        """Sets a live knob from the next step on; raises ConfigError for others and for values not allowed."""
        spec = knobs().get(knob)
        if spec is None or not spec.knob.live:
            names = ", ".join(live_knobs())
            raise ConfigError(knob, f"{knob} cannot change while training; only {names} can.")
        checked = spec.parse(value) if isinstance(value, str) else spec.check(value)
        self.config = msgspec.structs.replace(self.config, **{knob: checked})
        self._record(Tuned(step=self.step, knob=knob, value=checked))
        self._folder.log.flush()
        self._unsaved = True
        self._tuned = True

    def pause(self) -> None:
        """Stops the clock; what was recorded goes to disk."""
        self._paused = True
        self._stopwatch.stop()
        self._folder.log.flush()

    def unpause(self) -> None:
        """Lets the clock go on."""
        self._paused = False
        self._stopwatch.start()

    def checkpoint(self) -> Checkpoint:
        """Sees to it that there is a checkpoint of this moment, and says so. Raises OSError."""
        path = self._folder.checkpoint_path(self.step)
        if self._unsaved:
            self._save()
            # In the file the name only: a run folder may be moved.
            self._folder.append([Checkpoint(step=self.step, path=path.name)])
        record = Checkpoint(step=self.step, path=str(path))
        self._emit(record)
        return record

    # --- inside ---------------------------------------------------------------------------------------------

    def _restore(self, resumed: Resumed) -> None:
        state = resumed.state
        torch.set_num_threads(self._threads)
        self._learner.restore(resumed.tensors, state)
        self.step, self._tokens, self._gains = state.step, state.tokens, state.gains
        self._stopwatch = Stopwatch(state.seconds)
        self._begun = (self.fraction, state.seconds)
        self._unsaved = False
        self._folder.rewind(state.step, state.metrics_bytes)
        if state.step:
            self._folder.append([Checkpoint(step=state.step, path=resumed.path.name)])

    def _started(self) -> Started:
        return Started(
            run=self._folder.name,
            parameters=self.model.size,
            vocabulary=self.tokenizer.size,
            device=str(self._learner.device),
            precision=str(self._learner.precision).removeprefix("torch."),
            threads=self._threads,
            step=self.step,
        )

    def _step(self) -> None:
        began = time.perf_counter()
        multiplier = rate_multiplier(self.config, self.step, self.fraction, self._gains.plateau_multiplier)
        lr = self.config.lr * multiplier
        result = self._learner.step(lr, self.config.clip, self.config.clip_threshold)
        self.step += 1
        self._tokens += result.tokens
        self._unsaved = True
        self._speed.add(time.perf_counter() - began, result.tokens)
        self._record(
            Step(
                step=self.step,
                loss=result.loss,
                grad_norm=result.norm.before,
                grad_norm_clipped=result.norm.after,
                clipped=result.norm.clipped,
                lr=lr,
                tokens=self._tokens,
                tokens_per_second=self._speed.tokens_per_second,
            )
        )

    def _validate(self) -> Validation:
        found = evaluate(
            self.model,
            self._corpus.validation,
            self._corpus.feed,
            self.tokenizer,
            self._learner.precision,
            self.config.eval_tokens,
            self._poll,
        )
        self._gains = self._gains.after(self.config, self.step, found.loss)
        record = Validation(
            step=self.step,
            loss=found.loss,
            perplexity=found.perplexity,
            bits_per_character=found.bits_per_character,
            best=self._gains.best_step == self.step,
        )
        self._unsaved = True
        self._record(record)
        return record

    def _record(self, record: Record) -> None:
        self._folder.append([record])
        self._emit(record)

    def _checkpoint_is_due(self) -> bool:
        every, seconds = self.config.checkpoint_every, self.config.checkpoint_seconds
        waited = time.monotonic() - self._saved_at
        return bool(
            (every and self.step % every == 0)
            or (seconds and waited >= seconds)
            or (self._tuned and waited >= TUNED_SECONDS)
        )

    def _save(self) -> None:
        state = TrainingState(
            format=FORMAT,
            step=self.step,
            tokens=self._tokens,
            seconds=self.seconds,
            epoch=self._learner.feed.epoch,
            created=time.time(),
            feed=self._learner.feed.state(),
            gains=self._gains,
            live={name: getattr(self.config, name) for name in live_knobs()},
            finished=self._ended,
            device=self._learner.device.type,
            precision=str(self._learner.precision).removeprefix("torch."),
            threads=self._threads,
            metrics_bytes=self._folder.log.flush(durable=True),
            sha256={},
        )
        write_checkpoint(self._folder, state, self.model.weights(), self._learner.tensors())
        thin_out(self._folder, self.config.keep)
        self._save_info()
        self._unsaved = self._tuned = False
        self._saved_at = time.monotonic()

    def _save_info(self) -> None:
        if self._info.config != self.config:
            self._info = msgspec.structs.replace(self._info, config=self.config)
            self._folder.write_info(self._info)
