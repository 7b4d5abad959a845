"""The curves of a run by steps, tokens and seconds."""

from __future__ import annotations

import pytest

from rnnplay.experiments.sharing import Measure
from rnnplay.runs.metrics.records import Rollback
from rnnplay.tui.chart.history import History
from rnnplay.tui.race.curves import RunCurves, position
from tests.tui.stage import started, step_at, validation


def ends(histories: dict[Measure, History]) -> tuple[int | None, int | None, int | None]:
    return tuple(histories[measure].last_step for measure in ("steps", "tokens", "seconds"))  # type: ignore[return-value]


def test_a_step_is_dated_in_each_measure() -> None:
    curves = RunCurves()
    curves.take(step_at(1), 0.5)
    curves.take(step_at(2), 1.25)
    curves.take(validation(2, 1.9), 1.5)
    assert ends(curves.loss) == ends(curves.norm) == (2, 4096, 1_250_000)
    assert ends(curves.validation) == (2, 4096, 1_500_000)


def test_steps_at_the_same_moment_are_all_kept() -> None:
    curves = RunCurves()
    for step in range(1, 101):
        curves.take(step_at(step), 1.0)
    assert len(curves.loss["seconds"]) == 100


def test_after_a_rollback_steps_and_tokens_are_undone_and_time_goes_on() -> None:
    curves = RunCurves()
    for step in range(1, 11):
        curves.take(step_at(step), step / 10)
    curves.take(Rollback(step=10, to=4, cause="loss not finite", remedy="none"), 1.0)
    assert curves.loss["steps"].last_step == 4
    curves.take(step_at(5), 1.1)
    assert ends(curves.loss) == (5, 5 * 2048, 1_100_000)
    assert len(curves.loss["tokens"]) == 5 and len(curves.loss["seconds"]) == 11


def test_a_run_resumed_from_an_earlier_checkpoint_replaces_what_came_after_it() -> None:
    curves = RunCurves()
    for step in range(1, 11):
        curves.take(step_at(step), float(step))
    curves.take(started(step=6), 6.0)
    curves.take(step_at(7), 7.0)
    assert ends(curves.loss) == (7, 7 * 2048, 7_000_000)
    assert len(curves.loss["seconds"]) == 7


def test_bits_per_character_where_losses_cannot_be_compared() -> None:
    curves = RunCurves("bits_per_character")
    record = validation(3, 0.7)
    curves.take(record, 1.0)
    assert curves.validation["steps"].last == record.bits_per_character


def test_the_fraction_of_clipped_steps() -> None:
    curves = RunCurves()
    assert curves.clipped_fraction is None
    for step, norm in enumerate((0.5, 2.0, 3.0, 0.5), 1):
        curves.take(step_at(step, norm=norm), 1.0)
    assert curves.clipped_fraction == pytest.approx(0.5)


def test_where_a_length_ends_on_the_axis() -> None:
    assert (position("seconds", 90.0), position("steps", 500)) == (90_000_000, 500)
