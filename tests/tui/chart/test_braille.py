"""The braille rasteriser, against one that goes dot by dot."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnnplay.tui.chart import braille

NAN = math.nan


def rows_of(
    upper: list[float],
    lower: list[float] | None = None,
    *,
    rows: int,
    broken: list[bool] | None = None,
    before: tuple[float, float] | None = None,
    after: tuple[float, float] | None = None,
    joined: bool = True,
) -> list[str]:
    """The cells of a curve as text."""
    outline = braille.outline(
        np.array(upper),
        np.array(upper if lower is None else lower),
        np.array(broken or [False] * len(upper)),
        before=before,
        after=after,
        joined=joined,
    )
    cells = braille.pack(*braille.spans([outline], 4 * rows), rows)[0].tolist()
    return ["".join(chr(braille.BRAILLE + cell) for cell in row) for row in cells]


def naive(upper: list[float], lower: list[float], broken: list[bool], height: int) -> set[tuple[int, int]]:
    """The dots (row, column) of a curve, by loops alone."""
    n = len(upper)
    spans: list[tuple[int, int] | None] = [None] * n
    joined = [False] * n  # joined[i]: column i is to touch column i + 1
    held = [i for i in range(n) if not math.isnan(upper[i])]

    def clamp(y: float) -> int:
        return int(np.rint(min(max(y, -1), height)))

    for i in held:
        spans[i] = clamp(upper[i]), clamp(lower[i])
    for a, b in pairwise(held):
        if any(broken[a : b + 1]):
            continue
        for i in range(a, b):
            joined[i] = True
            if i > a:
                share = (i - a) / (b - a)
                spans[i] = (
                    clamp(upper[a] + share * (upper[b] - upper[a])),
                    clamp(lower[a] + share * (lower[b] - lower[a])),
                )
    dots = set()
    for i, span in enumerate(spans):
        if span is not None:
            dots |= {(row, i) for row in range(span[0], span[1] + 1)}
    for i in range(n - 1):
        left, right = spans[i], spans[i + 1]
        if not joined[i] or left is None or right is None:
            continue
        if right[0] > left[1] + 1:  # falls
            half = (left[1] + right[0]) // 2
            dots |= {(row, i) for row in range(left[1], half + 1)}
            dots |= {(row, i + 1) for row in range(half + 1, right[0] + 1)}
        elif left[0] > right[1] + 1:  # rises
            half = (right[1] + left[0]) // 2
            dots |= {(row, i + 1) for row in range(right[1], half + 1)}
            dots |= {(row, i) for row in range(half + 1, left[0] + 1)}
    return {(row, column) for row, column in dots if 0 <= row < height}


heights = st.one_of(st.just(NAN), st.integers(-12, 30).map(float), st.floats(-3, 20).map(lambda y: round(y, 3)))
columns = st.lists(st.tuples(heights, st.integers(0, 6), st.booleans()), min_size=1, max_size=12)


@given(columns, st.integers(1, 4))
def test_same_dots_as_the_naive_rasteriser(drawn: list[tuple[float, int, bool]], rows: int) -> None:
    upper = [y for y, _, _ in drawn] * 2
    lower = [y + extent for y, extent, _ in drawn] * 2
    broken = [flag and i % 3 == 0 for i, (_, _, flag) in enumerate(drawn)] * 2
    curve = np.array(upper), np.array(lower), np.array(broken)
    outlines = [braille.outline(*(part[::-1] for part in curve)), braille.outline(*curve)]
    cells = braille.pack(*braille.spans(outlines, 4 * rows), rows)[1]
    dots = {
        (4 * row + y, 2 * column + x)
        for row in range(rows)
        for column in range(len(upper) // 2)
        for y in range(4)
        for x in range(2)
        if cells[row, column] & braille.DOT_BITS[y][x]
    }
    assert dots == naive(upper, lower, broken, 4 * rows)


def test_a_level_line() -> None:
    assert rows_of([0.0] * 4, rows=1) == ["⠉⠉"]
    assert rows_of([3.0] * 4, rows=1) == ["⣀⣀"]
    assert rows_of([5.0] * 4, rows=2) == ["⠀⠀", "⠒⠒"]


def test_a_falling_line_has_no_holes() -> None:
    assert rows_of([0.0, 0.0, 7.0, 7.0], rows=2) == ["⢹⠀", "⠀⣇"]


def test_points_far_apart_are_joined_straight() -> None:
    assert rows_of([0.0, NAN, NAN, 3.0], rows=1) == ["⠑⢄"]


def test_nothing_is_joined_across_a_break() -> None:
    assert rows_of([0.0, NAN, NAN, 3.0], rows=1, broken=[False, True, False, False]) == ["⠁⢀"]
    assert rows_of([0.0, 3.0], rows=1, broken=[False, True]) == ["⢁"]


def test_points_alone_are_not_joined() -> None:
    assert rows_of([0.0, NAN, NAN, 3.0], rows=1, joined=False) == ["⠁⢀"]


def test_a_band_is_filled() -> None:
    assert rows_of([0.0, 1.0], [3.0, 2.0], rows=1) == ["⡷"]


def test_neighbours_outside_of_the_window_are_joined_to() -> None:
    assert rows_of([NAN] * 4, rows=1, before=(-3.0, 2.0), after=(9.0, 2.0)) == ["⠤⠤"]
    assert rows_of([NAN] * 4, rows=1, before=(-3.0, 2.0)) == ["⠀⠀"]
    assert rows_of([NAN, 2.0, NAN, NAN], rows=1, before=(-3.0, 2.0)) == ["⠤⠀"]


def test_what_is_out_of_sight_leaves_at_the_edge() -> None:
    assert rows_of([2.0, 2.0, -400.0, 2.0], rows=1) == ["⠴⠱"]
