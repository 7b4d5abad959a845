"""What a study has found, for the screen of sweeps: its trials as rows, and its values by knob as a plot."""

from __future__ import annotations

from typing import NamedTuple

from rnnplay.common.formatting import fixed
from rnnplay.config import Value
from rnnplay.experiments.sweep.space import Dimension, param_text, value_text
from rnnplay.experiments.sweep.table import FINAL, Combination, Table, Trial, mean_and_interval, position
from rnnplay.tui.value_plot.rates import rate_ticks
from rnnplay.tui.value_plot.value_frame import Line, Spot, ValuePlot

BEST, ONE, DIVERGED = "◆", "•", "×"
LEGEND = f"{ONE} combination  ━ mean by value  {BEST} best  {DIVERGED} diverged"
BINS = 5
"""Parts of a range over which the mean line is drawn."""


class TrialRow(NamedTuple):
    """A trial, as the table shows it."""

    run: str
    cells: list[str]
    opens: bool
    """Whether there is a run to open."""


def study_columns(study: Table) -> list[str]:
    """The columns of the table, the metric first: a narrow window has no room for all knobs."""
    seed = ["seed"] if study.plan.repeat > 1 else []
    return ["trial", study.plan.metric.replace("_", " "), *study.plan.knobs, *seed]


def study_rows(study: Table) -> list[TrialRow]:
    """The trials, those of the best combination first."""
    rows = []
    for one in study.combinations():
        for trial in one.trials:
            values = [param_text(trial.params, name) for name in study.plan.knobs]
            seed = [str(trial.seed)] if study.plan.repeat > 1 else []
            opens = trial.state not in ("waiting", "failed")
            rows.append(TrialRow(trial.run, [trial.run.rpartition("-")[2], outcome(trial), *values, *seed], opens))
    return rows


def outcome(trial: Trial) -> str:
    """The value of a trial, or its state: "1.2345", "training, step 400", "diverged after step 80"."""
    if trial.state == "done" and trial.value is not None:
        return fixed(trial.value, 4)
    if trial.state in FINAL:
        return trial.reason or trial.state
    return f"{trial.state}, step {trial.step:,}" if trial.step else trial.state


def study_plot(study: Table, knob: str) -> ValuePlot:
    """The value of each combination by one of its knobs, with the interval over seeds, and the mean by value."""
    dimension = next(one for one in study.plan.dimensions if one.knob == knob)
    combinations = study.combinations()
    done = [one for one in combinations if one.complete and one.mean is not None]
    best = study.best()
    spots = [_spot(one, dimension, ONE, "secondary") for one in done if best is None or one.point != best.point]
    if best is not None:
        spots.append(_spot(best, dimension, BEST, "accent"))
    highest = max((spot.high or spot.y for spot in spots), default=1.0)
    diverged = [one for one in combinations if any(trial.state == "diverged" for trial in one.trials)]
    if spots:
        spots += [Spot(_place(dimension, one.params[knob]), highest, DIVERGED, "error") for one in diverged]
    line = Line(_means(dimension, done))
    return ValuePlot(_ticks(dimension), [line] if len(line.points) > 1 else [], spots)


def _place(dimension: Dimension, value: Value) -> float:
    # A little away from the edges, where marks would cover the axis.
    return 0.03 + 0.94 * position(dimension, value)


def _spot(one: Combination, dimension: Dimension, mark: str, token: str) -> Spot:
    assert one.mean is not None
    half = one.half_interval
    interval = (None, None) if half is None else (one.mean - half, one.mean + half)
    return Spot(_place(dimension, one.params[dimension.knob]), one.mean, mark, token, *interval)


def _means(dimension: Dimension, done: list[Combination]) -> list[tuple[float, float]]:
    """The mean of the combinations at each value, or in each part of a range; by rising place."""
    groups: dict[float, list[float]] = {}
    for one in done:
        place = position(dimension, one.params[dimension.knob])
        if not dimension.values:
            place = (min(BINS - 1, int(place * BINS)) + 0.5) / BINS
        groups.setdefault(place, []).append(one.mean or 0.0)
    means = ((place, mean_and_interval(values)[0]) for place, values in sorted(groups.items()))
    return [(0.03 + 0.94 * place, mean) for place, mean in means if mean is not None]


def _ticks(dimension: Dimension) -> list[tuple[float, str]]:
    if dimension.values:
        return [(_place(dimension, value), value_text(value)) for value in dimension.values]
    if dimension.log:
        return [(0.03 + 0.94 * place, text) for place, text in rate_ticks(dimension.low, dimension.high)]
    middle = (dimension.low + dimension.high) / 2
    return [(_place(dimension, value), f"{value:.3g}") for value in (dimension.low, middle, dimension.high)]
