"""Styled strips of a chart: the rows of its frame, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.chart.canvas import BLANK, EMPTY, TOKENS, Frame, Layout

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
    """The rows of an empty chart: `text`, faint, in the middle, in as many lines as it needs."""
    rows = [Strip([Segment(" " * layout.width, palette[BLANK])], layout.width)] * layout.height
    lines = [line.plain for line in Content(text).wrap(layout.width)][: layout.height] if layout.width else []
    first = (layout.height - len(lines)) // 2
    for row, line in enumerate(lines, first):
        length = min(cell_len(line), layout.width)
        shown = set_cell_size(line, length)
        left = (layout.width - length) // 2
        before, after = " " * left, " " * (layout.width - left - length)
        segments = [Segment(before, palette[BLANK]), Segment(shown, palette[EMPTY]), Segment(after, palette[BLANK])]
        rows[row] = Strip(segments, layout.width)
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


def frame_rows(
    frame: Frame, former: Frame | None, former_rows: Sequence[Strip], palette: Sequence[Style]
) -> list[Strip]:
    """The rows of the frame; those that are as in the `former` one are taken from `former_rows`."""
    same = [False] * frame.layout.height
    if former is not None and former.layout == frame.layout:
        same = ((former.characters == frame.characters) & (former.inks == frame.inks)).all(axis=1).tolist()
    return [former_rows[y] if kept else frame_row(frame, y, palette) for y, kept in enumerate(same)]


def differing(former: Frame, frame: Frame) -> list[Region]:
    """The stretch of each row in which two frames of one layout differ."""
    differs = (former.characters != frame.characters) | (former.inks != frame.inks)
    first = differs.argmax(axis=1).tolist()
    end = (differs.shape[1] - differs[:, ::-1].argmax(axis=1)).tolist()
    return [Region(first[y], y, end[y] - first[y], 1) for y in differs.any(axis=1).nonzero()[0].tolist()]
