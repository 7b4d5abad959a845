"""A grid of character cells with inks, and the layout of a plot on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnplay.tui.chart.palette import RUN_LOOKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

THEMED = ("primary", "secondary", "accent", "success", "warning", "error", "foreground", "muted")
"""Colours named as in the theme."""

TOKENS = (*THEMED, *(look.color for look in RUN_LOOKS))
"""The colours of curves and marks."""

BLANK, AXIS, LABEL, THRESHOLD, DIVERGENCE, CURSOR, EMPTY = range(7)
"""The inks without a token: an ink is an index into the palette that the widget resolves from the theme."""

GUTTER = 6
"""Cells left of the plot: five for a label, one for the axis. The same for all charts, so that stacked ones line up."""


def ink(token: str, *, faint: bool = False) -> int:
    """The ink of a colour token; `faint` for a curve behind others."""
    return 7 + 2 * TOKENS.index(token) + faint


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a plot in `width` × `height` cells."""

    width: int
    height: int

    @property
    def left(self) -> int:
        """Cells left of the plot: labels and axis, the axis alone, or none where it is narrow."""
        return GUTTER if self.width >= 18 else 1 if self.width >= 6 else 0

    @property
    def columns(self) -> int:
        """The width of the plot without its labels."""
        return max(1, self.width - self.left)

    @property
    def rows(self) -> int:
        """The height of the plot; below it are the axis of steps with its labels, the labels alone, or nothing."""
        return max(1, self.height - (2 if self.height >= 14 else 1 if self.height >= 8 else 0))


@dataclass(frozen=True, slots=True)
class Frame:
    """A drawn plot: code points (uint32) and inks (uint8), both of shape (height, width)."""

    layout: Layout
    characters: Array
    inks: Array

    def area(self) -> Frame:
        """The part inside the axes, a view: drawing on it draws on this frame."""
        rows, left = self.layout.rows, self.layout.left
        return Frame(self.layout, self.characters[:rows, left:], self.inks[:rows, left:])

    def copy(self) -> Frame:
        return Frame(self.layout, self.characters.copy(), self.inks.copy())

    def put(self, row: int, column: int, text: str, ink_: int) -> None:
        """Writes `text`, cut at the edges."""
        import numpy as np

        height, width = self.characters.shape
        text = text[max(0, -column) : max(0, width - column)]
        if text and 0 <= row < height:
            start = max(0, column)
            self.characters[row, start : start + len(text)] = np.frombuffer(text.encode("utf-32-le"), np.uint32)
            self.inks[row, start : start + len(text)] = ink_

    def text(self) -> list[str]:
        """The rows as strings."""
        return [row.tobytes().decode("utf-32-le") for row in self.characters]


def blank(layout: Layout) -> Frame:
    """An empty frame."""
    import numpy as np

    shape = (layout.height, layout.width)
    return Frame(layout, np.full(shape, ord(" "), np.uint32), np.zeros(shape, np.uint8))
