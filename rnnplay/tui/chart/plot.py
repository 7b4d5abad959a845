"""A plot as characters: curves, axes, threshold, marks and cursor on a grid of cells, each with a character and an ink.

Pure: what to draw goes in, two arrays come out; the widget turns them into coloured strips and compares them with the
last ones, so that only what changed is sent to the terminal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnplay.tui.chart import braille, decorations
from rnnplay.tui.chart.axes import Scale
from rnnplay.tui.chart.canvas import CURSOR, Frame, Layout, blank, ink
from rnnplay.tui.chart.history import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_DASHES = ((1, 1), (6, 8), (2, 4))  # of how many columns how many are drawn


@dataclass(frozen=True, slots=True)
class Curve:
    """A series in the window of the plot, two columns of dots a cell."""

    columns: Columns
    token: str
    smooth: bool = True
    """The smoothed line in full colour over the raw values, faint; else the raw values in full colour."""
    dots: bool = False
    """Points that are not joined."""
    dash: int = 0
    """0 solid, 1 and 2 dashed: for terminals without colour."""


@dataclass(frozen=True, slots=True)
class Plot:
    """All that is to be drawn."""

    curves: Sequence[Curve]
    lo_step: float
    hi_step: float
    scale: Scale
    threshold: float | None = None
    threshold_label: str = ""
    marks: Sequence[decorations.Mark] = ()
    cursor: int | None = None
    """The cell column of the cursor, counted from the plot's left edge."""


def draw(plot: Plot, layout: Layout) -> Frame:
    """`plot` in the cells of `layout`; there may be none, where a window is very small."""
    if not layout.width or not layout.height:
        return blank(layout)
    window = plot.lo_step, plot.hi_step
    frame = decorations.draw_axes(layout, plot.scale, *window).copy()
    area = frame.area()
    for mark in plot.marks:
        decorations.draw_mark_line(area, mark, *window)
    if plot.cursor is not None and 0 <= plot.cursor < layout.columns:
        area.characters[:, plot.cursor] = ord("│")
        area.inks[:, plot.cursor] = CURSOR

    lines = _draw_curves(area, plot)
    for curve in plot.curves:
        if curve.dots:
            _draw_points(area, curve, plot.scale)
    if plot.threshold is not None and plot.threshold_label:
        decorations.draw_threshold_label(area, plot.scale, plot.threshold, plot.threshold_label, lines)
    for mark in plot.marks:
        decorations.draw_mark_label(area, mark, *window)
    decorations.draw_divergence(area, [(curve.columns.bad, curve.columns.mean) for curve in plot.curves])
    return frame


def _draw_curves(area: Frame, plot: Plot) -> Array:
    """Raw values, the threshold over them, lines over both; returns which cells a line passes, bool (rows, columns)."""
    import numpy as np

    rows = len(area.characters)
    parts: list[tuple[Curve, bool, bool]] = []  # whether smoothed, whether behind
    for curve in plot.curves:
        smooth = curve.smooth and not curve.dots
        parts += [(curve, False, True), (curve, True, False)] if smooth else [(curve, False, False)]
    outlines = [_outline(curve, plot.scale, rows, smooth=smooth) for curve, smooth, _ in parts]
    top, bottom = braille.spans(outlines, 4 * rows)
    for row, (curve, _, _) in zip(top, parts, strict=True):
        if curve.dash:
            on, period = _DASHES[curve.dash % len(_DASHES)]
            row[np.arange(len(row)) % period >= on] = 4 * rows + 1
    layers = list(zip(braille.pack(top, bottom, rows), parts, strict=True))
    if raw := [(dots, ink(curve.token, faint=True)) for dots, (curve, _, back) in layers if back]:
        _draw_layers(area, raw)
    lines = [(dots, ink(curve.token)) for dots, (curve, _, back) in layers if not back]
    if plot.threshold is not None:
        for dots, _ in lines:
            decorations.draw_threshold_line(area, plot.scale, plot.threshold, dots)
    # Where a line passes, the raw values behind it are left out: it reads clean, with a small halo.
    return _draw_layers(area, lines)


def _draw_layers(area: Frame, layers: list[tuple[Array, int]]) -> Array:
    """Curves of one depth: a cell has the dots of them all, and the ink of the last that passes it."""
    dots = layers[0][0].copy()
    for more, _ in layers[1:]:
        dots |= more
    drawn: Array = dots > 0
    area.characters[drawn] = dots[drawn].astype(area.characters.dtype) + braille.BRAILLE
    for own, ink_ in layers:
        area.inks[own > 0] = ink_
    return drawn


def _outline(curve: Curve, scale: Scale, rows: int, *, smooth: bool) -> braille.Outline:
    """What the curve's dot columns hold."""
    columns, height = curve.columns, 4 * rows
    if smooth:
        upper = lower = scale.dots(columns.smooth, height)
    else:
        upper, lower = scale.dots(columns.high, height), scale.dots(columns.low, height)
    before, after = (
        None if end is None else (end[0], scale.place(end[2 if smooth else 1]) * (height - 1))
        for end in (columns.before, columns.after)
    )
    return braille.outline(upper, lower, columns.bad, before=before, after=after, joined=not curve.dots)


def _draw_points(area: Frame, curve: Curve, scale: Scale) -> None:
    """Sparse points as squares of 2×2 dots, exact to a dot's height: a single dot is easily overlooked."""
    rows, columns = area.characters.shape
    mean = curve.columns.mean
    held = (mean == mean).nonzero()[0]
    if 3 * len(held) > columns:
        return
    heights = scale.dots(mean[held], 4 * rows)
    for column, height in zip((held // 2).tolist(), heights.tolist(), strict=True):
        cells: dict[int, int] = {}
        for dot in (math.floor(height), math.floor(height) + 1):
            cells[dot // 4] = cells.get(dot // 4, 0) | sum(braille.DOT_BITS[dot % 4])
        for row, bits in cells.items():
            if 0 <= row < rows:
                area.characters[row, column] = braille.BRAILLE + bits
                area.inks[row, column] = ink(curve.token)
