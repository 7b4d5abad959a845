"""Lines and single values over a horizontal axis with labels of its own. Pure functions; the command line prints them.

The horizontal axis goes from 0 to 1; what is drawn on it is placed by whoever knows what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rnnplay.tui.chart import braille
from rnnplay.tui.chart.axes import Scale, draw_y_axis, row_of, settle
from rnnplay.tui.chart.canvas import AXIS, LABEL, Frame, Layout, blank, ink


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points (x, y), by rising x."""

    points: Sequence[tuple[float, float]]
    token: str = "primary"
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A value, drawn as `mark`; with an interval from `low` to `high`."""

    x: float
    y: float
    mark: str = "●"
    token: str = "primary"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A vertical line at `x`, with a label at its top."""

    x: float
    label: str
    token: str = "muted"


@dataclass(frozen=True, slots=True)
class ValuePlot:
    """Everything that is drawn."""

    ticks: Sequence[tuple[float, str]]
    """Places on the horizontal axis, 0 to 1, with their labels."""
    lines: Sequence[Line] = ()
    spots: Sequence[Spot] = ()
    rules: Sequence[Rule] = ()
    y_range: tuple[float, float] | None = field(default=None)
    """What the vertical axis shows; None for all values."""

    @property
    def empty(self) -> bool:
        """Whether there is no value to draw."""
        return not any(math.isfinite(value) for value in self._values())

    def scale(self) -> Scale:
        """The vertical axis."""
        finite = [value for value in self._values() if math.isfinite(value)]
        return Scale(*settle(None, self.y_range or (min(finite), max(finite)), positive=True))

    def _values(self) -> Iterable[float]:
        for line in self.lines:
            yield from (y for _, y in line.points)
        for spot in self.spots:
            yield from (value for value in (spot.y, spot.low, spot.high) if value is not None)


def draw(plot: ValuePlot, layout: Layout) -> Frame:
    """Draws `plot`, which has at least one value, in the cells of `layout`."""
    frame = blank(layout)
    if not layout.width or not layout.height:
        return frame
    scale = plot.scale()
    if frame.layout.left:
        draw_y_axis(frame, scale)
    _draw_x_axis(frame, plot.ticks)
    area = frame.area()
    for rule in plot.rules:
        column = _column(rule.x, layout.columns)
        area.characters[:, column] = ord("┊")
        area.inks[:, column] = ink(rule.token, faint=True)
    for line in plot.lines:
        _draw_line(area, line, scale)
    for spot in plot.spots:
        _draw_spot(area, spot, scale)
    taken: list[int] = []
    for rule in plot.rules:
        _label_rule(area, rule, taken)
    return frame


def _column(x: float, columns: int) -> int:
    return max(0, min(columns - 1, round(x * (columns - 1))))


def _draw_line(area: Frame, line: Line, scale: Scale) -> None:
    import numpy as np

    rows, columns = area.characters.shape
    held = [(x, y) for x, y in line.points if math.isfinite(y)]
    if not held:
        return
    xs, ys = np.array(held).T
    places = np.arange(2 * columns) / max(1, 2 * columns - 1)
    values = np.interp(places, xs, ys, left=np.nan, right=np.nan)
    if len(held) == 1:
        values[int(np.abs(places - xs[0]).argmin())] = ys[0]
    dots = scale.dots(values, 4 * rows)
    drawn = braille.outline(dots, dots, np.zeros(2 * columns, bool))
    cells = braille.pack(*braille.spans([drawn], 4 * rows), rows)[0]
    on = cells > 0
    area.characters[on] = cells[on].astype(area.characters.dtype) + braille.BRAILLE
    area.inks[on] = ink(line.token, faint=line.faint)


def _draw_spot(area: Frame, spot: Spot, scale: Scale) -> None:
    rows, columns = area.characters.shape
    column = _column(spot.x, columns)
    if spot.low is not None and spot.high is not None:
        top, bottom = row_of(scale.place(spot.high), rows), row_of(scale.place(spot.low), rows)
        for row in range(max(0, top), min(rows - 1, bottom) + 1):
            area.put(row, column, "│", ink(spot.token, faint=True))
    row = row_of(scale.place(spot.y), rows)
    if 0 <= row < rows:
        area.put(row, column, spot.mark, ink(spot.token))


def _label_rule(area: Frame, rule: Rule, taken: list[int]) -> None:
    """Writes the label beside its line, in the first row where it meets no other label."""
    columns = area.characters.shape[1]
    column = _column(rule.x, columns)
    text = f" {rule.label}"
    start = column + 1 if column + 1 + len(text) <= columns else max(0, column - len(text))
    row = next((row for row, end in enumerate(taken) if start > end), len(taken))
    taken[row : row + 1] = [start + len(text)]
    if row < len(area.characters):
        area.put(row, start, text if start > column else f"{rule.label} ", ink(rule.token))


def _draw_x_axis(frame: Frame, ticks: Sequence[tuple[float, str]]) -> None:
    layout = frame.layout
    row = layout.height - 1
    if layout.height <= layout.rows:
        return
    line = row > layout.rows
    if line:
        frame.put(layout.rows, max(layout.left - 1, 0), ("└" if layout.left else "") + "─" * layout.columns, AXIS)
    end = -1
    for place, text in ticks:
        column = layout.left + _column(place, layout.columns)
        start = min(max(column - (len(text) - 1) // 2, 0), max(0, layout.width - len(text)))
        if start > end:
            if line:
                frame.put(layout.rows, column, "┬", AXIS)
            frame.put(row, start, text, LABEL)
            end = start + len(text)
