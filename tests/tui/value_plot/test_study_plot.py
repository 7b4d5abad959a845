"""A study as rows and as a plot: the best first, where each value lies, and what stands for it."""

from __future__ import annotations

from typing import Any

from rnnplay.config import RunConfig
from rnnplay.experiments.sweep.plan import Plan, make_plan
from rnnplay.experiments.sweep.space import parse_dimensions
from rnnplay.experiments.sweep.table import Table, Trial
from rnnplay.tui.value_plot.study_plot import BEST, DIVERGED, ONE, study_columns, study_plot, study_rows


def plan(*vary: str, repeat: int = 1, trials: int | None = None) -> Plan:
    return make_plan(RunConfig(steps=10), parse_dimensions(vary), None, trials, repeat)


def trial(number: int, point: int, value: float | None, state: Any = "done", seed: int = 1, **params: Any) -> Trial:
    run = f"study-{number:03d}"
    return Trial(number=number, run=run, state=state, point=point, seed=seed, params=params, value=value)


def test_rows_begin_with_the_best_and_say_what_became_of_the_others() -> None:
    trials = [
        trial(0, 0, 2.0, cell="rnn"),
        trial(1, 1, 1.0, cell="gru"),
        trial(2, 2, None, "training", cell="lstm"),
    ]
    study = Table(study="study", plan=plan("cell=rnn,gru,lstm"), trials=trials)
    assert study_columns(study) == ["trial", "validation loss", "cell"]
    assert [row.cells for row in study_rows(study)] == [
        ["001", "1.0000", "gru"],
        ["000", "2.0000", "rnn"],
        ["002", "training", "lstm"],
    ]
    assert study_rows(study)[0].run == "study-001"


def test_listed_values_lie_side_by_side_with_a_mean_line() -> None:
    trials = [
        trial(0, 0, 2.0, cell="rnn", lr=0.1),
        trial(1, 1, 4.0, cell="rnn", lr=0.2),
        trial(2, 2, 1.0, cell="gru", lr=0.1),
        trial(3, 3, None, "diverged", cell="gru", lr=0.2),
    ]
    plot = study_plot(Table(study="s", plan=plan("cell=rnn,gru", "lr=0.1,0.2"), trials=trials), "cell")
    assert [text for _, text in plot.ticks] == ["rnn", "gru"]
    left, right = (place for place, _ in plot.ticks)
    assert {(spot.x, spot.y, spot.mark) for spot in plot.spots} == {
        (left, 2.0, ONE),
        (left, 4.0, ONE),
        (right, 1.0, BEST),
        (right, 4.0, DIVERGED),
    }
    assert plot.lines[0].points == [(left, 3.0), (right, 1.0)]


def test_seeds_give_an_interval() -> None:
    trials = [trial(0, 0, 1.0, seed=1, lr=0.1), trial(1, 0, 1.2, seed=2, lr=0.1)]
    (spot,) = study_plot(Table(study="s", plan=plan("lr=0.1,0.2", repeat=2), trials=trials), "lr").spots
    assert spot.y == 1.1 and spot.low is not None and spot.high is not None
    assert spot.low < 1.0 and spot.high > 1.2


def test_a_range_is_to_scale() -> None:
    trials = [trial(0, 0, 1.0, lr=0.001), trial(1, 1, 2.0, lr=0.1), trial(2, 2, 3.0, lr=0.01)]
    plot = study_plot(Table(study="s", plan=plan("lr=0.001..0.1:log", trials=3), trials=trials), "lr")
    first, last = (next(spot.x for spot in plot.spots if spot.y == y) for y in (1.0, 2.0))
    middle = next(spot.x for spot in plot.spots if spot.y == 3.0)
    assert abs(middle - (first + last) / 2) < 1e-9
    assert [text for _, text in plot.ticks] == ["0.001", "0.01", "0.1"]


def test_a_study_without_results_is_empty() -> None:
    study = Table(study="s", plan=plan("lr=0.1,0.2"), trials=[trial(0, 0, None, "diverged", lr=0.1)])
    assert study_plot(study, "lr").empty
