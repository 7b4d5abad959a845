"""What has been seen of one arm of an experiment: kept from its records and from inspections of its model."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from rnnplay.inspection.results import (
    ClippedStep,
    Connectivity,
    DistanceAccuracy,
    GateMap,
    GradientCurve,
    Predictions,
    Result,
)
from rnnplay.runs.divergence import BY_HAND
from rnnplay.runs.records import Finished, Record, Rollback, Skipped, Started, Step, Validation

RECENT = 100
"""Steps that averages and fractions are over."""


class NextToken(Protocol):
    """A candidate for the next token, as completions and predictions have it."""

    @property
    def token(self) -> str:
        """As text."""

    @property
    def probability(self) -> float:
        """Between 0 and 1."""


class Evidence:
    """Of one arm. `take` what is recorded and found; metrics.METRICS read the fields."""

    def __init__(self) -> None:
        self.vocabulary: int | None = None
        self.parameters: int | None = None
        self.steps = 0
        """Updates done."""
        self.first_loss: float | None = None
        self.recent: deque[Step] = deque(maxlen=RECENT)
        self.norm_max: float | None = None
        """Largest finite gradient norm before clipping."""
        self.norm_clipped_max: float | None = None
        self.diverged_step: int | None = None
        """The first with a loss or a gradient that is not finite, or that the run itself found to diverge."""
        self.rollbacks = 0
        self.validation: Validation | None = None
        self.finished: Finished | None = None
        self.curve: GradientCurve | None = None
        """Newest of trained weights."""
        self.initial_curve: GradientCurve | None = None
        self.clipping: ClippedStep | None = None
        self.gates: dict[str, GateMap] = {}
        """Newest by quantity."""
        self.predictions: Predictions | None = None
        self.distances: DistanceAccuracy | None = None
        self.what_if: tuple[int, float] | None = None
        """(step, how far the forced model's distribution is from the untouched one's)"""

    def take(self, seen: Record | Result) -> None:
        """A record of the arm's run, or the result of an inspection of its model."""
        match seen:
            case Step():
                self._take_step(seen)
            case Started():
                self.parameters, self.vocabulary, self.steps = seen.parameters, seen.vocabulary, seen.step
            case Validation():
                self.validation, self.steps = seen, seen.step
            case Skipped():
                self._diverged(seen.step)
            case Rollback():
                self.steps = seen.to
                if seen.cause != BY_HAND:
                    self.rollbacks += 1
                    self._diverged(seen.step)
            case Finished():
                self.finished = seen
            case GradientCurve() if seen.step == 0:
                self.initial_curve = seen
            case GradientCurve():
                self.curve = seen
            case ClippedStep():
                self.clipping = seen
            case GateMap():
                self.gates[seen.quantity] = seen
            case Predictions():
                self.predictions = seen
            case DistanceAccuracy():
                self.distances = seen
            case Connectivity() | _:
                pass  # nothing is measured in it

    def take_what_if(self, step: int, untouched: Sequence[NextToken], forced: Sequence[NextToken]) -> None:
        """The most probable next tokens of the untouched model and of the one whose cells are forced."""
        self.what_if = (step, total_variation(untouched, forced))

    def _take_step(self, step: Step) -> None:
        self.steps = step.step
        self.recent.append(step)
        if self.first_loss is None and step.step == 1:
            self.first_loss = step.loss
        if math.isfinite(step.grad_norm):
            self.norm_max = max(step.grad_norm, self.norm_max or 0.0)
            self.norm_clipped_max = max(step.grad_norm_clipped, self.norm_clipped_max or 0.0)
        if not (math.isfinite(step.loss) and math.isfinite(step.grad_norm)):
            self._diverged(step.step)

    def _diverged(self, step: int) -> None:
        if self.diverged_step is None:
            self.diverged_step = step


def total_variation(one: Sequence[NextToken], other: Sequence[NextToken]) -> float:
    """½ Σ |p − q| over the tokens named in either; 0: the same, 1: nothing in common.

    A token that one list leaves out counts as 0 there, so that short lists give a little too much.
    """
    first = {candidate.token: candidate.probability for candidate in one}
    second = {candidate.token: candidate.probability for candidate in other}
    return 0.5 * sum(abs(first.get(token, 0.0) - second.get(token, 0.0)) for token in first.keys() | second.keys())
