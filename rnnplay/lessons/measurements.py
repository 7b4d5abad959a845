"""Decides whether a lesson's conditions hold, for the interface after every event and for headless runs alike."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import cast

import msgspec

from rnnplay.inspection.questions import (
    ClippingQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    TimestepQuestion,
    WhatIfQuestion,
)
from rnnplay.inspection.results import Quantity, Result
from rnnplay.lessons.languages import Language
from rnnplay.lessons.lesson import Comparison, Condition, Lesson, Step
from rnnplay.lessons.metrics import Measured, Source, metric_label, split_metric
from rnnplay.lessons.observations import Observations
from rnnplay.runs.metrics.records import Record

COMPARISONS: dict[Comparison, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SIGNS: dict[Comparison, str] = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A condition, the value measured for it, and whether it holds."""

    condition: Condition
    measured: float | None
    """None if not known yet, or if the weights are not trained for long enough."""
    holds: bool


class Measurements:
    """Everything measured for a lesson's variants. Accepts records and results in any order of variants."""

    def __init__(self) -> None:
        self._observations: dict[str, Observations] = {}

    def of(self, variant: str) -> Observations:
        """Returns what is known about `variant`, at first nothing."""
        return self._observations.setdefault(variant, Observations())

    def take(self, variant: str, found: Record | Result) -> None:
        """Takes a record of the variant's run, or the result of an inspection of its model."""
        self.of(variant).take(found)

    def begin(self, variant: str) -> None:
        """Forgets what was known about `variant`, which is run again."""
        self._observations[variant] = Observations()

    def measure(self, metric: str, variant: str) -> Measured | None:
        """Measures `metric` for `variant`; raises ValueError for an unknown metric."""
        found, parameter = split_metric(metric)
        return found.measure(self.of(variant), parameter)

    def judge(self, condition: Condition) -> Judged:
        """Judges whether `condition` holds now. NaN satisfies no condition."""
        value = self._value(condition)
        holds = value is not None and COMPARISONS[condition.comparison](value, condition.value)
        return Judged(condition=condition, measured=value, holds=holds)

    def judge_step(self, step: Step) -> list[Judged]:
        """Judges all conditions of `step`, which ticks when every one holds."""
        return [self.judge(condition) for condition in step.conditions]

    def holds(self, step: Step) -> bool:
        """Returns whether every condition of `step` holds now."""
        return all(self.judge(condition).holds for condition in step.conditions)

    def _value(self, condition: Condition) -> float | None:
        values: list[float] = []
        for variant in condition.variants:
            measured = self.measure(condition.metric, variant)
            if measured is None or measured.step < condition.after:
                return None
            values.append(measured.value)
        if condition.minus:
            return values[0] - values[1]
        if condition.over:
            return values[0] / values[1] if values[1] else math.inf if values[0] > 0 else math.nan
        return values[0]


def sources(lesson: Lesson, variant: str) -> dict[Source, set[str]]:
    """Returns what the lesson's conditions need from `variant`: each source with the parameters of its metrics."""
    found: dict[Source, set[str]] = {}
    for step in lesson.steps:
        for condition in step.conditions:
            if variant in condition.variants:
                metric, parameter = split_metric(condition.metric)
                found.setdefault(metric.source, set()).add(parameter)
    return found


def questions(lesson: Lesson, variant: str) -> dict[str, Question]:
    """Returns the questions to ask of the model of `variant` for the lesson's conditions, each under a name."""
    found: dict[str, Question] = {}
    text, forced = lesson.probe.text, lesson.probe.forced
    for source, parameters in sources(lesson, variant).items():
        match source:
            case "gradients" | "initial gradients":
                distance = max(map(int, parameters))
                found[source] = GradientsQuestion(distance=distance, initial=source == "initial gradients")
            case "clipping":
                found[source] = ClippingQuestion()
            case "predictions":
                found[source] = PredictionsQuestion(text=text)
            case "distances":
                found[source] = DistancesQuestion()
            case "timestep":
                found[source] = TimestepQuestion(text=text, count=lesson.config(variant).hidden)
            case "what if":
                found[source] = WhatIfQuestion(text=lesson.probe.prompt, forced=forced)
            case "gates":
                units = lesson.config(variant).hidden
                for quantity in sorted(parameters):
                    name = cast(Quantity, quantity)
                    found[f"gates {quantity}"] = GatesQuestion(text=text, quantity=name, count=units)
            case "records":
                pass  # records arrive without being asked for
    return found


def judged_text(judged: Judged, lesson: Lesson, language: Language) -> tuple[str, str]:
    """Returns a condition and its measured value as text."""
    value = "?" if judged.measured is None else f"{judged.measured:.3g}"
    return condition_text(judged.condition, lesson, language), value


def comparison_text(condition: Condition) -> str:
    """Formats the comparison, as in "≤ 0.3"."""
    return f"{SIGNS[condition.comparison]} {condition.value:g}"


def condition_text(condition: Condition, lesson: Lesson, language: Language) -> str:
    """Formats the condition, as in "validation loss · RNN < 2.2"."""
    variants = [lesson.title_of(variant, language) for variant in condition.variants]
    joined = (" − " if condition.minus else " / ").join(variants)
    return f"{metric_label(condition.metric, language)} · {joined} {comparison_text(condition)}"
