"""The history of a metric: thinned without losing extremes or NaNs, smoothed as it goes, cut back exactly."""

from __future__ import annotations

import math
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnplay.tui.chart.history import SMOOTHINGS, History

values = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf]))
walks = st.lists(st.tuples(st.integers(1, 9), values), min_size=1, max_size=400)


def points_of(walk: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Steps that rise by the given gaps."""
    steps = np.cumsum([gap for gap, _ in walk]).tolist()
    return [(step, value) for step, (_, value) in zip(steps, walk, strict=True)]


def small(buckets: int = 8) -> History:
    """A history that thins early."""
    return History(recent=16, buckets=buckets)


def average(xs: list[float], decay: float) -> list[float]:
    """The moving average as it is defined, point by point."""
    average, out = 0.0, []
    for t, x in enumerate(xs):
        average += (x - average) * max(1 - decay, 10 / (10 + t))
        out.append(average)
    return out


@given(walks)
def test_all_of_it_in_one_column_keeps_extremes_and_non_finite(walk: list[tuple[int, float]]) -> None:
    # Thinning may blur where a value was, never that it was.
    points, history = points_of(walk), small()
    history.extend(points)
    columns = history.columns(0, points[-1][0] + 1, 1)
    finite = [value for _, value in points if math.isfinite(value)]
    assert columns.bad[0] == (len(finite) < len(points))
    if finite:
        assert (columns.low[0], columns.high[0]) == (min(finite), max(finite))
        assert columns.mean[0] == pytest.approx(sum(finite) / len(finite), rel=1e-6, abs=1e-3)
        assert history.range() == (min(finite), max(finite))
    else:
        assert math.isnan(columns.low[0])
        assert history.range() is None


@given(walks, st.integers(1, 50))
def test_columns_of_points_still_held_whole_are_exact(walk: list[tuple[int, float]], n: int) -> None:
    points, history = points_of(walk), History(recent=512)
    history.extend(points)
    hi = points[-1][0] + 1
    columns = history.columns(0, hi, n)
    width = hi / n
    for i in range(n):
        held = [value for step, value in points if i * width <= step < (i + 1) * width]
        finite = [value for value in held if math.isfinite(value)]
        assert columns.bad[i] == (len(finite) < len(held))
        assert math.isnan(columns.low[i]) == (not finite)
        if finite:
            assert (columns.low[i], columns.high[i]) == (min(finite), max(finite))


@given(walks, st.lists(st.integers(0, 400), max_size=4))
def test_reading_in_between_changes_nothing(walk: list[tuple[int, float]], reads: list[int]) -> None:
    # Points are absorbed in batches at each reading: however they fall, the picture is the same.
    points = points_of(walk)
    at_once, in_parts = small(), small()
    at_once.extend(points)
    for i, (step, value) in enumerate(points):
        in_parts.append(step, value)
        if i in reads:
            in_parts.columns(0, step + 1, 4)
    hi = points[-1][0] + 1
    for a, b in zip(_arrays(at_once, hi), _arrays(in_parts, hi), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-3)


def _arrays(history: History, hi: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    columns = history.columns(0, hi, 12)
    return [columns.low, columns.high, columns.mean, columns.smooth, columns.bad.astype(float)]


@given(walks, st.integers(0, 60))
def test_cut_in_the_recent_window_is_as_if_never_added(walk: list[tuple[int, float]], back: int) -> None:
    points = points_of(walk)
    cut = points[max(0, len(points) - 1 - back)][0]
    history, never = History(recent=64, buckets=8), History(recent=64, buckets=8)
    history.extend(points)
    history.columns(0, 10, 2)
    history.cut_after(cut)
    kept = [(step, value) for step, value in points if step <= cut]
    never.extend(kept)
    assert history.last_step == cut
    assert history.last == pytest.approx(kept[-1][1], nan_ok=True)
    assert history.smoothed() == pytest.approx(never.smoothed(), rel=1e-6, abs=1e-3, nan_ok=True)
    # The buckets may be wider than they would have been; together they hold the same.
    for a, b in zip(history.columns(0, cut + 1, 1).low, never.columns(0, cut + 1, 1).low, strict=True):
        assert a == pytest.approx(b, nan_ok=True)
    assert len(history) == len(kept)


def test_deep_cut_drops_what_came_after() -> None:
    history = small(buckets=64)
    history.extend((step, 1.0 if step <= 300 else math.nan) for step in range(1, 2001))
    history.cut_after(300)
    columns = history.columns(0, 400, 4)
    assert history.last_step is not None and 0 < history.last_step <= 300
    assert not columns.bad.any()
    assert columns.high[0] == 1.0
    history.append(301, 2.0)
    assert history.last == 2.0
    assert history.columns(0, 400, 1).high[0] == 2.0


def test_a_step_again_replaces_what_was_there() -> None:
    # A resumed run sends the steps after its checkpoint once more.
    history = History()
    history.extend((step, 1.0) for step in range(1, 11))
    history.append(6, 5.0)
    assert history.last_step == 6
    assert len(history) == 6
    assert history.latest(2).tolist() == [1.0, 5.0]


def test_cut_before_the_first_step_empties() -> None:
    history = History()
    history.append(5, 1.0)
    history.cut_after(2)
    assert history.last_step is None
    assert math.isnan(history.last)
    assert history.columns(0, 10, 3).empty
    history.append(3, 4.0)
    assert history.first_step == 3


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=600), st.integers(1, 700))
@settings(max_examples=30)
def test_average_is_the_recurrence_however_it_is_batched(xs: list[float], batch: int) -> None:
    history = History(recent=1000)
    for step, x in enumerate(xs):
        history.append(step, x)
        if step % batch == 0:
            history.smoothed()
    for level, decay in enumerate(SMOOTHINGS):
        expected = average(xs, decay)
        assert history.smoothed(level) == pytest.approx(expected[-1], rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(history.columns(0, len(xs), len(xs), level).smooth, expected, atol=1e-9)


def test_average_ignores_nan_and_leaves_a_gap() -> None:
    history = History()
    history.extend(enumerate([2.0, math.nan, math.inf, 2.0, 2.0]))
    smooth = history.columns(0, 5, 5).smooth
    assert smooth[[0, 3, 4]].tolist() == [2.0, 2.0, 2.0]
    assert np.isnan(smooth[[1, 2]]).all()


def test_geometric_average_is_hardly_moved_by_one_spike() -> None:
    plain, geometric = History(), History(geometric=True)
    for history in (plain, geometric):
        history.extend((step, 1e9 if step == 900 else 1.0) for step in range(1, 1001))
    assert plain.smoothed() > 1e5
    assert geometric.smoothed() == pytest.approx(1.0, abs=0.2)


def test_geometric_average_survives_zeros() -> None:
    history = History(geometric=True)
    history.extend(enumerate([0.0, 4.0, 0.0, -1.0, 4.0]))
    smooth = history.columns(0, 5, 5).smooth
    assert math.isnan(smooth[0])
    assert smooth[1:].tolist() == pytest.approx([4.0] * 4)
    assert history.columns(0, 5, 1).low[0] == -1.0


def test_neighbours_outside_of_the_window() -> None:
    history = History()
    history.extend([(10, 1.0), (20, 2.0), (30, math.nan)])
    columns = history.columns(12, 18, 6)
    assert columns.before is not None and columns.before[:2] == (-2.0, 1.0)
    assert columns.after is not None and columns.after[:2] == (8.0, 2.0)
    assert history.columns(22, 28, 6).after is None  # what is not finite joins to nothing


def test_what_is_never_looked_at_stays_small() -> None:
    history, before = History(), sys.getallocatedblocks()
    for step in range(60_000):
        history.append(step, step + 0.5)
    assert sys.getallocatedblocks() - before < 15_000  # a float and an int for each point would be 120,000


def test_a_million_points_cost_what_a_thousand_do() -> None:
    history = History()
    for start in range(0, 1_000_000, 50_000):
        history.extend((step, math.sin(step / 1e4)) for step in range(start, start + 50_000))
    history.columns(0, 1_000_000, 240)
    held = history._recent.nbytes + history._buckets.nbytes
    assert held < 1_000_000
    assert len(history) == 1_000_000
    started = time.process_time()
    for _ in range(50):
        columns = history.columns(0, 1_000_000, 240)
    assert (time.process_time() - started) / 50 < 0.005  # about 0.2 ms
    np.testing.assert_allclose(columns.mean, np.sin((np.arange(240) + 0.5) / 240 * 100), atol=0.2)
