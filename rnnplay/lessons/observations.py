"""Collects what is known about one variant of an experiment, from its records and from inspections of its model."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from rnnplay.inspection.questions import (
    CANDIDATES,
    ClippingQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    TimestepQuestion,
)
from rnnplay.inspection.results import (
    Candidate,
    ClippedStep,
    Connectivity,
    DistanceAccuracy,
    ForcedCompletion,
    GateMap,
    GradientCurve,
    Predictions,
    Result,
    Timestep,
)
from rnnplay.runs.divergence import BY_HAND
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Skipped, Started, Step, Validation

RECENT = 100
"""Number of latest steps over which averages and fractions are computed."""


class Observations:
    """What is known about one variant: `take` updates the fields, metrics.METRICS reads them."""

    def __init__(self) -> None:
        self.vocabulary: int | None = None
        self.parameters: int | None = None
        self.steps = 0
        """Number of updates done."""
        self.first_loss: float | None = None
        self.recent: deque[Step] = deque(maxlen=RECENT)
        self.norm_max: float | None = None
        """Largest finite gradient norm before clipping."""
        self.norm_clipped_max: float | None = None
        self.diverged_step: int | None = None
        """The first step with a loss or gradient that is not finite, or at which the run detected divergence."""
        self.rollbacks = 0
        self.validation: Validation | None = None
        self.finished: Finished | None = None
        self.curve: GradientCurve | None = None
        """The latest curve of trained weights."""
        self.initial_curve: GradientCurve | None = None
        self.clipping: ClippedStep | None = None
        self.gates: dict[str, GateMap] = {}
        """The latest heatmap of each quantity."""
        self.predictions: Predictions | None = None
        self.distances: DistanceAccuracy | None = None
        self.forced_completion: ForcedCompletion | None = None
        self.timestep: Timestep | None = None

    def take(self, found: Record | Result) -> None:
        """Takes a record of the variant's run, or the result of an inspection of its model."""
        match found:
            case Step():
                self._take_step(found)
            case Started():
                self.parameters, self.vocabulary, self.steps = found.parameters, found.vocabulary, found.step
            case Validation():
                self.validation, self.steps = found, found.step
            case Skipped():
                self._diverged(found.step)
            case Rollback():
                self.steps = found.to
                if found.cause != BY_HAND:
                    self.rollbacks += 1
                    self._diverged(found.step)
            case Finished():
                self.finished = found
            case GradientCurve() if found.step == 0:
                self.initial_curve = found
            case GradientCurve():
                self.curve = found
            case ClippedStep():
                self.clipping = found
            case GateMap():
                self.gates[found.quantity] = found
            case Predictions():
                self.predictions = found
            case DistanceAccuracy():
                self.distances = found
            case ForcedCompletion():
                self.forced_completion = found
            case Timestep():
                self.timestep = found
            case Connectivity() | _:
                pass  # no metric uses it

    def knows(self, question: Question, step: int) -> bool:
        """Whether the answer for the weights of `step` was taken."""
        match question:
            case GradientsQuestion(initial=True):
                return self.initial_curve is not None
            case GradientsQuestion():
                found: Result | None = self.curve
            case ClippingQuestion():
                found = self.clipping
            case PredictionsQuestion():
                found = self.predictions
            case DistancesQuestion():
                found = self.distances
            case TimestepQuestion():
                found = self.timestep
            case GatesQuestion():
                found = self.gates.get(question.quantity)
            case _:
                found = None
        return found is not None and found.step == step

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


def total_variation(one: Sequence[Candidate], other: Sequence[Candidate]) -> float:
    """Computes ½ Σ |p − q| over the union of each one's CANDIDATES most probable tokens; from 0 to 1.

    A token missing from one of the lists counts as probability 0 there, so the result is slightly too large.
    """
    first = {candidate.token: candidate.probability for candidate in one[:CANDIDATES]}
    second = {candidate.token: candidate.probability for candidate in other[:CANDIDATES]}
    return 0.5 * sum(abs(first.get(token, 0.0) - second.get(token, 0.0)) for token in first.keys() | second.keys())
