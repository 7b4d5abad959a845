"""The styles of shades: a colour of the theme blended into the background, as strong as a level says."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from rnnplay.tui.heatmap.shades import LEVELS

MOST = 0.5
"""How much of a shade at most is colour where text stands on it: more, and it could not be read."""


def shade_styles(widget: Widget, component: str, most: float = MOST) -> list[Style]:
    """The styles of the levels 0 to LEVELS: the colour of `component` behind the widget's own text."""
    background = widget.background_colors[1]
    color = widget.get_component_styles(component).color
    base = widget.rich_style
    if widget.app.no_color or color.ansi is not None:
        return [base] * (LEVELS + 1)
    blends = (Color.blend(background, background + color, most * level / LEVELS) for level in range(LEVELS + 1))
    return [base + Style(bgcolor=blend.rich_color) for blend in blends]
