"""Where a run is: all that a checkpoint holds, and what each step does to it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from rnnplay.common.working_time import working_time
from rnnplay.config import RunConfig
from rnnplay.runs.checkpoint_state import FORMAT, Ending, TrainingState, ValidationHistory
from rnnplay.runs.divergence import FAR_ABOVE, GRADIENT, LOSS, TOO_LARGE, WEIGHTS, Remedy, Watch, changes
from rnnplay.runs.records import Rollback, Skipped, Started, Step, Validation
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.training.evaluation import evaluate
from rnnplay.training.good_states import GoodState
from rnnplay.training.learner import Learner, Tensors
from rnnplay.training.length import fraction_done, is_over, seconds_left
from rnnplay.training.optim import ema_decay_at, rate_multiplier
from rnnplay.training.resuming import live_knobs
from rnnplay.training.stopwatch import Speed, Stopwatch


class Trouble(NamedTuple):
    """Why a run has diverged."""

    cause: str
    where: str
    """The parameter that was not finite, or whose gradient was not or was the largest, if any."""


RISEN = 1.25
"""Times the learning rate before: from here on a resumed run's rate has risen by more than the length's rounding."""


class Taken(NamedTuple):
    """What is to be told of a step."""

    step: Step
    skipped: Skipped | None
    trouble: Trouble | None


def _in_digits(value: float, digits: int = 9) -> float:
    """`value` as it is recorded: nine digits tell any float32 from the next, and take half the room of all 17."""
    return float(f"{value:.{digits}g}")


class Progress:
    """The learner, and how far it is."""

    def __init__(self, learner: Learner, corpus: EncodedCorpus) -> None:
        self.learner = learner
        self._corpus = corpus
        self.step = 0
        self.tokens = 0
        self.validations = ValidationHistory()
        self.watch = Watch()
        self.ended: Ending = ""
        self.stopwatch = Stopwatch()
        self._speed = Speed()
        self._begun = (0.0, 0.0)
        """Fraction and seconds where this process began, or the run last went back."""
        self._validation_seconds = 0.0
        """Of the quickest one in this process: what else keeps the machine busy for a moment is not to end a run."""

    def fraction(self, config: RunConfig) -> float:
        """How far the run is on its way to its length, 0 to 1."""
        return fraction_done(
            config, self.step, self.learner.feed.epoch, self.stopwatch.seconds, self._closing_seconds(config)
        )

    def seconds_left(self, config: RunConfig) -> float | None:
        """Until the length is reached, at the pace so far."""
        closing = self._closing_seconds(config)
        return seconds_left(config, self.fraction(config), self.stopwatch.seconds, *self._begun, closing)

    def is_over(self, config: RunConfig) -> bool:
        """Whether the length is reached."""
        return self._is_over_after(config, 0.0)

    def is_time_to_validate(self, config: RunConfig) -> bool:
        """Whether a validation is due that leaves time for more steps, before the one that closes the run."""
        if not config.eval_every or self.step % config.eval_every:
            return False
        return not self._is_over_after(config, self._closing_seconds(config))

    def _is_over_after(self, config: RunConfig, more_seconds: float) -> bool:
        seconds = self.stopwatch.seconds + more_seconds
        closing = self._closing_seconds(config)
        return is_over(config, self.step, self.learner.feed.epoch, seconds, self._speed.step_seconds, closing)

    def _closing_seconds(self, config: RunConfig) -> float:
        """What the validation at the end takes: as long as one before, or by the pace of the steps."""
        if self._validation_seconds or not self._speed.tokens_per_second:
            return self._validation_seconds
        tokens = self._corpus.validation.tokens
        return min(tokens, config.eval_tokens or tokens) / (3 * self._speed.tokens_per_second)  # without a backward

    def rate(self, config: RunConfig) -> float:
        """The learning rate of the next step."""
        return config.lr * rate_multiplier(
            config, self.step, self.fraction(config), self.validations.plateau_multiplier
        )

    def risen_rate(self, before: RunConfig, config: RunConfig) -> str:
        """That a longer run stretches its cosine, so that the learning rate rises again, and what keeps it; else ""."""
        if not before.schedule == config.schedule == "cosine" or before.lr != config.lr:
            return ""
        was, now = self.rate(before), self.rate(config)
        if now <= RISEN * was:
            return ""
        return (
            f"The learning rate had come down to {was:.2g}. Stretched over the new length, the cosine begins again at "
            f"{now:.2g}, and validation may get worse before it gets better. To keep the rate where it was, set "
            f"schedule to constant and lr to {was:.2g} (--schedule constant --lr {was:.2g})."
        )

    def take_step(self, config: RunConfig) -> Taken:
        """One step."""
        began = working_time()
        lr = self.rate(config)
        guarded = config.divergence != "off"
        decay = ema_decay_at(config, self.step)
        result = self.learner.step(lr, config.clip, config.clip_threshold, guarded, decay)
        self.step += 1
        self.tokens += result.tokens
        self._speed.add(working_time() - began, result.tokens)
        step = Step(
            step=self.step,
            loss=_in_digits(result.loss),
            grad_norm=_in_digits(result.norm.before),
            grad_norm_clipped=_in_digits(result.norm.after),
            clipped=result.norm.clipped,
            lr=_in_digits(lr),
            tokens=self.tokens,
            tokens_per_second=_in_digits(self._speed.tokens_per_second, 6),
        )
        # Both numbers are known anyway; the weights themselves are looked at only after a step that was skipped.
        self.watch = self.watch.after(result.loss, result.taken and math.isfinite(result.norm.after))
        if result.taken:
            return Taken(step, None, Trouble(FAR_ABOVE, "") if guarded and self.watch.far_above else None)
        cause = TOO_LARGE if math.isfinite(result.norm.after) else GRADIENT
        if not math.isfinite(result.loss):
            cause = LOSS
        where = self.learner.not_finite()
        trouble = Trouble(WEIGHTS, where) if where else Trouble(cause, result.where) if self.watch.repeated else None
        return Taken(step, Skipped(step=self.step, cause=cause, where=result.where), trouble)

    def validate(self, config: RunConfig, poll: Callable[[], None]) -> Validation:
        """The validation split, read with the weights of this moment; `poll` is called between chunks."""
        learner, corpus, began = self.learner, self._corpus, self.stopwatch.seconds
        answering = 0.0

        def timed_poll() -> None:
            nonlocal answering
            before = self.stopwatch.seconds
            poll()
            answering += self.stopwatch.seconds - before

        found = evaluate(
            learner.model,
            corpus.validation,
            corpus.feed,
            corpus.tokenizer,
            learner.precision,
            config.eval_tokens,
            timed_poll,
        )
        took = self.stopwatch.seconds - began - answering
        self._validation_seconds = min(self._validation_seconds or took, took)
        self.validations = self.validations.after(config, self.step, found.loss)
        return Validation(
            step=self.step,
            loss=found.loss,
            perplexity=found.perplexity,
            bits_per_character=found.bits_per_character,
            best=self.validations.best_step == self.step,
            unknown_fraction=found.unknown_fraction,
        )

    def good_state(self) -> GoodState:
        """A copy of this moment, to go back to."""
        return GoodState(self.step, self.tokens, self.validations, self.watch, self.learner.snapshot())

    def go_back(self, good: GoodState, trouble: Trouble, remedy: Remedy, rollbacks: int, config: RunConfig) -> Rollback:
        """To `good`; the number of rollbacks that the run has made of itself is then `rollbacks`."""
        record = Rollback(
            step=self.step,
            to=good.step,
            cause=trouble.cause,
            remedy=remedy,
            where=trouble.where,
            changed=changes(remedy, config),
            count=rollbacks,
        )
        self.learner.go_back(good.tensors)
        self.step, self.tokens, self.validations = good.step, good.tokens, good.validations
        self.watch = good.watch.back(rollbacks)
        self._begun = (self.fraction(config), self.stopwatch.seconds)
        return record

    def started(self, run: str, threads: int) -> Started:
        """What the run is, for its first record."""
        return Started(
            run=run,
            parameters=self.learner.model.size,
            vocabulary=self.learner.model.vocabulary,
            device=str(self.learner.device),
            precision=str(self.learner.precision).removeprefix("torch."),
            threads=threads,
            step=self.step,
        )

    def state(self, config: RunConfig, threads: int, metrics_bytes: int) -> TrainingState:
        """All but the tensors, for a checkpoint."""
        return TrainingState(
            format=FORMAT,
            step=self.step,
            tokens=self.tokens,
            seconds=self.stopwatch.seconds,
            epoch=self.learner.feed.epoch,
            created=time.time(),
            feed=self.learner.feed.state(),
            validations=self.validations,
            live={name: getattr(config, name) for name in live_knobs()},
            finished=self.ended,
            watch=self.watch,
            good=self.watch.calm and not self.learner.not_finite(),
            device=self.learner.device.type,
            precision=str(self.learner.precision).removeprefix("torch."),
            threads=threads,
            metrics_bytes=metrics_bytes,
            sha256={},
        )

    def restore(self, state: TrainingState, tensors: Tensors, config: RunConfig) -> None:
        """To what a checkpoint holds; raises InputError if that cannot be."""
        self.learner.restore(tensors, state)
        self.step, self.tokens, self.validations, self.watch = state.step, state.tokens, state.validations, state.watch
        if state.finished == "diverged":  # the user goes on all the same: with as many rollbacks as at first
            self.watch = self.watch.back(0)
        self.stopwatch = Stopwatch(state.seconds)
        self._begun = (self.fraction(config), state.seconds)
