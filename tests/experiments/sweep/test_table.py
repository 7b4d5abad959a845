"""Means, intervals, the ranking and the summary by knob, against values worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rnnplay.experiments.sweep.plan import Plan
from rnnplay.experiments.sweep.space import parse_dimension
from rnnplay.experiments.sweep.table import Table, Trial, mean_and_interval, position
from tests.experiments.sweep.conftest import MakePlan


def trial(number: int, point: int, value: float | None, seed: int = 1, state: Any = "done", **params: Any) -> Trial:
    return Trial(number=number, run=f"s-{number}", state=state, point=point, seed=seed, params=params, value=value)


def test_the_interval_is_students() -> None:
    mean, half = mean_and_interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.303 * 1.0 / math.sqrt(3))
    assert mean_and_interval([1.5]) == (1.5, None)
    assert mean_and_interval([]) == (None, None)
    many = [float(number % 2) for number in range(100)]
    assert mean_and_interval(many)[1] == pytest.approx(1.96 * math.sqrt(0.25 * 100 / 99 / 100))


def seeds(plan: MakePlan) -> Plan:
    return plan("cell=rnn,gru", repeat=2)


def test_the_best_has_the_lowest_mean_and_all_its_seeds(plan: MakePlan) -> None:
    trials = [
        trial(0, 0, 1.0, 1, cell="rnn"),
        trial(1, 0, 3.0, 2, cell="rnn"),
        trial(2, 1, 0.5, 1, cell="gru"),
        trial(3, 1, None, 2, "training", cell="gru"),
    ]
    table = Table(study="s", plan=seeds(plan), trials=trials)
    best = table.best()
    assert best is not None and (best.params, best.mean) == ({"cell": "rnn"}, 2.0)
    assert not table.over
    diverged = Table(study="s", plan=seeds(plan), trials=[*trials[:3], trial(3, 1, None, 2, "diverged", cell="gru")])
    best = diverged.best()
    assert diverged.over and best is not None and best.params == {"cell": "rnn"}  # the GRU did not live for every seed


def test_a_group_sums_up_one_value_of_a_knob(plan: MakePlan) -> None:
    made = plan("cell=rnn,gru", "lr=0.001..1:log", sampler="random", trials=4)
    trials = [
        trial(0, 0, 1.0, cell="rnn", lr=0.002),
        trial(1, 1, 2.0, cell="gru", lr=0.9),
        trial(2, 2, 4.0, cell="rnn", lr=0.003),
        trial(3, 3, None, 1, "diverged", cell="gru", lr=0.8),
    ]
    groups = {(group.knob, group.text): group for group in Table(study="s", plan=made, trials=trials).by_knob()}
    rnn, gru = groups["cell", "rnn"], groups["cell", "gru"]
    assert (rnn.done, rnn.best, rnn.mean, rnn.worst, rnn.diverged) == (2, 1.0, 2.5, 4.0, 0)
    assert (gru.done, gru.best, gru.mean, gru.worst, gru.diverged) == (1, 2.0, 2.0, 2.0, 1)
    assert groups["lr", "0.001 to 0.0056"].done == 2
    assert groups["lr", "0.18 to 1"].done == 1


def test_values_lie_to_scale() -> None:
    assert position(parse_dimension("lr=0.001..1:log"), 0.001) == 0.0
    assert position(parse_dimension("lr=0.001..1:log"), 0.1) == pytest.approx(2 / 3)
    assert position(parse_dimension("cell=rnn,gru,lstm"), "gru") == 0.5
