"""Ranks the variants of a race by their validation losses at equal steps, tokens or seconds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from rnnplay.experiments.sharing import Measure, Reached
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Started, Step, Validation, lowest

By = Literal["best", "last"]
Quality = Literal["loss", "bits_per_character"]


LITTLE_SECONDS, LITTLE_FRACTION = 0.25, 0.02
"""Training times that differ by no more than one of these are equal: runs of equally many minutes end within a step."""


class Validated(NamedTuple):
    """A validation, and how long the variant had trained."""

    at: Reached
    loss: float
    """Nats per token."""
    bits_per_character: float


class Progress:
    """What one variant has done so far, from its records."""

    def __init__(self) -> None:
        self.reached = Reached()
        self.started: Started | None = None
        self.last: Step | None = None
        self.validations: list[Validated] = []
        self.rollbacks = 0
        self.died: int | None = None
        """The step at which it diverged for good."""
        self.ended = ""
        """The reason in its last record; "" while it trains."""

    def take(self, record: Record, seconds: float | None = None) -> None:
        """Takes its next record; `seconds`: training time up to then, if known."""
        if seconds is not None:
            self.reached = self.reached._replace(seconds=seconds)
        if isinstance(record, Started):
            self.started, self.ended, self.died = record, "", None
        elif isinstance(record, Step):
            self.last = record
            self.reached = self.reached._replace(steps=record.step, tokens=record.tokens)
        elif isinstance(record, Validation):
            at = self.reached._replace(steps=record.step)
            self.validations.append(Validated(at, record.loss, record.bits_per_character))
        elif isinstance(record, Rollback):
            self.rollbacks = max(self.rollbacks, record.count)
            self.reached = self.reached._replace(steps=record.to)
            self.validations = [one for one in self.validations if one.at.steps <= record.to]
        elif isinstance(record, Finished):
            self.ended = record.reason
            self.died = self.last.step if record.reason == "diverged" and self.last else self.died

    @property
    def exploded(self) -> bool:
        """Whether it trains on although its loss is not finite."""
        return self.last is not None and not math.isfinite(self.last.loss)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A variant's line in the table."""

    rank: int
    """From 1; equal losses have equal ranks. 0 without a finite validation loss."""
    label: str
    state: str
    """"waits", "trains", or how it ended: "length", "early stop", "stopped", "dropped", "diverged", "failed"."""
    step: int
    tokens: int
    seconds: float
    """Seconds of training."""
    equal: float | None
    """What the rank is by: the validation loss (or bits per character) where all variants have trained equally long."""
    best: float | None
    """The lowest validation loss so far, in the same unit."""
    last: float | None
    """The newest validation loss."""
    train_loss: float | None
    """Loss of the newest step, nats per token."""
    tokens_per_second: float
    parameters: int
    died: int | None = None
    """The step at which it diverged, and ended or trains on with a loss that is not finite."""
    rollbacks: int = 0
    interpolated: bool = False
    """Whether `equal` lies between two validations: it was not validated exactly there."""


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """The table of a race, best first."""

    measure: Measure
    at: float
    """How many steps, tokens or seconds the variants have in common, up to which their validations are compared.

    0 where there is no such time, as one was validated for the first time when another had ended: each is then
    compared by what it reached at its end.
    """
    by: By
    quality: Quality
    rows: list[Row]


def rank(
    progress: Sequence[tuple[str, Progress]],
    measure: Measure,
    by: By = "best",
    quality: Quality = "loss",
    states: Sequence[str] | None = None,
) -> Standings:
    """Ranks variants, given by label, at equal `measure` by their best or last validation up to there.

    Compared is what each had reached when the one that is least far was validated last. A loss between two validations
    is interpolated, so that none is compared with what it was long before. One that has diverged, or ended early (by
    hand, or as it no longer improved), is not waited for: it is compared with what it reached. Once all have ended and
    one was not validated up to there, as in a very short race, each is compared with what it reached. `states`: what
    each is doing, if the caller knows more than the records say.
    """
    at = common(progress, measure)
    uneven = _uneven(progress, measure, at)
    found: list[tuple[float, int, Row]] = []
    for index, (label, one) in enumerate(progress):
        equal, interpolated = _at(one.validations, measure, math.inf if uneven else at, by, quality)
        died = one.died if one.died is not None else one.last.step if one.exploded and one.last else None
        row = Row(
            rank=0,
            label=label,
            state=(states[index] if states else "") or one.ended or ("trains" if one.last else "waits"),
            step=one.reached.steps,
            tokens=one.reached.tokens,
            seconds=one.reached.seconds,
            equal=equal,
            best=lowest(_qualities(one.validations, quality)),
            last=_quality(one.validations, "last", quality),
            train_loss=one.last.loss if one.last else None,
            tokens_per_second=one.last.tokens_per_second if one.last else 0.0,
            parameters=one.started.parameters if one.started else 0,
            died=died,
            rollbacks=one.rollbacks,
            interpolated=interpolated,
        )
        order = math.inf if equal is None or not math.isfinite(equal) or died is not None else equal
        found.append((order, index, row))
    found.sort(key=lambda entry: entry[:2])
    orders = [order for order, _, _ in found]
    rows = [
        msgspec.structs.replace(row, rank=orders.index(order) + 1 if math.isfinite(order) else 0)
        for order, _, row in found
    ]
    return Standings(measure=measure, at=0.0 if uneven else at, by=by, quality=quality, rows=rows)


def common(progress: Sequence[tuple[str, Progress]], measure: Measure) -> float:
    """How many steps, tokens or seconds all variants that still count have been validated after."""
    waited_for = [one for _, one in progress if one.died is None and one.ended in ("", "length") and not one.exploded]
    counted = waited_for or [one for _, one in progress]
    return min((one.validations[-1].at.of(measure) if one.validations else 0.0 for one in counted), default=0.0)


def _uneven(progress: Sequence[tuple[str, Progress]], measure: Measure, at: float) -> bool:
    """Whether all have ended, and one that was validated was not up to `at`."""
    counted = [one for _, one in progress if one.died is None and one.ended != "failed"]
    return (
        all(one.ended for _, one in progress)
        and all(one.validations for one in counted)
        and any(not up_to(one.validations, measure, at) for one in counted)
    )


def up_to(validations: Sequence[Validated], measure: Measure, at: float) -> Sequence[Validated]:
    """The validations of a variant up to `at`; of those in seconds, also one that is a little later."""
    if measure == "seconds":
        at += max(LITTLE_SECONDS, LITTLE_FRACTION * at)
    return validations[: bisect_right(validations, at, key=lambda one: one.at.of(measure))]


def _at(
    validations: Sequence[Validated], measure: Measure, at: float, by: By, quality: Quality
) -> tuple[float | None, bool]:
    """Returns the best or last figure up to `at`, and whether it is interpolated."""
    before = up_to(validations, measure, at)
    known = _quality(before, by, quality)
    after = validations[len(before) :][:1]
    if known is None or not after:
        return known, False
    ends = before[-1], after[0]
    (first, last), (low, high) = (
        [one.at.of(measure) for one in ends],
        [_quality([one], "last", quality) for one in ends],
    )
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high) or not first < at < last:
        return known, False
    value = low + (high - low) * (at - first) / (last - first)
    return (value, True) if by == "last" or value < known else (known, False)


def _quality(validations: Sequence[Validated], by: By, quality: Quality) -> float | None:
    values = _qualities(validations, quality)
    if not values:
        return None
    best = lowest(values) if by == "best" else None
    return values[-1] if best is None else best  # one that is not finite is the worst


def _qualities(validations: Sequence[Validated], quality: Quality) -> list[float]:
    return [one.loss if quality == "loss" else one.bits_per_character for one in validations]
