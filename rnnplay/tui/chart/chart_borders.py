"""The text on the borders of a chart: its legend, a readout, and the values at the cursor.

It is a list of groups of segments; a group is shown as a whole or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.chart.canvas import BLANK, DIVERGENCE, ink
from rnnplay.tui.chart.chart_model import ChartModel, Series
from rnnplay.tui.chart.history import Columns

Group = list[Segment]


class BorderText:
    """The legend and the readout on the upper border, and the values at the cursor on the lower one."""

    def __init__(self, *, legend: bool, x: str) -> None:
        """`legend=False` leaves the readout alone; `x` names the unit of the horizontal axis."""
        self.readout = ""
        self.x = x
        self._legend = legend
        self._upper: list[Group] = []
        self._lower: list[Group] = []

    @property
    def reading(self) -> str:
        """The values at the cursor; empty without a cursor."""
        return "  ".join("".join(segment.text for segment in group) for group in self._lower)

    def update(self, model: ChartModel, columns: int, palette: Sequence[Style]) -> tuple[int, int]:
        """Brings the text up to date with a plot of `columns` cells.

        Returns how many cells differ on the upper and on the lower border, counted from the right corner.
        """
        former = self._upper, self._lower
        self._upper = legend(model.series if self._legend else (), model.smoothing, self.readout, palette)
        self._lower = reading(model, columns, palette, self.x)
        return _differing(former[0], self._upper), _differing(former[1], self._lower)

    def fitted(self, width: int, plain: Style, *, lower: bool) -> Strip | None:
        """As much of the text of one border as fits into `width` cells; None if nothing does."""
        return fit(self._lower if lower else self._upper, width, plain)


def _differing(former: Sequence[Group], now: Sequence[Group]) -> int:
    if former == now:
        return 0
    return 4 + max(sum(2 + segment.cell_length for group in groups for segment in group) for groups in (former, now))


def legend(series: Sequence[Series], smoothing: int, readout: str, palette: Sequence[Style]) -> list[Group]:
    """The swatch, name and last value (smoothed, if the line is) of each series, then the readout."""
    plain = palette[BLANK]
    groups: list[Group] = []
    for one in series:
        if one.history.last_step is None or not one.listed:
            continue
        value = one.history.last
        if math.isfinite(value) and one.smooth and smoothing:
            value = one.history.smoothed(smoothing - 1)
        style = palette[ink(one.color)]
        group = [Segment(f"{one.mark or ('⠶' if one.style == 'dots' else '━')} ", style)] if one.name else []
        if one.name:
            group.append(Segment(f"{one.name} ", plain))
        group.append(Segment(format_value(value), style if math.isfinite(value) else palette[DIVERGENCE]))
        groups.append(group)
    if readout:
        groups.append([Segment(readout, plain)])
    return groups


def reading(model: ChartModel, columns: int, palette: Sequence[Style], x: str = "step") -> list[Group]:
    """The values at the cursor, in a plot of `columns` cells; `x` names the unit of its horizontal axis."""
    if model.cursor is None or not model.columns:
        return []
    plain = palette[BLANK]
    at = max(0, int(model.step_at(model.cursor, columns))) * model.unit
    groups: list[Group] = [[Segment(f"{x} {at:,.{0 if model.unit >= 1 else 1}f}", plain)]]
    for one, held in zip(model.series, model.columns, strict=True):
        mean, smooth, bad = value_at(held, 2 * model.cursor)
        if mean is None and not bad:
            continue
        group = [Segment(f"{one.name} ", plain)] if one.name else []
        if mean is not None:
            text = format_value(mean)
            if one.smooth and model.smoothing and smooth is not None and math.isfinite(smooth):
                text += f" ~{format_value(smooth)}"
            group.append(Segment(text, palette[ink(one.color)]))
        if bad:
            group.append(Segment("✕" if mean is None else " ✕", palette[DIVERGENCE]))
        groups.append(group)
    return groups


def value_at(columns: Columns, column: int) -> tuple[float | None, float | None, bool]:
    """Mean and smoothed value in two columns from `column`, or the last before; whether one was not finite."""
    import numpy as np

    bad = bool(columns.bad[column : column + 2].any())
    held = np.flatnonzero(columns.mean[: column + 2] == columns.mean[: column + 2])
    if len(held) and (held[-1] >= column or not bad):
        return float(columns.mean[held[-1]]), float(columns.smooth[held[-1]]), bad
    if columns.before is not None and not bad:
        return columns.before[1], columns.before[2], bad
    return None, None, bad


def fit(groups: Sequence[Group], width: int, plain: Style) -> Strip | None:
    """Joins the groups in at most `width` cells, if necessary without the names or without the last groups."""
    short = [[group[0], group[-1]] if len(group) == 3 else list(group) for group in groups]
    for candidate in (groups, *(short[:n] for n in range(len(short), 0, -1))):
        segments = [Segment(" ", plain)]
        for group in candidate:
            segments += [*group, Segment("  ", plain)]
        segments[-1] = Segment(" ", plain)
        strip = Strip(segments)
        if strip.cell_length <= width:
            return strip if candidate else None
    return None


def overlay(border: Strip, text: Strip) -> Strip:
    """Puts `text` on a border line, one cell away from its right corner."""
    end = border.cell_length - 2
    return Strip.join([border.crop(0, end - text.cell_length), text, border.crop(end, border.cell_length)])
