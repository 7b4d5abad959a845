"""What a study has found: its trials, the mean of each combination over seeds, and the values by knob. No Optuna."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from rnnplay.common.formatting import fixed
from rnnplay.config import Value
from rnnplay.experiments.sweep.plan import Plan
from rnnplay.experiments.sweep.space import Dimension, combination_text, value_text

State = Literal["waiting", "training", "interrupted", "done", "diverged", "pruned", "failed"]
"""interrupted: its process is gone; another goes on with it. Everything from "done" on is final."""
FINAL: tuple[State, ...] = ("done", "diverged", "pruned", "failed")
BINS = 4
"""Parts of a range, of which the values are summed up together."""

_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""The 0.975 quantiles of Student's t distribution with 1 to 30 degrees of freedom."""
_Z = 1.960


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a study."""

    number: int
    run: str
    state: State
    point: int
    """Number of its combination."""
    seed: int
    params: dict[str, Value]
    """The knobs that are varied, with their values."""
    value: float | None = None
    """The metric, if the run is done."""
    value_step: int | None = None
    """The step at which the run reached it."""
    step: int = 0
    """Steps trained, as last reported."""
    loss: float | None = None
    """The last validation loss reported."""
    reason: str = ""
    """Why there is no value, in words."""


class Combination(NamedTuple):
    """The trials of one combination of values, one a seed."""

    point: int
    params: dict[str, Value]
    trials: list[Trial]
    mean: float | None
    """Mean of the values of the trials that are done."""
    half_interval: float | None
    """Half of the 95% confidence interval of the mean; None with fewer than two values."""

    @property
    def complete(self) -> bool:
        """Whether all of its trials are done, so that it may be compared with others."""
        return all(trial.state == "done" for trial in self.trials)


class Group(NamedTuple):
    """The combinations with one value of a knob, or with values in one part of its range."""

    knob: str
    text: str
    """The value, or the part: "1e-4 to 1e-3"."""
    done: int
    """Combinations that are done."""
    best: float | None
    mean: float | None
    worst: float | None
    diverged: int
    """Runs that diverged."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A study as it stands."""

    study: str
    plan: Plan
    trials: list[Trial]

    def count(self, *states: State) -> int:
        """Number of trials in these states."""
        return sum(trial.state in states for trial in self.trials)

    @property
    def over(self) -> bool:
        """Whether every trial has come to its end."""
        return len(self.trials) >= self.plan.runs and all(trial.state in FINAL for trial in self.trials)

    def combinations(self) -> list[Combination]:
        """Returns the combinations: those that are done from the best on, then the others by number."""
        points: dict[int, list[Trial]] = {}
        for trial in self.trials:
            points.setdefault(trial.point, []).append(trial)
        found = [_combination(point, trials) for point, trials in sorted(points.items())]
        return sorted(found, key=lambda one: (not one.complete, one.mean is None, one.mean or 0.0, one.point))

    def best(self) -> Combination | None:
        """Returns the combination with the lowest mean among those whose trials are all done; None if there is none."""
        ranked = self.combinations()
        return ranked[0] if ranked and ranked[0].complete else None

    def by_knob(self) -> list[Group]:
        """Sums up the values by each value of each knob."""
        combinations = self.combinations()
        return [group for dimension in self.plan.dimensions for group in _groups(dimension, combinations)]


def number_text(value: float | None, half: float | None = None) -> str:
    """ "1.2345", "1.2345 ± 0.0123", "–"."""
    if value is None:
        return "–"
    return fixed(value, 4) + ("" if half is None else f" ± {fixed(half, 4)}")


def counts_text(study: Table) -> str:
    """ "tales-sweep-01: 5 of 12 runs done, 2 training, 1 diverged, 4 to come"."""
    states: tuple[State, ...] = ("training", "interrupted", "diverged", "pruned", "failed")
    others = [f"{number} {state}" for state in states if (number := study.count(state))]
    to_come = study.plan.runs - len(study.trials) + study.count("waiting")
    if to_come > 0:
        others.append(f"{to_come} to come")
    return ", ".join((f"{study.study}: {study.count('done')} of {study.plan.runs} runs done", *others))


def best_text(study: Table) -> str:
    """ "best 1.2345 with cell=lstm lr=0.003"; "" if there is none yet."""
    best = study.best()
    if best is None:
        return ""
    return f"best {number_text(best.mean, best.half_interval)} with {combination_text(best.params)}"


def mean_and_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Returns the mean and half of its 95% confidence interval (Student's t), which needs two values."""
    if not values:
        return None, None
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    quantile = _T[len(values) - 2] if len(values) - 2 < len(_T) else _Z
    return mean, quantile * math.sqrt(variance / len(values))


def _combination(point: int, trials: list[Trial]) -> Combination:
    trials = sorted(trials, key=lambda trial: trial.number)
    values = [trial.value for trial in trials if trial.state == "done" and trial.value is not None]
    return Combination(point, trials[0].params, trials, *mean_and_interval(values))


def _groups(dimension: Dimension, combinations: Iterable[Combination]) -> list[Group]:
    members: dict[str, list[Combination]] = {}
    if dimension.values:
        members = {value_text(value): [] for value in dimension.values}
    else:
        members = {_part_text(dimension, part): [] for part in range(BINS)}
    for one in combinations:
        value = one.params.get(dimension.knob)
        if value is None:
            continue
        text = value_text(value) if dimension.values else _part_text(dimension, _part(dimension, float(value)))
        members.setdefault(text, []).append(one)
    groups = []
    for text, found in members.items():
        means = [one.mean for one in found if one.complete and one.mean is not None]
        diverged = sum(trial.state == "diverged" for one in found for trial in one.trials)
        best, worst = min(means, default=None), max(means, default=None)
        mean, _ = mean_and_interval(means)
        groups.append(Group(dimension.knob, text, len(means), best, mean, worst, diverged))
    return groups


def _scale(dimension: Dimension, value: float) -> float:
    return math.log(value) if dimension.log else value


def position(dimension: Dimension, value: Value) -> float:
    """Returns where `value` lies among those that are tried, 0 to 1: lists at equal distances, ranges to scale."""
    if dimension.values and not dimension.is_range:
        return dimension.values.index(value) / max(1, len(dimension.values) - 1) if value in dimension.values else 0.0
    low, high = _scale(dimension, dimension.low), _scale(dimension, dimension.high)
    return min(1.0, max(0.0, (_scale(dimension, float(value)) - low) / (high - low)))


def _part(dimension: Dimension, value: float) -> int:
    return min(BINS - 1, int(position(dimension, value) * BINS))


def _part_text(dimension: Dimension, part: int) -> str:
    low, high = _scale(dimension, dimension.low), _scale(dimension, dimension.high)
    ends = [low + (high - low) * at / BINS for at in (part, part + 1)]
    first, last = (math.exp(end) if dimension.log else end for end in ends)
    return f"{first:.2g} to {last:.2g}"
