"""Styled strips of a chart: the rows of its frame, and the legend and the values at the cursor on its borders.

The text on a border is a list of groups of segments; a group is shown as a whole or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.chart.canvas import BLANK, DIVERGENCE, EMPTY, TOKENS, Frame, Layout, ink
from rnnplay.tui.chart.chart_model import ChartModel, Series
from rnnplay.tui.chart.history import Columns

Group = list[Segment]

COMPONENTS = ("axis", "label", "threshold", "divergence", "cursor", "empty")
"""The component classes of the inks from AXIS to EMPTY, without the prefix "chart--"."""

_FAINT = 0.42  # opacity of the raw values


def resolve_palette(widget: Widget) -> list[Style]:
    """The style of each ink in the current theme."""
    background = widget.background_colors[1]
    plain = widget.app.no_color
    palette = [widget.rich_style] + [widget.get_component_rich_style(f"chart--{name}") for name in COMPONENTS]
    for token in TOKENS:
        style = widget.get_component_rich_style(f"chart--{token}")
        color = widget.get_component_styles(f"chart--{token}").color
        if plain or color.ansi is not None:
            # Without colours only weight distinguishes a line from the values behind it.
            palette += [style + Style(bold=True), style + Style(dim=True)]
        else:
            faint = Color.blend(background, background + color, _FAINT)
            palette += [style, style + Style(color=faint.rich_color)]
    return palette


def empty_rows(text: str, layout: Layout, palette: Sequence[Style]) -> list[Strip]:
    """The rows of an empty chart: `text`, faint, in the middle."""
    rows = [Strip([Segment(" " * layout.width, palette[BLANK])], layout.width)] * layout.height
    if rows:
        length = min(cell_len(text), layout.width)
        shown = set_cell_size(text, length)
        left = (layout.width - length) // 2
        before, after = " " * left, " " * (layout.width - left - length)
        segments = [Segment(before, palette[BLANK]), Segment(shown, palette[EMPTY]), Segment(after, palette[BLANK])]
        rows[(layout.height - 1) // 2] = Strip(segments, layout.width)
    return rows


def frame_row(frame: Frame, y: int, palette: Sequence[Style]) -> Strip:
    """Row `y` of the frame."""
    if not frame.layout.width:
        return Strip([], 0)
    inks = frame.inks[y]
    text = frame.characters[y].tobytes().decode("utf-32-le")
    segments = []
    start = 0
    for end in [*((inks[1:] != inks[:-1]).nonzero()[0] + 1).tolist(), len(text)]:
        segments.append(Segment(text[start:end], palette[inks[start]]))
        start = end
    return Strip(segments, len(text))


def legend(series: Sequence[Series], smoothing: int, readout: str, palette: Sequence[Style]) -> list[Group]:
    """The swatch, name and last value (smoothed, if the line is) of each series, then the readout."""
    plain = palette[BLANK]
    groups: list[Group] = []
    for one in series:
        if one.history.last_step is None:
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


def reading(model: ChartModel, step: float, palette: Sequence[Style], x: str = "step") -> list[Group]:
    """The values at the cursor, whose cell has its middle at `step`; `x` names the unit of steps."""
    if model.cursor is None or not model.columns:
        return []
    plain = palette[BLANK]
    groups: list[Group] = [[Segment(f"{x} {max(0, int(step)):,}", plain)]]
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
