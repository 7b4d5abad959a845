"""Numbers as shades, blocks, histograms, and tokens in rows: exact, and safe for every number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rnnplay.tui.heatmap.heat_map import LABEL, column_width, label, levels_of, token_row
from rnnplay.tui.heatmap.shades import (
    BAD,
    BLOCKS,
    LEVELS,
    columns,
    fractions,
    glyph,
    level,
    log_bins,
)
from rnnplay.tui.heatmap.token_text import at_column, gap_of, row_of, wrap


def signed_level(value: float) -> int:
    """The signed level of a value of -1 to 1, clamped to -LEVELS to LEVELS; BAD for values that are not finite."""
    if not math.isfinite(value):
        return BAD
    return round(min(max(value, -1.0), 1.0) * LEVELS)


def test_levels() -> None:
    assert [level(share) for share in (0.0, 1e-9, 0.5, 1.0, 7.0)] == [0, 1, 4, 8, 8]
    assert "".join(BLOCKS[level(i / 8)] for i in range(9)) == " ▁▂▃▄▅▆▇█"
    assert level(math.nan) == BAD


def test_signed_levels_have_glyphs_that_differ_by_sign() -> None:
    assert "".join(glyph(signed_level(i / 4)) for i in range(-4, 5)) == "≡==- ░▒▓█"
    assert glyph(signed_level(math.nan)) == "✕"
    assert not {glyph(-i) for i in range(1, 9)} & {glyph(i) for i in range(1, 9)}
    assert glyph(-6, colored=True) == glyph(6)


def test_shares_are_of_the_greatest_finite_value() -> None:
    assert fractions([1.0, 4.0, math.inf])[:2] == [0.25, 1.0]
    assert math.isnan(fractions([1.0, math.inf])[1])
    assert fractions([0.0, 0.0]) == [0.0, 0.0]
    assert fractions([1.0], most=4.0) == [0.25]


@given(st.lists(st.floats(), max_size=40))
def test_any_number_has_a_level(values: list[float]) -> None:
    assert all(0 <= level(share) <= BAD for share in fractions(values))
    assert all(-LEVELS <= signed_level(value) <= BAD for value in values)
    assert levels_of([values]).tolist() == [[signed_level(value) for value in values]]


def test_log_bins_hold_every_value_and_the_threshold() -> None:
    bins = log_bins([0.1, 1.0, 1.0, 10.0, math.nan, 0.0], 3, threshold=100.0)
    assert bins is not None
    assert (bins.low, bins.high, bins.counts, bins.left_out) == (-1.0, 2.0, (1, 2, 1), 2)
    assert bins.place(100.0) == 2
    assert bins.place(1e-3) is None
    assert log_bins([math.inf, -1.0], 10) is None


def test_equal_values_are_one_column() -> None:
    bins = log_bins([2.0] * 7, 5)
    assert bins is not None
    assert sorted(bins.counts) == [0, 0, 0, 0, 7]


@given(st.lists(st.floats(), max_size=60), st.integers(1, 30), st.none() | st.floats())
def test_no_value_is_lost(values: list[float], bins: int, threshold: float | None) -> None:
    held = log_bins(values, bins, threshold if threshold is None or math.isfinite(threshold) else None)
    if held is not None:
        assert sum(held.counts) + held.left_out == len(values)


def test_columns_of_blocks() -> None:
    assert columns([0, 1, 4, 8]) == [" ▁▄█"]
    assert columns([0, 8, 12, 16], rows=2) == ["  ▄█", " ███"]
    assert columns([0, 0], rows=2) == ["  ", "  "]
    assert columns([1, 1000]) == ["▁█"]  # what is not 0 is seen


def test_characters_wrap_at_the_width_and_after_a_newline() -> None:
    rows = wrap("abcd\nef", 3)
    assert ["".join(place.text for place in row) for row in rows] == ["abc", "d⏎", "ef"]
    assert [place.number for place in rows[1]] == [3, 4]
    assert row_of(rows, 4) == 1


def test_words_stand_apart() -> None:
    words = ["Once", "there", "was"]
    rows = wrap(words, 11, gap=gap_of(words))
    assert [[(place.column, place.text) for place in row] for row in rows] == [
        [(0, "Once"), (5, "there")],
        [(0, "was")],
    ]
    assert gap_of("abc") == 0
    assert at_column(rows[0], 4) == 0
    assert at_column(rows[0], 50) == 1
    assert at_column([], 3) is None


@given(st.lists(st.text(max_size=6), max_size=30), st.integers(1, 20))
def test_rows_are_never_wider_than_the_screen(tokens: list[str], width: int) -> None:
    rows = wrap(tokens, max(width, 2))
    for row in rows:
        assert sum(cell_len(place.text) for place in row) <= max(width, 2)
    assert [place.number for row in rows for place in row] == list(range(len(tokens)))


@pytest.mark.parametrize(
    ("tokens", "room", "width"), [("abc", 100, 3), ("abc" * 100, 100, 1), (["Once", "was"], 10, 5)]
)
def test_columns_fill_the_room(tokens: list[str], room: int, width: int) -> None:
    assert column_width(tokens, room) == width


def test_tokens_under_their_columns() -> None:
    assert token_row("a b\n", 1) == "a␣b⏎"
    assert token_row("猫a", 1) == "…a"
    assert token_row(["there", "was"], 5) == "the… was  "
    assert label(17, 0.834) == "  17  +0.83 "
    assert len(label(1023, -1.0)) == LABEL
    assert label(3, math.nan) == "   3      – "
