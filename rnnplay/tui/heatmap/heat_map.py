"""A heat map of units over the timesteps of a text, with a cursor that reads one value.

Block shades show the magnitude of a value; negative values have another colour, or without colours other characters. A
row is thus few stretches of one style: a shade of colour per cell was measured to take twice the bytes to the terminal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.inspection.results import GateMap
from rnnplay.tui.heatmap.shades import BAD, LEVELS, glyph
from rnnplay.tui.widgets.text import refresh_rows
from rnnplay.tui.widgets.visible import padded, visible_token

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

KINDS = ("positive", "negative", "bad")
FOOT = 1
"""Rows of tokens below the map."""


class HeatMap(Widget, can_focus=True):
    """Draws a GateMap with units as rows and timesteps as columns."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "heat-map--positive",
        "heat-map--negative",
        "heat-map--label",
        "heat-map--here",
        "heat-map--bad",
    }
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", "Earlier", show=False, id="gates.earlier"),
        Binding("right", "move(0, 1)", "Later", show=False, id="gates.later"),
        Binding("up", "move(-1, 0)", "Unit above", show=False, id="gates.unit-above"),
        Binding("down", "move(1, 0)", "Unit below", show=False, id="gates.unit-below"),
        Binding("shift+left", "move(0, -20)", "Earlier", show=False, id="gates.earlier-20"),
        Binding("shift+right", "move(0, 20)", "Later", show=False, id="gates.later-20"),
        Binding("home", "move(0, -1000000)", "First timestep", show=False, id="gates.first"),
        Binding("end", "move(0, 1000000)", "Last timestep", show=False, id="gates.last"),
    ]

    @dataclass
    class Moved(Message):
        """The cursor moved to another value."""

    @dataclass
    class Beyond(Message):
        """The cursor moved beyond the units shown: up (-1) or down (1)."""

        direction: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._map: GateMap | None = None
        self._levels = levels_of([])
        self.row = 0
        self.column = 0
        self._first = 0  # timestep at the left edge
        self._cell = 1
        self._glyphs: Array | None = None  # code points of the signed levels, and of BAD after them
        self._strips: list[Strip] = []
        self._units: dict[int, Strip] = {}  # rows without the cursor, kept while they stay the same
        self._drawn_for: object = None
        self._styles: dict[str, Style] = {}

    @property
    def capacity(self) -> int:
        """The number of units that fit."""
        return max(1, self.size.height - FOOT)

    def show(self, found: GateMap) -> None:
        """Shows `found`; keeps the cursor."""
        self._map = found
        self._levels = levels_of(found.values)
        self._units = {}
        self.row = min(self.row, max(len(found.shown) - 1, 0))
        self.column = min(self.column, max(len(found.tokens) - 1, 0))
        self._update()

    def text(self) -> list[str]:
        """The rows on screen."""
        return [strip.text.rstrip() for strip in self._strips or self._draw()]

    # --- drawing --------------------------------------------------------------------------------------------

    def _update(self) -> None:
        """Repaints the rows that changed."""
        if not self.is_mounted or not self.size:
            return
        former, self._strips = self._strips, self._draw()
        refresh_rows(self, former, self._strips)

    def _draw(self) -> list[Strip]:
        width, height = self.size
        blank = Strip.blank(width, self.rich_style)
        found = self._map
        if found is None or not found.tokens:
            return [blank] * height
        width_of_map = max(1, width - LABEL)
        self._cell = column_width(found.tokens, width_of_map)
        visible = max(1, width_of_map // self._cell)
        self._first = min(max(self._first, self.column - visible + 1), self.column)
        self._first = max(0, min(self._first, len(found.tokens) - visible))
        last = min(len(found.tokens), self._first + visible)
        if self._drawn_for != (width, self._first, self._cell):
            self._drawn_for = width, self._first, self._cell
            self._units = {}
        strips = [self._unit(row, last, width) for row in range(min(len(found.shown), self.capacity))]
        foot = token_row(found.tokens[self._first : last], self._cell)
        at = (self.column - self._first) * self._cell
        plain, here = self._component("label"), self._component("here")
        segments = [
            (" " * LABEL + foot[:at], plain),
            (foot[at : at + self._cell], here),
            (foot[at + self._cell :], plain),
        ]
        tokens = Strip([Segment(text, style) for text, style in segments if text])
        strips.append(tokens.adjust_cell_length(width, plain))
        return (strips + [blank] * (height - len(strips)))[:height]

    def _unit(self, row: int, last: int, width: int) -> Strip:
        """Row `row` in `width` cells; cached while the cursor is elsewhere."""
        if row == self.row:
            return self._draw_unit(row, last).adjust_cell_length(width, self._component("label"))
        if row not in self._units:
            self._units[row] = self._draw_unit(row, last).adjust_cell_length(width, self._component("label"))
        return self._units[row]

    def _draw_unit(self, row: int, last: int) -> Strip:
        assert self._map is not None
        levels = self._levels[row, self._first : last]
        here = self.column - self._first
        score = self._map.scores[row] if row < len(self._map.scores) else 0.0
        style = self._component("here" if row == self.row else "label")
        segments = [Segment(label(self._map.shown[row], score), style)]
        text = self._characters(levels)
        kinds = (levels < 0).astype(int) + 2 * (levels == BAD)
        breaks = ((kinds[1:] != kinds[:-1]).nonzero()[0] + 1).tolist()
        if row == self.row:
            breaks = sorted({*breaks, *(at for at in (here, here + 1) if 0 < at < len(levels))})
        styles = [self._component(name) for name in KINDS]
        start = 0
        for end in [*breaks, len(levels)]:
            cells = text[start * self._cell : end * self._cell]
            style = styles[int(kinds[start])]
            if row == self.row and start == here:
                cells = "◆".center(self._cell)
                style = self._component("here")
            segments.append(Segment(cells, style))
            start = end
        return Strip(segments, LABEL + len(levels) * self._cell)

    def _characters(self, levels: Array) -> str:
        """The glyphs of one unit's `levels` (timesteps,), each as wide as a column."""
        import numpy as np

        if self._glyphs is None:
            plain = self.app.no_color or self.get_component_styles("heat-map--positive").color.ansi is not None
            signed = range(-LEVELS, BAD + 1)
            self._glyphs = np.array([ord(glyph(level, colored=not plain)) for level in signed], np.uint32)
        return str(np.repeat(self._glyphs[levels + LEVELS], self._cell).tobytes().decode("utf-32-le"))

    def _component(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"heat-map--{name}")
        return self._styles[name]

    def render_line(self, y: int) -> Strip:
        if len(self._strips) != self.size.height or (self._strips and self._strips[0].cell_length != self.size.width):
            self._strips = self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._glyphs, self._strips = None, []
        self._units, self._styles = {}, {}

    # --- the cursor -----------------------------------------------------------------------------------------

    def _go(self, row: int, column: int) -> None:
        found = self._map
        if found is None or not found.tokens or not found.shown:
            return
        rows = min(len(found.shown), self.capacity)
        if not 0 <= row < rows:
            self.post_message(self.Beyond(-1 if row < 0 else 1))
        row = min(max(row, 0), rows - 1)
        column = min(max(column, 0), len(found.tokens) - 1)
        if (row, column) != (self.row, self.column):
            self.row, self.column = row, column
            self._update()
            self.post_message(self.Moved())

    def action_move(self, rows: int, columns: int) -> None:
        self._go(self.row + rows, self.column + columns)

    def on_click(self, event: events.Click) -> None:
        if event.x >= LABEL and event.y < self.capacity:
            self._go(event.y, self._first + (event.x - LABEL) // self._cell)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Beyond(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Beyond(-1))


LABEL = 12
"""Cells left of the map: the number of a unit and its score."""


def levels_of(values: Sequence[Sequence[float]]) -> Array:
    """The signed levels (units, timesteps), int, of `values` between -1 and 1; BAD for values that are not finite."""
    import numpy as np

    array = np.array(values, float).reshape(len(values), len(values[0]) if values else 0)
    finite = np.isfinite(array)
    levels: Array = np.rint(np.clip(np.where(finite, array, 0.0), -1.0, 1.0) * LEVELS).astype(np.int8)
    levels[~finite] = BAD
    return levels


def column_width(tokens: Sequence[str], width: int) -> int:
    """The cells per timestep at which all of them fit, if possible: 1 to 3 for characters, up to 8 for words."""
    longest = max((cell_len(visible_token(token)) for token in tokens), default=1)
    most = 3 if longest <= 2 else 8
    least = 1 if longest <= 2 else 3
    return min(max(width // max(len(tokens), 1), least), most)


def token_row(tokens: Sequence[str], width: int) -> str:
    """`tokens` under their columns of `width` cells."""
    return "".join(_column(token, width) for token in tokens)


def _column(token: str, width: int) -> str:
    text = visible_token(token)
    if width == 1:  # one cell: too narrow for a wide character
        return text if cell_len(text) == 1 else "…"
    return padded(text, width - 1) + " " if cell_len(text) > 1 or width > 2 else padded(text, width)


def label(unit: int, score: float) -> str:
    """ " 117  +0.83 ", LABEL cells."""
    number = f"{score:+.2f}" if math.isfinite(score) else "–"
    return f"{unit:>4} {number:>6} "[:LABEL]
