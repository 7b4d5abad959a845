"""The screen after a partial update is the one after Textual's own, cell by cell, and costs far fewer bytes."""

from __future__ import annotations

import io

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual import _compositor
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from rnnplay.tui.textual_patches import partial_updates
from rnnplay.tui.textual_patches.partial_updates import MinimalUpdate
from tests.support.terminal import cells_of

WIDTH = 24
CUT = 10
"""Where one widget ends and the next begins."""

STYLES = [
    None,
    Style(),
    Style(color="#c0caf5", bgcolor="#15161e"),
    Style(color="#7aa2f7", bgcolor="#15161e"),
    Style(color="#7aa2f7", bgcolor="#28344a"),
    Style(color="#7aa2f7", bgcolor="#28344a", bold=True),
    Style(color="#7aa2f7", bgcolor="#28344a", reverse=True),
    Style(color="#7aa2f7", bgcolor="#28344a", underline=True),
    Style(bgcolor="#28344a"),
    Style(color="red"),
    Style(color="red", bgcolor="#15161e", link="https://example.org"),
]

texts = st.text(st.sampled_from("ab  ─⣿本é"), min_size=1, max_size=6)
lines = st.lists(st.tuples(texts, st.sampled_from(STYLES)), max_size=8)
spans = st.tuples(st.integers(0, WIDTH - 1), st.integers(1, WIDTH)).map(
    lambda ends: (min(ends), max(*ends, min(ends) + 1))
)


def strip(parts: list[tuple[str, Style | None]], width: int) -> Strip:
    return Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width, STYLES[2])


def update(kind: type[ChopsUpdate], rows: list[tuple[Strip, Strip]], stretches: list[tuple[int, int]]) -> str:
    """What `kind` sends for one stretch of each row."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False)
    chops = [{0: left, CUT: right} for left, right in rows]
    made = kind(chops, [(y, *ends) for y, ends in enumerate(stretches)], [[CUT, WIDTH]] * len(rows))
    return made.render_segments(console)


def cells(sent: list[str], rows: int) -> list[list[tuple[object, ...]]]:
    """What a terminal shows after that."""
    screen = pyte.Screen(WIDTH, rows)
    stream = pyte.Stream(screen)
    for text in sent:
        stream.feed(text.replace("\n", "\r\n"))
    return cells_of(screen)


@given(st.lists(st.tuples(lines, lines, spans), min_size=1, max_size=3))
def test_the_screen_is_the_same(drawn: list[tuple[list, list, tuple[int, int]]]) -> None:  # type: ignore[type-arg]
    rows = [(strip(left, CUT), strip(right, WIDTH - CUT)) for left, right, _ in drawn]
    stretches = [ends for _, _, ends in drawn]
    whole = update(ChopsUpdate, rows, [(0, WIDTH)] * len(rows))
    wanted = cells([whole], len(rows))
    part = update(MinimalUpdate, rows, stretches)
    assert cells([whole, part], len(rows)) == wanted, "painted over itself, nothing changes"
    alone = cells([part], len(rows))
    for y, (first, end) in enumerate(stretches):
        assert alone[y][first:end] == wanted[y][first:end], "on an empty screen, all that was asked for is there"


def test_a_changed_stretch_of_a_chart_costs_a_fraction() -> None:
    grid, curve = STYLES[2], STYLES[3]
    parts = [("⣿" if at % 2 else " ", curve if at % 2 else grid) for at in range(WIDTH - CUT)]
    rows = [(strip([], CUT), strip(parts, WIDTH - CUT))]
    ours, plain = (len(update(kind, rows, [(WIDTH - 4, WIDTH)])) for kind in (MinimalUpdate, ChopsUpdate))
    assert ours < plain / 5


def test_textual_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compositor, "ChopsUpdate", ChopsUpdate)
    partial_updates.patch_partial_updates()
    assert _compositor.ChopsUpdate is MinimalUpdate
