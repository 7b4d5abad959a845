"""Numbers as shades: how strong a value is, as a level, a block, and the ink of a cell. No widgets.

A shade is never told by colour alone: blocks and glyphs say the same where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

LEVELS = 8
BLOCKS = " ▁▂▃▄▅▆▇█"
"""Of the levels 0 to LEVELS."""
NOT_FINITE = "✕"
SHADES = " ░░▒▒▓▓██"
"""Of the sizes 0 to LEVELS of signed levels, where the sign has a colour."""
NEGATIVE = " --====≡≡"
"""The same for negative levels where there is no colour."""
BAD = LEVELS + 1
"""The level of what is not finite."""


def level(share: float) -> int:
    """0 to LEVELS for a share of 0 to 1, at least 1 for any that is not 0; beyond those the nearest; BAD for NaN."""
    if math.isnan(share):
        return BAD
    if share <= 0:
        return 0
    return max(1, round(min(share, 1.0) * LEVELS))


def shares(values: Sequence[float], most: float | None = None) -> list[float]:
    """Each of `values` as a share of `most`, or of the greatest finite one; NaN stays, infinities become NaN."""
    if most is None:
        most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return [math.nan if not math.isfinite(value) else value / most if most else 0.0 for value in values]


def signed_level(value: float) -> int:
    """-LEVELS to LEVELS for -1 to 1, beyond those the nearest; BAD for what is not finite."""
    if not math.isfinite(value):
        return BAD
    return round(min(max(value, -1.0), 1.0) * LEVELS)


def glyph(signed: int, *, colored: bool = False) -> str:
    """The character of a signed level; where the sign is `colored`, it tells the size alone."""
    if signed == BAD:
        return NOT_FINITE
    return (SHADES if signed >= 0 or colored else NEGATIVE)[abs(signed)]


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
