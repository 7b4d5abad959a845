"""A plot as characters: axes, curves, threshold, marks and cursor on a grid of cells with characters and inks.

Pure functions from a Plot to two arrays; the widget turns them into coloured strips and compares them with the previous
ones, so that only changes are sent to the terminal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnplay.tui.chart import braille
from rnnplay.tui.chart.axes import Scale, column_of, draw_axes, row_of
from rnnplay.tui.chart.canvas import CURSOR, DIVERGENCE, THRESHOLD, Frame, Layout, blank, ink
from rnnplay.tui.chart.history import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MARK_CELLS = 12
"""Cells between two marks of a run on its curve."""

_DASHES = ((1, 1), (6, 8), (2, 4))  # (columns drawn, columns of a period)


@dataclass(frozen=True, slots=True)
class Curve:
    """A series in the window of the plot, two columns of dots per cell."""

    columns: Columns
    token: str
    smooth: bool = True
    """The smoothed line in full colour over the faint raw values; otherwise the raw values in full colour."""
    dots: bool = False
    """Points without lines between them."""
    raw: bool = True
    """Whether the raw values are drawn behind the smoothed line."""
    mark: str = ""
    """A character on the line every so often, or on each point."""
    end: str = ""
    """A character at the last value in the window."""
    dash: int = 0
    """0 solid, 1 and 2 dashed: for terminals without colour."""

    @property
    def drawn(self) -> Array:
        """The values of the line or the points, one per column of dots; NaN: none."""
        return self.columns.smooth if self.smooth and not self.dots else self.columns.mean


@dataclass(frozen=True, slots=True)
class Mark:
    """An event: a dashed vertical line at `step` with its label at the top, or without a label a tick at the bottom."""

    step: int
    label: str = ""
    style: str = "muted"
    """One of canvas.TOKENS."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that is drawn."""

    curves: Sequence[Curve]
    lo_step: float
    hi_step: float
    scale: Scale
    threshold: float | None = None
    threshold_label: str = ""
    marks: Sequence[Mark] = ()
    cursor: int | None = None
    """The cell column of the cursor, counted from the left edge of the plot."""
    unit: float = 1.0
    """What a step is on the horizontal axis."""


def draw(plot: Plot, layout: Layout) -> Frame:
    """Draws `plot` in the cells of `layout`, of which a very small window has none."""
    if not layout.width or not layout.height:
        return blank(layout)
    window = plot.lo_step, plot.hi_step
    frame = draw_axes(layout, plot.scale, *window, plot.unit).copy()
    area = frame.area()
    for mark in plot.marks:
        _draw_mark_line(area, mark, *window)
    if plot.cursor is not None and 0 <= plot.cursor < layout.columns:
        area.characters[:, plot.cursor] = ord("│")
        area.inks[:, plot.cursor] = CURSOR

    lines = _draw_curves(area, plot)
    for curve in plot.curves:
        if curve.dots:
            _draw_points(area, curve, plot.scale)
    for number, curve in enumerate(plot.curves):
        _draw_run_marks(area, curve, plot.scale, (number + 0.5) / len(plot.curves))
    for curve in plot.curves:
        _draw_end(area, curve, plot.scale)  # last: no mark of another curve hides it
    if plot.threshold is not None and plot.threshold_label:
        _draw_threshold_label(area, plot.scale, plot.threshold, plot.threshold_label, lines)
    for mark in plot.marks:
        _draw_mark_label(area, mark, *window)
    _draw_divergence(area, [(curve.columns.bad, curve.columns.mean) for curve in plot.curves])
    return frame


def _draw_curves(area: Frame, plot: Plot) -> Array:
    """Draws raw values, then the threshold, then lines; returns the cells of the lines, bool (rows, columns)."""
    import numpy as np

    rows = len(area.characters)
    parts: list[tuple[Curve, bool, bool]] = []  # (curve, smoothed, behind)
    for curve in plot.curves:
        smooth = curve.smooth and not curve.dots
        parts += [(curve, False, True)] if smooth and curve.raw else []
        parts.append((curve, smooth, False))
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
            _draw_threshold_line(area, plot.scale, plot.threshold, dots)
    # A line hides the raw values in its cells, which leaves a small halo around it.
    return _draw_layers(area, lines)


def _draw_layers(area: Frame, layers: list[tuple[Array, int]]) -> Array:
    """Draws curves of one depth: a cell has the dots of all of them and the ink of the last one in it."""
    dots = layers[0][0].copy()
    for more, _ in layers[1:]:
        dots |= more
    drawn: Array = dots > 0
    area.characters[drawn] = dots[drawn].astype(area.characters.dtype) + braille.BRAILLE
    for own, ink_ in layers:
        area.inks[own > 0] = ink_
    return drawn


def _outline(curve: Curve, scale: Scale, rows: int, *, smooth: bool) -> braille.Outline:
    """The outline of the curve's dot columns."""
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
    """Draws sparse points as squares of 2×2 dots, at the exact dot row: a single dot is easily overlooked."""
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


def _draw_run_marks(area: Frame, curve: Curve, scale: Scale, phase: float) -> None:
    """Draws the mark of a curve on it every MARK_CELLS cells, from `phase` (0 to 1) of them on."""
    values = curve.drawn
    held = (values == values).nonzero()[0]
    if not curve.mark or not len(held):
        return
    cells = held // 2
    places = scale.dots(values[held], 4 * len(area.characters))
    if curve.dots and 3 * len(held) <= 2 * len(values):
        chosen = list(range(len(held)))
    else:
        wanted = range(int(phase * MARK_CELLS), int(cells[-1]) + 1, MARK_CELLS)
        chosen = [at for cell in wanted if (at := int(cells.searchsorted(cell))) < len(cells)]
    for at in chosen:
        _put_at(area, int(cells[at]), float(places[at]), curve.mark, ink(curve.token))


def _draw_end(area: Frame, curve: Curve, scale: Scale) -> None:
    """Draws the mark at the end of a curve that has one."""
    values = curve.drawn
    held = (values == values).nonzero()[0]
    if curve.end and len(held):
        place = scale.dots(values[held[-1:]], 4 * len(area.characters))[0]
        _put_at(area, int(held[-1]) // 2, float(place), curve.end, ink(curve.token))


def _put_at(area: Frame, column: int, dot: float, character: str, ink_: int) -> None:
    """Puts a character at the height of a dot; above the plot: in its top row, as the curve has left it there."""
    row = 0 if dot < 0 else round(dot) // 4 if dot < 1e6 else -1
    if 0 <= row < len(area.characters):
        area.characters[row, column] = ord(character)
        area.inks[row, column] = ink_


def _draw_mark_line(area: Frame, mark: Mark, lo_step: float, hi_step: float) -> None:
    """Draws the line or tick of `mark`, before the curves."""
    columns = area.characters.shape[1]
    column = column_of(mark.step, lo_step, hi_step, columns)
    if not 0 <= column < columns:
        return
    if mark.label:
        area.characters[:, column] = ord("┊")
        area.inks[:, column] = ink(mark.style, faint=True)
    else:
        area.put(len(area.characters) - 1, column, "╵", ink(mark.style))


def _draw_mark_label(area: Frame, mark: Mark, lo_step: float, hi_step: float) -> None:
    """Draws the label of `mark` right of its line or, at the right edge, left of it."""
    columns = area.characters.shape[1]
    column = column_of(mark.step, lo_step, hi_step, columns)
    if mark.label and 0 <= column < columns:
        fits = column + len(mark.label) <= columns
        area.put(0, column if fits else max(0, column + 1 - len(mark.label)), mark.label, ink(mark.style))


def _draw_threshold_line(area: Frame, scale: Scale, threshold: float, lines: Array) -> None:
    """Draws a dash in every other cell at the height of its dot: exact against the curves, and unlike any of them.

    It hides raw values behind it; its bits are added to the dots of `lines` (rows, columns), which are drawn later in
    their own ink.
    """
    rows = len(area.characters)
    place = scale.place(threshold)
    if 0 <= place <= 1:
        dot = round(place * (4 * rows - 1))
        row, bits = dot // 4, sum(braille.DOT_BITS[dot % 4])
        area.characters[row, ::2] = braille.BRAILLE + bits
        area.inks[row, ::2] = THRESHOLD
        lines[row, ::2][lines[row, ::2] > 0] |= bits


def _draw_threshold_label(area: Frame, scale: Scale, threshold: float, label: str, lines: Array) -> None:
    """Puts `label` at the right end of the line, or a little to its left where it hides no curve.

    `lines` (rows, columns) are the cells of the curves. If the threshold is outside the plot, an arrow points to it.
    """
    rows, columns = area.characters.shape
    place = scale.place(threshold)
    row = 0 if place < 0 else rows - 1 if place > 1 else row_of(place, rows)
    text = f" {label}{' ↑' if place < 0 else ' ↓' if place > 1 else ''}"[:columns]
    last = columns - len(text)
    start = next((s for s in range(last, last // 2, -1) if not lines[row, s : s + len(text)].any()), last)
    area.put(row, start, text, THRESHOLD)


def _draw_divergence(area: Frame, curves: Sequence[tuple[Array, Array]]) -> None:
    """Draws ✕ at the top where the values of a curve cease to be finite, and a dashed line while they are not.

    Each curve is (bad, mean), two columns per cell: whether a value in the column was not finite (bool), and the mean
    of the finite ones (NaN: none).
    """
    import numpy as np

    if not any(bad.any() for bad, _ in curves):
        return
    either = np.logical_or.reduce([_stretches(bad, mean) for bad, mean in curves])
    cells = either[0::2] | either[1::2]
    first = cells.copy()
    first[1:] &= ~cells[:-1]
    area.characters[0, cells] = ord("╌")
    area.characters[0, first] = ord("✕")
    area.inks[0, cells] = DIVERGENCE


def _stretches(bad: Array, mean: Array) -> Array:
    """`bad`, extended over columns without a value between two bad ones: steps may be farther apart than columns."""
    import numpy as np

    every = np.arange(len(bad))
    told = bad | (mean == mean)
    former = np.maximum.accumulate(np.where(told, every, 0))
    latter = np.minimum.accumulate(np.where(told, every, len(bad) - 1)[::-1])[::-1]
    stretches: Array = bad[former] & bad[latter]
    return stretches
