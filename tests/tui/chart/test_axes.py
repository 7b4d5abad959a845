"""Ticks, labels and ranges of the axes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnplay.common.curves import joint_range, robust_range
from rnnplay.tui.chart import axes


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (1.4321, None, "1.43"),
        (0.0, None, "0"),
        (0.05, 0.05, "0.05"),
        (2.5, 2.5, "2.5"),
        (5.0, 2.5, "5.0"),
        (0.25, 0.25, "0.25"),
        (123456.0, None, "123k"),
        (10000.0, 1000.0, "10k"),
        (1e-6, 1e-6, "1e-6"),
        (3.25e12, None, "3.25e12"),
        (-0.5, 0.1, "-0.5"),
        (math.nan, None, "nan"),
        (math.inf, None, "inf"),
        (-math.inf, None, "-inf"),
    ],
)
def test_values_are_short(value: float, step: float | None, text: str) -> None:
    assert axes.format_value(value, step) == text


@pytest.mark.parametrize(
    ("step", "precision", "text"),
    [
        (0, 200, "0"),
        (500, 500, "500"),
        (1240, 10, "1.24k"),
        (1200, 200, "1.2k"),
        (2000, 500, "2k"),
        (1.25e6, 250_000, "1.25M"),
    ],
)
def test_steps_are_short(step: float, precision: float, text: str) -> None:
    assert axes.format_step(step, precision) == text


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5), st.integers(1, 12))
def test_linear_ticks_lie_inside_and_differ(low: float, span: float, most: int) -> None:
    ticks = axes.linear_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value, _ in ticks)
    if span > abs(low) * 1e-2:
        assert len({text for _, text in ticks}) == len(ticks)


@given(st.floats(-9, 9), st.floats(0.05, 12), st.integers(2, 10))
def test_log_ticks_lie_inside_and_there_is_one(low: float, span: float, most: int) -> None:
    ticks = axes.log_ticks(low, low + span, most)
    if span >= 1:
        assert ticks
    assert len(ticks) <= most + 2
    places = [axes.Scale(low, low + span, log=True).place(value) for value, _ in ticks]
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert places == sorted(places, reverse=True)


def test_log_ticks_fill_the_room() -> None:
    assert [text for _, text in axes.log_ticks(-1, 1, 9)] == ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
    assert [text for _, text in axes.log_ticks(-1, 1, 5)] == ["0.1", "0.3", "1", "3", "10"]
    assert [text for _, text in axes.log_ticks(-6, 6, 5)] == ["1e-6", "0.001", "1", "1000", "1M"]


@pytest.mark.parametrize(
    ("scale", "labels"),
    [
        (axes.Scale(-3.2, -2.2, log=True), ["1e-3", "2e-3", "5e-3"]),
        (axes.Scale(-4.0, 0.0, log=True), ["1e-4", "1e-3", "0.01", "0.1", "1"]),
        (axes.Scale(0.10, 0.20), ["0.10", "0.15", "0.20"]),
        (axes.Scale(0.385, 0.39), [".386", ".388", ".390"]),
        (axes.Scale(1.385, 1.395), ["1.385", "1.390", "1.395"]),
        (axes.Scale(12.5, 13.0), ["12.6", "12.8", "13.0"]),
    ],
)
def test_an_axis_that_is_looked_at_closely_has_labels_that_fit(scale: axes.Scale, labels: list[str]) -> None:
    """0.001 and 0.125 have no room in the four columns of a label."""
    assert [text for _, text in axes.fitting_ticks(scale, 5 if scale.high == 0 else 4, 4)] == labels


@given(st.floats(-8, 3), st.floats(0.1, 9))
def test_no_label_of_powers_is_left_out(low: float, span: float) -> None:
    ticks = axes.fitting_ticks(axes.Scale(low, low + span, log=True), 6, 4)
    assert all(len(text) <= 5 for _, text in ticks)
    assert len(ticks) >= 2 or len(axes.log_ticks(low, low + span, 6)) < 2 or span < 0.2


@given(st.floats(1e-6, 1e9))
def test_nice_ceiling_is_near_and_above(value: float) -> None:
    assert value * (1 - 1e-6) <= axes.nice_ceiling(value) <= value * 1.29


def test_first_steps_do_not_squash_the_rest() -> None:
    loss = np.concatenate(([9.0, 7.0, 5.0], np.linspace(1.6, 1.4, 197)))
    least, greatest = robust_range(loss, loss)
    assert least == 1.4
    assert greatest < 2.0
    assert robust_range(loss, loss, whole=True) == (1.4, 9.0)


def test_ordinary_spread_is_shown_whole() -> None:
    values = np.linspace(1, 2, 200)
    assert robust_range(values, values) == (1.0, 2.0)


def test_the_threshold_is_taken_in_unless_it_squeezes() -> None:
    values = np.linspace(1, 2, 50)
    assert axes.visible_range([(values, values)], log=False, threshold=2.5) == (1.0, 2.5)
    assert axes.visible_range([(values, values)], log=False, threshold=50.0) == (1.0, 2.0)
    assert axes.visible_range([(values[:0], values[:0])], log=True, threshold=10.0) == (0.0, 2.0)


def test_log_range_leaves_out_what_has_no_logarithm() -> None:
    values = np.array([-1.0, 0.0, math.nan, 1.0, 100.0])
    assert axes.visible_range([(values, values)], log=True) == (0.0, 2.0)


@pytest.mark.parametrize("last", [30.0, 1e4, 1e300])
def test_a_run_that_diverges_does_not_squeeze_the_others(last: float) -> None:
    first, second = np.linspace(4.2, 1.4, 200), np.linspace(4.2, 1.6, 200)
    gone = np.concatenate([[4.2, 5.0], np.linspace(min(last, 1e3) / 2, last, 198)])
    for order in ([gone, first, second], [first, gone, second]):
        low, high = axes.visible_range([(one, one) for one in order], log=False)
        assert low == pytest.approx(1.4) and 4.2 <= high <= 5.0, "the others take up most of the height"
        assert axes.visible_range([(one, one) for one in order], log=False, whole=True)[1] == last


def test_a_run_that_ended_in_a_cross_ends_the_axis_sooner_than_one_that_only_lags() -> None:
    first, second = np.linspace(4.2, 1.4, 200), np.linspace(9.0, 7.0, 200)
    runs = [(first, first), (second, second)]
    assert axes.visible_range(runs, log=False)[1] == pytest.approx(9.0)
    assert axes.visible_range(runs, log=False, lost=[False, True])[1] == pytest.approx(4.9)
    assert axes.visible_range(runs, log=False, lost=[True, True])[1] == pytest.approx(9.0), "then nothing is squeezed"


def test_curves_that_lie_apart_are_all_shown() -> None:
    near, apart = np.linspace(1.6, 1.4, 200), np.linspace(2.6, 2.5, 200)
    assert axes.visible_range([(near, near), (apart, apart)], log=False) == pytest.approx((1.4, 2.6))
    one, other = np.array([2.0]), np.array([3.0])  # the first validations
    assert axes.visible_range([(one, one), (other, other)], log=False) == (2.0, 3.0)


def test_a_norm_that_vanishes_or_explodes_does_not_squeeze_the_others() -> None:
    usual = np.geomspace(0.2, 3, 200)
    for last in (1e-12, 1e12):
        gone = np.geomspace(1.0, last, 200)
        low, high = axes.visible_range([(gone, gone), (usual, usual)], log=True)
        assert high - low <= 4 * math.log10(3 / 0.2)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0, 1e9)), min_size=1, max_size=6), st.booleans())
def test_no_runs_range_is_left_out_at_both_ends(spans: list[tuple[float, float]], log: bool) -> None:
    ranges = [(low, low + span) for low, span in spans]
    low, high = joint_range(ranges, [False] * len(ranges), log=log)
    assert low <= high
    assert any((one < high and low < other) or one == other for one, other in ranges) or low == high


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0, 1e3)), min_size=1, max_size=20))
def test_a_settled_axis_holds_what_is_wanted_and_is_not_much_too_large(wanted: list[tuple[float, float]]) -> None:
    current = None
    for low, span in wanted:
        current = axes.settle(current, (low, low + span))
        assert current[0] <= low
        assert low + span <= current[1]
        if span > 1e-3:
            assert current[1] - current[0] <= 2 * span


def test_a_settled_axis_does_not_jitter() -> None:
    first = axes.settle(None, (1.40, 2.40))
    assert all(axes.settle(first, (1.40 + i / 1000, 2.40 - i / 1000)) is first for i in range(100))


def test_zero_is_not_undercut_for_room() -> None:
    assert axes.settle(None, (0.01, 5.0), positive=True)[0] == 0.0


def test_dots_of_zero_fall_below_a_log_axis() -> None:
    rows = axes.Scale(0, 2, log=True).dots(np.array([100.0, 1.0, 0.0, math.nan]), 9)
    assert rows[:2].tolist() == [0.0, 8.0]
    assert rows[2] > 100
    assert math.isnan(rows[3])
