"""The words on a chart's borders: the legend with the last values, and what the cursor reads.

Both are groups of segments; a group is shown whole or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.chart.canvas import BLANK, DIVERGENCE, ink
from rnnplay.tui.chart.figure import Figure, Series
from rnnplay.tui.chart.history import Columns

Group = list[Segment]


def legend(series: Sequence[Series], smoothing: int, readout: str, palette: Sequence[Style]) -> list[Group]:
    """A swatch, the name and the last value (smoothed, if the line is) of each series; then the readout."""
    plain = palette[BLANK]
    groups: list[Group] = []
    for one in series:
        if one.history.last_step is None:
            continue
        value = one.history.last
        if math.isfinite(value) and one.smooth and smoothing:
            value = one.history.smoothed(smoothing - 1)
        style = palette[ink(one.color)]
        group = [Segment("⠶ " if one.style == "dots" else "━ ", style)] if one.name else []
        if one.name:
            group.append(Segment(f"{one.name} ", plain))
        group.append(Segment(format_value(value), style if math.isfinite(value) else palette[DIVERGENCE]))
        groups.append(group)
    if readout:
        groups.append([Segment(readout, plain)])
    return groups


def reading(figure: Figure, step: float, palette: Sequence[Style], x: str = "step") -> list[Group]:
    """The values under the cursor, whose cell has its middle at `step`; `x` is what steps are called."""
    if figure.cursor is None or not figure.columns:
        return []
    plain = palette[BLANK]
    groups: list[Group] = [[Segment(f"{x} {max(0, int(step)):,}", plain)]]
    for one, held in zip(figure.series, figure.columns, strict=True):
        mean, smooth, bad = value_at(held, 2 * figure.cursor)
        if mean is None and not bad:
            continue
        group = [Segment(f"{one.name} ", plain)] if one.name else []
        if mean is not None:
            text = format_value(mean)
            if one.smooth and figure.smoothing and smooth is not None and math.isfinite(smooth):
                text += f" ~{format_value(smooth)}"
            group.append(Segment(text, palette[ink(one.color)]))
        if bad:
            group.append(Segment("✕" if mean is None else " ✕", palette[DIVERGENCE]))
        groups.append(group)
    return groups


def value_at(columns: Columns, column: int) -> tuple[float | None, float | None, bool]:
    """Mean and smoothed value in two columns from `column`, or the last before them; and if one was not finite."""
    import numpy as np

    bad = bool(columns.bad[column : column + 2].any())
    held = np.flatnonzero(columns.mean[: column + 2] == columns.mean[: column + 2])
    if len(held) and (held[-1] >= column or not bad):
        return float(columns.mean[held[-1]]), float(columns.smooth[held[-1]]), bad
    if columns.before is not None and not bad:
        return columns.before[1], columns.before[2], bad
    return None, None, bad


def fit(groups: Sequence[Group], room: int, plain: Style) -> Strip | None:
    """The groups side by side in at most `room` cells: if need be without the names, or without the last groups."""
    short = [[group[0], group[-1]] if len(group) == 3 else list(group) for group in groups]
    for candidate in (groups, *(short[:n] for n in range(len(short), 0, -1))):
        segments = [Segment(" ", plain)]
        for group in candidate:
            segments += [*group, Segment("  ", plain)]
        segments[-1] = Segment(" ", plain)
        strip = Strip(segments)
        if strip.cell_length <= room:
            return strip if candidate else None
    return None


def overlay(border: Strip, text: Strip) -> Strip:
    """`text` on a border line, one cell away from its right corner."""
    end = border.cell_length - 2
    return Strip.join([border.crop(0, end - text.cell_length), text, border.crop(end, border.cell_length)])
