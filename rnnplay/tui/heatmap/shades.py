"""Numbers as shades and blocks: levels, their characters and styles, and histograms. No widgets.

A shade is never shown by colour alone: without colours, blocks and glyphs show the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

LEVELS = 8
BLOCKS = " ▁▂▃▄▅▆▇█"
"""The blocks of the levels 0 to LEVELS."""
NOT_FINITE = "✕"
SHADES = " ░░▒▒▓▓██"
"""The characters of the magnitudes 0 to LEVELS, where colour shows the sign."""
NEGATIVE = " --====≡≡"
"""The same for negative levels without colours."""
BAD = LEVELS + 1
"""The level of values that are not finite."""


def level(fraction: float) -> int:
    """The level of a fraction, clamped to 0 to LEVELS, at least 1 for any above 0; BAD for NaN."""
    if math.isnan(fraction):
        return BAD
    if fraction <= 0:
        return 0
    return max(1, round(min(fraction, 1.0) * LEVELS))


def fractions(values: Sequence[float], most: float | None = None) -> list[float]:
    """Each of `values` divided by `most`, by default the greatest magnitude; NaN for values that are not finite."""
    if most is None:
        most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return [math.nan if not math.isfinite(value) else value / most if most else 0.0 for value in values]


def glyph(signed: int, *, colored: bool = False) -> str:
    """The character of a signed level; if the sign is `colored`, that of its magnitude."""
    if signed == BAD:
        return NOT_FINITE
    return (SHADES if signed >= 0 or colored else NEGATIVE)[abs(signed)]


MOST = 0.5
"""The greatest opacity of a shade behind text: with more, the text is unreadable."""


def shade_styles(widget: Widget, component: str) -> list[Style]:
    """The styles of the levels 0 to LEVELS: the colour of `component` behind the text of the widget."""
    background = widget.background_colors[1]
    color = widget.get_component_styles(component).color
    base = widget.rich_style
    if widget.app.no_color or color.ansi is not None:
        return [base] * (LEVELS + 1)
    blends = (Color.blend(background, background + color, MOST * level / LEVELS) for level in range(LEVELS + 1))
    return [base + Style(bgcolor=blend.rich_color) for blend in blends]


@dataclass(frozen=True, slots=True)
class LogBins:
    """Counts in bins of equal width on a log10 axis; `low` and `high` are log10 of its ends."""

    low: float
    high: float
    counts: tuple[int, ...]
    left_out: int = 0
    """The number of values that are not positive and finite."""

    def place(self, value: float) -> int | None:
        """The bin of `value`; None if it is outside."""
        if not value > 0 or not math.isfinite(value):
            return None
        at = (math.log10(value) - self.low) / (self.high - self.low)
        return min(int(at * len(self.counts)), len(self.counts) - 1) if 0 <= at <= 1 else None


def log_bins(values: Sequence[float], bins: int, threshold: float | None = None) -> LogBins | None:
    """Counts `values` in `bins` bins whose range includes `threshold`; None if there is nothing to count."""
    kept = [math.log10(value) for value in values if value > 0 and math.isfinite(value)]
    if not kept or bins < 1:
        return None
    ends = [*kept, math.log10(threshold)] if threshold is not None and threshold > 0 else kept
    low, high = min(ends), max(ends)
    if high - low < 0.2:  # all the same: a bin is no narrower than a visible difference
        low, high = low - 0.1, high + 0.1
    counts = [0] * bins
    for value in kept:
        counts[min(int((value - low) / (high - low) * bins), bins - 1)] += 1
    return LogBins(low, high, tuple(counts), len(values) - len(kept))


def columns(counts: Sequence[int], rows: int = 1) -> list[str]:
    """`counts` as columns of blocks, in `rows` rows from the top; the greatest is full, and any but 0 is visible."""
    most = max(counts, default=0)
    lines = [""] * rows
    for count in counts:
        height = max(1, round(count / most * LEVELS * rows)) if count > 0 else 0
        for row in range(rows):
            lines[row] += BLOCKS[min(LEVELS, max(0, height - LEVELS * (rows - 1 - row)))]
    return lines
