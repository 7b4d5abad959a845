"""Styled strips of a chart: the rows of its frame, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
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
