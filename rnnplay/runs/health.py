"""The health line: one sentence about what a run's curves say, each verdict a measured rule. Does not load torch.

Validation losses are compared where possible: they are all of the same text, so they differ by the weights alone, while
the loss of a step also depends on the passage that it read. The thresholds below were set on runs of known condition
(`python -m benchmarks.quality.health`; the table is in docs/health.md). Where no rule is met, nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import msgspec

from rnnplay.common.formatting import fixed
from rnnplay.config import RunConfig
from rnnplay.runs.metrics.records import Record, Rollback, Started, Step, Tuned, Validation
from rnnplay.runs.metrics.step_columns import StepColumns

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder

Kind = Literal["learning", "levelled off", "overfitting", "unstable", "too high", "too low"]

VALIDATIONS = 8
"""Validations at the current learning rate before they are judged."""

LEARNING, LEVEL = 0.0125, 0.0075
"""Falls of the validation loss from the last quarter but one to the last one, as fractions: above the first the run is
still learning, below the second it has levelled off; in between nothing is said."""

RISE, TRAINING_FALL = 0.01, 0.04
"""Overfitting: fractions by which the validation loss is above its lowest, and the training loss has fallen since."""

LATER = 3
"""Validations since the lowest one, before it is called the lowest."""

SWING, OF_CHANGE = 0.005, 0.5
"""Too high: how far validation swings back after a change, on average, as a fraction of the loss; and the largest part
of all changes that may lead in one direction."""

OVERSHOOT, EXPLOSION = 1.25, 3.0
"""Multiples of the first loss: above the one, the learning rate was too high for the first steps; above the other, the
run was unstable."""

SETTLING = 200
"""Steps in which an overshoot counts as one of the first steps."""

RECENT = 1_000
"""Steps, or half of the run if that is longer, for which an explosion or a rollback is remembered."""

FIRST_FALL, SLOW = 0.1, 150
"""Too low: the first fraction of the loss took more than this many steps, besides those of a warm-up."""
LEAST_FALL, STRAIGHT = 0.01, 0.8
"""The least fraction by which a loss must have fallen to be called slow, and the least fall in the last quarter of the
time, as a fraction of that in the first."""
REMEMBERED = 10
"""Multiples of that time after which it is no longer mentioned."""

_SMOOTHED = 0.1
_MOST_BUCKETS = 256
_LOOK_STEPS = 50


class Verdict(msgspec.Struct, frozen=True):
    """What the curves say."""

    kind: Kind
    text: str
    """A sentence with the figures that it rests on."""


class Health:
    """Watches a run's records, in bounded memory, and judges its curves on demand."""

    def __init__(self, config: RunConfig | None = None) -> None:
        warmed_up = config is not None and config.schedule in ("warmup", "cosine", "linear")
        self._slow = SLOW + (config.warmup_steps if config is not None and warmed_up else 0)
        self._step = 0
        self._first = math.nan
        self._smooth = math.nan
        self._fallen: int | None = None
        """The step at which the smoothed loss had fallen by FIRST_FALL."""
        self._began_slowly = False
        self._highest = (0.0, 0)
        """The highest loss, and its step."""
        self._exploded: tuple[float, int] | None = None
        """The highest loss of the last explosion, and its step."""
        self._not_finite: tuple[int, int] | None = None
        """The first and the last step of the last stretch of losses that were not finite."""
        self._rollbacks: list[int] = []
        self._validations: list[tuple[int, float]] = []
        self._since = 0
        """The step after which the learning rate last changed by hand, or the run was rolled back."""
        self._losses = _Buckets()
        self._looked: object = None
        self._verdict: Verdict | None = None

    def take(self, record: Record) -> None:
        """Takes the run's next record."""
        if isinstance(record, Step):
            self.take_steps((record.step,), (record.loss,))
        elif isinstance(record, Validation):
            self._validations.append((record.step, record.loss))
        elif isinstance(record, Started):
            self._back_to(record.step)
        elif isinstance(record, Rollback):
            self._rollbacks.append(record.step)
            self._back_to(record.to)
            self._since = record.to
        elif isinstance(record, Tuned) and record.knob in ("lr", "schedule"):
            self._since = record.step

    def take_steps(self, steps: Sequence[int], losses: Iterable[float]) -> None:
        """Takes consecutive steps; of a long run some may be left out."""
        for step, loss in zip(steps, losses, strict=True):
            self._take_step(step, loss)

    def verdict(self) -> Verdict | None:
        """Returns what the curves say; None if no rule is met. Looks again after a validation, or some 50 steps."""
        state = (
            self._step // _LOOK_STEPS,
            len(self._validations),
            len(self._rollbacks),
            self._exploded,
            self._not_finite,
            self._since,
        )
        if state != self._looked:
            self._looked = state
            rules = (self._unstable, self._too_low, self._too_high, self._overfitting, self._level_or_learning)
            self._verdict = next((verdict for rule in rules if (verdict := rule()) is not None), None)
        return self._verdict

    # --- what is kept -------------------------------------------------------------------------------------------

    def _take_step(self, step: int, loss: float) -> None:
        before, self._step = self._step, step
        if not math.isfinite(loss):
            if self._not_finite is None or self._not_finite[1] != before:
                self._not_finite = (step, step)
            self._not_finite = (self._not_finite[0], step)
            return
        if math.isnan(self._first):
            self._first = self._smooth = loss
        self._smooth += _SMOOTHED * (loss - self._smooth)
        if self._fallen is None and self._smooth < (1 - FIRST_FALL) * self._first:
            self._fallen, self._began_slowly = step, self._begins_slowly(step)
        if loss > self._highest[0]:
            self._highest = (loss, step)
        if loss > EXPLOSION * self._first:
            last = self._exploded
            further = last is None or not loss < last[0] or step - last[1] > SETTLING
            self._exploded = (loss, step) if further else last
        self._losses.add(step, loss)

    def _back_to(self, step: int) -> None:
        self._step = step
        self._validations = [one for one in self._validations if one[0] <= step]
        self._losses.cut(step)

    def _judged(self) -> list[tuple[int, float]]:
        """The validations at the current learning rate, if there are enough."""
        found = [one for one in self._validations if one[0] > self._since]
        enough = len(found) >= VALIDATIONS and all(math.isfinite(loss) and loss > 0 for _, loss in found)
        return found if enough else []

    # --- the rules ----------------------------------------------------------------------------------------------

    def _unstable(self) -> Verdict | None:
        remembered = max(RECENT, self._step // 2)
        rolled_back = [step for step in self._rollbacks if self._step - step <= remembered]
        if rolled_back:
            times = "once" if len(rolled_back) == 1 else f"{len(rolled_back)} times"
            return Verdict("unstable", f"Unstable: rolled back {times}, last from step {rolled_back[-1]:,}.")
        if self._not_finite is not None and self._step - self._not_finite[1] <= remembered:
            first, last = self._not_finite
            when = (
                f"has not been finite since step {first:,}"
                if last == self._step
                else f"was not finite at step {first:,}"
            )
            return Verdict("unstable", f"Unstable: the loss {when}.")
        if self._exploded is not None and self._step - self._exploded[1] <= remembered:
            loss, step = self._exploded
            rose = f"the loss rose to {_shown(loss)} at step {step:,}; it began at {_shown(self._first)}"
            return Verdict("unstable", f"Unstable: {rose}.")
        return None

    def _too_low(self) -> Verdict | None:
        if self._since or math.isnan(self._first):
            return None
        if self._fallen is None:
            fall = 1 - self._smooth / self._first
            if self._step < 2 * self._slow or fall < LEAST_FALL or not self._begins_slowly(self._step):
                return None
            figures = f"loss only {100 * fall:.1f}% lower after {self._step:,} steps"
        elif self._slow < self._fallen and self._began_slowly and self._step <= REMEMBERED * self._fallen:
            figures = f"{self._fallen:,} steps for the first {100 * FIRST_FALL:.0f}% of the loss"
        else:
            return None
        return Verdict("too low", f"Learning rate probably too low: {figures}.")

    def _begins_slowly(self, until: int) -> bool:
        """Whether the loss up to step `until` falls no more slowly at the end than at the beginning.

        An untrained model at a low learning rate does so. The loss of a model that was trained before, such as a
        branch, falls fast at first.
        """
        quarters = [self._losses.mean(until * at // 4, until * (at + 1) // 4) for at in range(4)]
        first, last = quarters[0] - quarters[1], quarters[2] - quarters[3]
        return first > 0 and last > STRAIGHT * first

    def _too_high(self) -> Verdict | None:
        found = self._judged()
        if not found:
            return None
        losses = [loss for _, loss in found[-2 * VALIDATIONS :]]
        changes = [after - before for before, after in pairwise(losses)]
        total = sum(map(abs, changes))
        back = sum(min(abs(before), abs(after)) for before, after in pairwise(changes) if before * after < 0)
        mean = sum(losses) / len(losses)
        if back > SWING * mean * (len(changes) - 1) and abs(losses[-1] - losses[0]) < OF_CHANGE * total:
            percent = 100 * total / len(changes) / mean
            figures = f"validation ±{percent:.1f}% from one to the next"
            return Verdict("too high", f"Learning rate probably too high: {figures}.")
        highest, step = self._highest
        overshot = highest > OVERSHOOT * self._first and step <= SETTLING
        if overshot and self._fall(found) < LEVEL:
            figures = f"loss {_shown(self._first)} → {_shown(highest)} at step {step:,}, now level"
            return Verdict("too high", f"Learning rate probably too high: {figures}.")
        return None

    def _overfitting(self) -> Verdict | None:
        found = self._judged()
        if not found:
            return None
        at, (best_step, best) = min(enumerate(found), key=lambda one: one[1][1])
        later = [loss for _, loss in found[at + 1 :]]
        last = sum(later[-LATER:]) / max(1, len(later[-LATER:]))
        if len(later) < LATER or last < (1 + RISE) * best:
            return None
        span = max(1, (self._step - best_step) // 2)
        before, now = (
            self._losses.mean(best_step - span // 2, best_step + span // 2),
            self._losses.mean(self._step - span),
        )
        if math.isnan(before) or math.isnan(now) or now > (1 - TRAINING_FALL) * before:
            return None
        validation = f"validation {fixed(best, 3)} → {fixed(found[-1][1], 3)}"
        figures = f"{validation}, training loss −{100 * (1 - now / before):.0f}%"
        return Verdict("overfitting", f"Overfitting since step {best_step:,}: {figures}.")

    def _fall(self, found: list[tuple[int, float]]) -> float:
        """The fraction by which the last quarter's mean validation loss is below that of the quarter before."""
        first, last = found[0][0], found[-1][0]
        quarter = (last - first) / 4
        now = [loss for step, loss in found if step > last - quarter]
        before = [loss for step, loss in found if last - 2 * quarter < step <= last - quarter]
        if not now or not before:
            return math.nan
        return 1 - (sum(now) / len(now)) / (sum(before) / len(before))

    def _level_or_learning(self) -> Verdict | None:
        found = self._judged()
        if not found:
            return None
        fall = self._fall(found)
        steps = (found[-1][0] - found[0][0]) // 4
        compared = f"than {steps:,} steps before"
        if fall > LEARNING:
            return Verdict("learning", f"Still learning: validation {100 * fall:.1f}% lower {compared}.")
        if abs(fall) < LEVEL:
            less = f"{100 * abs(fall):.1f}% {'lower' if fall >= 0 else 'higher'}"
            return Verdict("levelled off", f"Levelled off: validation {less} {compared}.")
        return None


def health_of(folder: RunFolder) -> Verdict | None:
    """Returns what the curves of a run on disk say; None if no rule is met. Raises InputError for a broken record."""
    from rnnplay.runs.metrics.thinned import ThinnedLog

    health = Health(folder.info().config)
    for record in ThinnedLog(folder.log).read():
        if isinstance(record, StepColumns):
            health.take_steps(record.step, record.loss)
        else:
            health.take(record)
    return health.verdict()


def _shown(loss: float) -> str:
    return fixed(loss, 2) if loss < 100 else f"{loss:,.0f}" if loss < 1e9 else f"{loss:.1e}"


class _Buckets:
    """Mean losses of equally many steps each, of the whole run; when there are too many, two become one."""

    def __init__(self) -> None:
        self._width = 1
        self._buckets: list[tuple[int, float, int]] = []
        """The last step, the sum of losses and their number, of each."""

    def add(self, step: int, loss: float) -> None:
        if self._buckets and self._buckets[-1][2] < self._width:
            _, total, count = self._buckets[-1]
            self._buckets[-1] = (step, total + loss, count + 1)
            return
        self._buckets.append((step, loss, 1))
        if len(self._buckets) > _MOST_BUCKETS:
            self._width *= 2
            pairs = zip(self._buckets[::2], [*self._buckets[1::2], (0, 0.0, 0)], strict=False)
            self._buckets = [(max(a[0], b[0]), a[1] + b[1], a[2] + b[2]) for a, b in pairs]

    def cut(self, after: int) -> None:
        """Forgets the steps after `after`."""
        while self._buckets and self._buckets[-1][0] > after:
            self._buckets.pop()

    def mean(self, after: float, until: float = math.inf) -> float:
        """The mean loss of the steps from `after` to `until`; NaN if there are none."""
        chosen = [one for one in self._buckets if after < one[0] <= until]
        count = sum(one[2] for one in chosen)
        return sum(one[1] for one in chosen) / count if count else math.nan
