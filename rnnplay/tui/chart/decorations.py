"""What stands around and across the curves: axes, threshold, event marks, the mark of divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnplay.tui.chart.axes import Scale, format_step, nice_step
from rnnplay.tui.chart.braille import BRAILLE, DOT_BITS
from rnnplay.tui.chart.canvas import AXIS, DIVERGENCE, GUTTER, LABEL, THRESHOLD, Frame, Layout, blank, ink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """An event: a dashed vertical line at `step`, labelled at its top; without a label a tick at the bottom."""

    step: int
    label: str = ""
    style: str = "muted"
    """One of canvas.TOKENS."""


@lru_cache(maxsize=32)
def draw_axes(layout: Layout, scale: Scale, lo_step: float, hi_step: float) -> Frame:
    """An empty plot with its axes; to be copied before anything is drawn on it."""
    frame = blank(layout)
    if layout.left:
        _draw_y_axis(frame, scale)
    if layout.height > layout.rows:
        _draw_x_axis(frame, lo_step, hi_step)
    return frame


def _draw_y_axis(frame: Frame, scale: Scale) -> None:
    left, rows = frame.layout.left, frame.layout.rows
    frame.characters[:rows, left - 1] = ord("│")
    frame.inks[:rows, left - 1] = AXIS
    if left < GUTTER:
        return
    taken = -2
    for value, text in reversed(scale.ticks(max(2, 2 * rows // 5 + 1))):
        row, text = _row(scale.place(value), rows), text.replace(".0e", "e")
        if 0 <= row < rows and row > taken + (rows > 6) and len(text) <= left - 2:
            frame.put(row, left - 2 - len(text), text, LABEL)
            frame.put(row, left - 1, "┤", AXIS)
            taken = row


def _draw_x_axis(frame: Frame, lo_step: float, hi_step: float) -> None:
    layout = frame.layout
    left, columns, row = layout.left, layout.columns, layout.height - 1
    line = row > layout.rows
    if line:
        frame.put(layout.rows, max(left - 1, 0), ("└" if left else "") + "─" * columns, AXIS)
    step = max(1.0, nice_step((hi_step - lo_step) / max(2, columns // 11)))
    step = 5.0 if step == 2.5 else step  # steps are whole
    at = math.ceil(lo_step / step) * step
    end = -1
    while at < hi_step:
        text = format_step(at, step)
        column = left + _column(at, lo_step, hi_step, columns)
        if line:
            frame.put(layout.rows, column, "┬", AXIS)
        start = min(max(column - (len(text) - 1) // 2, 0), layout.width - len(text))
        if start > end:
            frame.put(row, start, text, LABEL)
            end = start + len(text)
        at += step


def _row(place: float, rows: int) -> int:
    """The cell row of a place between 0 (top) and 1 (bottom): the one its dot is in."""
    return round(place * (4 * rows - 1)) // 4 if abs(place) < 1e6 else -1


def _column(step: float, lo_step: float, hi_step: float, columns: int) -> int:
    return int((step - lo_step) / (hi_step - lo_step) * columns // 1)


def draw_mark_line(area: Frame, mark: Mark, lo_step: float, hi_step: float) -> None:
    """The line or tick of `mark`, to be drawn before the curves."""
    columns = area.characters.shape[1]
    column = _column(mark.step, lo_step, hi_step, columns)
    if not 0 <= column < columns:
        return
    if mark.label:
        area.characters[:, column] = ord("┊")
        area.inks[:, column] = ink(mark.style, faint=True)
    else:
        area.put(len(area.characters) - 1, column, "╵", ink(mark.style))


def draw_mark_label(area: Frame, mark: Mark, lo_step: float, hi_step: float) -> None:
    """The label of `mark`, right of its line or, at the right edge, left of it."""
    columns = area.characters.shape[1]
    column = _column(mark.step, lo_step, hi_step, columns)
    if mark.label and 0 <= column < columns:
        fits = column + len(mark.label) <= columns
        area.put(0, column if fits else max(0, column + 1 - len(mark.label)), mark.label, ink(mark.style))


def draw_threshold_line(area: Frame, scale: Scale, threshold: float, lines: Array) -> None:
    """A dash in every other cell at the height of its dot: exact against the curves, and unlike any of them.

    It hides raw values behind it; the dots of `lines`, bits (rows, columns), join it in the ink that is to follow.
    """
    rows = len(area.characters)
    place = scale.place(threshold)
    if 0 <= place <= 1:
        dot = round(place * (4 * rows - 1))
        row, bits = dot // 4, sum(DOT_BITS[dot % 4])
        area.characters[row, ::2] = BRAILLE + bits
        area.inks[row, ::2] = THRESHOLD
        lines[row, ::2][lines[row, ::2] > 0] |= bits


def draw_threshold_label(area: Frame, scale: Scale, threshold: float, label: str, lines: Array) -> None:
    """`label` at the right end of the line, or a little to its left where it hides no curve of `lines` (rows, columns).

    If the threshold is out of the plot, an arrow says where it would be.
    """
    rows, columns = area.characters.shape
    place = scale.place(threshold)
    row = 0 if place < 0 else rows - 1 if place > 1 else _row(place, rows)
    text = f" {label}{' ↑' if place < 0 else ' ↓' if place > 1 else ''}"[:columns]
    last = columns - len(text)
    start = next((s for s in range(last, last // 2, -1) if not lines[row, s : s + len(text)].any()), last)
    area.put(row, start, text, THRESHOLD)


def draw_divergence(area: Frame, curves: Sequence[tuple[Array, Array]]) -> None:
    """✕ at the top where values of any curve cease to be finite, and a dashed line as long as they are not.

    Of each curve which dot columns hold a value that is not finite (bool), and their finite means (NaN: none); two
    columns a cell.
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
    """`bad` with the columns between two of them where no finite value is: steps may be farther apart than columns."""
    import numpy as np

    every = np.arange(len(bad))
    told = bad | (mean == mean)
    former = np.maximum.accumulate(np.where(told, every, 0))
    latter = np.minimum.accumulate(np.where(told, every, len(bad) - 1)[::-1])[::-1]
    stretches: Array = bad[former] & bad[latter]
    return stretches
