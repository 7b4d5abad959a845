"""The progress of a run: everything that a checkpoint holds, and how each step changes it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from rnnplay.config import RunConfig
from rnnplay.runs.checkpoint_state import FORMAT, Ending, TrainingState, ValidationHistory, live_knobs
from rnnplay.runs.divergence import Remedy, Trouble, Watch, changes
from rnnplay.runs.metrics.records import Rollback, Started, Step, Validation
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.training.checkpointing.rollback_states import RollbackState
from rnnplay.training.clipping import Clipped
from rnnplay.training.evaluation import evaluate
from rnnplay.training.learner import Learner, Tensors
from rnnplay.training.length import fraction_done, is_over, seconds_left
from rnnplay.training.optim import learning_rate_multiplier
from rnnplay.training.stopwatch import Speed, Stopwatch

LOWEST_FRACTION = 0.01
"""Smallest fraction of the learning rate that a resumed run is advised to go on with."""

RISEN_FACTOR = 1.25
"""A resumed run's learning rate has risen if it is more than this many times the previous one; less is rounding."""


class StepResult(NamedTuple):
    """The result of one step."""

    loss: float
    """Mean over the step's tokens, in nats."""
    norm: Clipped
    tokens: int
    taken: bool = True
    """Whether the weights were updated."""
    where: str = ""
    """If not: the first parameter whose gradient is not finite, or the one with the largest; "" if it was the loss."""


def _in_digits(value: float, digits: int = 9) -> float:
    """Rounds `value` as it is recorded: nine digits distinguish all float32 numbers, and take half the space of 17."""
    return float(f"{value:.{digits}g}")


class Progress:
    """The learner, its counters, and the history that decides what comes next."""

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
        self._pace_start = (0.0, 0.0)
        """The fraction and seconds from which the pace is measured: the start of this process, or the last rollback."""
        self._validation_seconds = 0.0
        """Time of the fastest one in this process: another program that slows one down must not end a run early."""

    def fraction(self, config: RunConfig) -> float:
        """The fraction of its length that the run has done, 0 to 1."""
        return fraction_done(
            config, self.step, self.learner.feed.epoch, self.stopwatch.seconds, self._closing_seconds(config)
        )

    def seconds_left(self, config: RunConfig) -> float | None:
        """Estimates the seconds until the length is reached, at the pace so far; None if unknown."""
        closing = self._closing_seconds(config)
        return seconds_left(config, self.fraction(config), self.stopwatch.seconds, *self._pace_start, closing)

    def is_over(self, config: RunConfig) -> bool:
        """Whether the length is reached."""
        return self._is_over_after(config, 0.0)

    def is_time_to_validate(self, config: RunConfig) -> bool:
        """Whether a validation is due that leaves time for more steps before the final one."""
        if not config.eval_every or self.step % config.eval_every:
            return False
        return not self._is_over_after(config, self._closing_seconds(config))

    def _is_over_after(self, config: RunConfig, more_seconds: float) -> bool:
        seconds = self.stopwatch.seconds + more_seconds
        closing, step_seconds = self._closing_seconds(config), self._speed.step_seconds if self._speed.known else 0.0
        return is_over(config, self.step, self.learner.feed.epoch, seconds, step_seconds, closing)

    def _closing_seconds(self, config: RunConfig) -> float:
        """Estimates the time of the final validation from an earlier one, or from the speed of the steps."""
        if self._validation_seconds or not self._speed.known:
            return self._validation_seconds
        tokens = self._corpus.validation.tokens
        return min(tokens, config.eval_tokens or tokens) / (3 * self._speed.tokens_per_second)  # without a backward

    def learning_rate(self, config: RunConfig) -> float:
        """The learning rate of the next step."""
        return config.lr * learning_rate_multiplier(
            config, self.step, self.fraction(config), self.validations.plateau_multiplier
        )

    def learning_rate_warning(self, before: RunConfig, config: RunConfig) -> str:
        """Returns a warning if a longer run's stretched schedule raises the learning rate again; "" otherwise."""
        falls = config.schedule in ("cosine", "linear")
        if not falls or before.schedule != config.schedule or before.lr != config.lr:
            return ""
        was, now = self.learning_rate(before), self.learning_rate(config)
        if now <= RISEN_FACTOR * was:
            return ""
        low = max(was, LOWEST_FRACTION * config.lr)  # it may have come down to 0, at which nothing is learned
        return (
            f"The learning rate had come down to {was:.2g}. Stretched over the new length, the {config.schedule} "
            f"schedule begins again at {now:.2g}, and validation may get worse before it gets better. To keep the rate "
            f"low, set schedule to constant and lr to {low:.2g} (--schedule constant --lr {low:.2g})."
        )

    def count(self, result: StepResult, lr: float, seconds: float) -> Step:
        """Counts a step of `seconds` with learning rate `lr`, and returns its record."""
        self.step += 1
        self.tokens += result.tokens
        self._speed.add(seconds, result.tokens)
        self.watch = self.watch.after(result.loss, result.taken and math.isfinite(result.norm.after))
        return Step(
            step=self.step,
            loss=_in_digits(result.loss),
            grad_norm=_in_digits(result.norm.before),
            grad_norm_clipped=_in_digits(result.norm.after),
            clipped=result.norm.clipped,
            lr=_in_digits(lr),
            tokens=self.tokens,
            tokens_per_second=_in_digits(self._speed.tokens_per_second, 6),
        )

    def validate(self, config: RunConfig, poll: Callable[[], None]) -> Validation:
        """Evaluates the current weights on the validation split; `poll` is called between chunks."""
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

    def good_state(self) -> RollbackState:
        """Copies the current state, to roll back to."""
        return RollbackState(self.step, self.tokens, self.validations, self.watch, self.learner.snapshot())

    def roll_back(
        self, good: RollbackState, trouble: Trouble, remedy: Remedy, rollbacks: int, config: RunConfig
    ) -> Rollback:
        """Rolls back to `good`; `rollbacks` is the number of automatic rollbacks of the run, including this one."""
        record = Rollback(
            step=self.step,
            to=good.step,
            cause=trouble.cause,
            remedy=remedy,
            where=trouble.where,
            changed=changes(remedy, config),
            count=rollbacks,
        )
        self.learner.roll_back(good.tensors)
        self.step, self.tokens, self.validations = good.step, good.tokens, good.validations
        self.watch = good.watch.rolled_back(rollbacks)
        self._pace_start = (self.fraction(config), self.stopwatch.seconds)
        return record

    def started(self, run: str, threads: int) -> Started:
        """Describes the run in its first record."""
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
        """Returns the contents of state.json, for a checkpoint."""
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
            processes=self.learner.group.size,
            metrics_bytes=metrics_bytes,
            sha256={},
        )

    def restore(self, state: TrainingState, tensors: Tensors, config: RunConfig) -> None:
        """Restores a checkpoint; raises InputError if its position in the text is invalid."""
        self.learner.restore(tensors, state)
        self.step, self.tokens, self.validations, self.watch = state.step, state.tokens, state.validations, state.watch
        if state.finished == "diverged":  # the user resumes all the same: all rollbacks are available again
            self.watch = self.watch.rolled_back(0)
        self.stopwatch = Stopwatch(state.seconds)
        self._pace_start = (self.fraction(config), state.seconds)
