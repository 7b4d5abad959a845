"""A heatmap of units over the timesteps of a text, with a cursor that reads one value.

Strong values are far from the background, negative ones in another colour; without colours there are glyphs instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.inspection.results import GateMap
from rnnplay.tui.heat_rows import LABEL, column_width, label, levels_of, token_row
from rnnplay.tui.shades import BAD, LEVELS, NOT_FINITE, glyph
from rnnplay.tui.widgets.shading import shade_styles

STRONG = 0.9
FOOT = 1
"""Rows below the map, of tokens."""


class HeatMap(Widget, can_focus=True):
    """Draws a GateMap; units are rows, timesteps columns."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "heat-map--positive",
        "heat-map--negative",
        "heat-map--label",
        "heat-map--here",
        "heat-map--bad",
    }
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", "Earlier", show=False),
        Binding("right", "move(0, 1)", "Later", show=False),
        Binding("up", "move(-1, 0)", "Unit above", show=False),
        Binding("down", "move(1, 0)", "Unit below", show=False),
        Binding("shift+left", "move(0, -20)", "Earlier", show=False),
        Binding("shift+right", "move(0, 20)", "Later", show=False),
        Binding("home", "move(0, -1000000)", "First timestep", show=False),
        Binding("end", "move(0, 1000000)", "Last timestep", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor reads another value."""

    @dataclass
    class Beyond(Message):
        """The cursor wants to leave the units shown: up (-1) or down (1)."""

        direction: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._map: GateMap | None = None
        self._levels = levels_of([])
        self.row = 0
        self.column = 0
        self._first = 0  # timestep at the left edge
        self._cell = 1
        self._styles: list[Style] = []
        self._strips: list[Strip] = []

    @property
    def room(self) -> int:
        """How many units fit."""
        return max(1, self.size.height - FOOT)

    def show(self, found: GateMap) -> None:
        """Show `found` instead; the cursor stays."""
        self._map = found
        self._levels = levels_of(found.values)
        self.row = min(self.row, max(len(found.shown) - 1, 0))
        self.column = min(self.column, max(len(found.tokens) - 1, 0))
        self._update()

    def text(self) -> list[str]:
        """The rows as they are shown."""
        return [strip.text.rstrip() for strip in self._strips or self._draw()]

    # --- drawing --------------------------------------------------------------------------------------------

    def _update(self) -> None:
        """Paint the rows that changed."""
        if not self.is_mounted or not self.size:
            return
        former, self._strips = self._strips, self._draw()
        if len(former) != len(self._strips):
            self.refresh()
            return
        width = self.size.width
        pairs = enumerate(zip(former, self._strips, strict=True))
        if changed := [Region(0, y, width, 1) for y, (was, now) in pairs if was != now]:
            self.refresh(*changed)

    def _draw(self) -> list[Strip]:
        width, height = self.size
        blank = Strip.blank(width, self.rich_style)
        found = self._map
        if found is None or not found.tokens:
            return [blank] * height
        if not self._styles:
            self._styles = self._resolve()
        room = max(1, width - LABEL)
        self._cell = column_width(found.tokens, room)
        visible = max(1, room // self._cell)
        self._first = min(max(self._first, self.column - visible + 1), self.column)
        self._first = max(0, min(self._first, len(found.tokens) - visible))
        last = min(len(found.tokens), self._first + visible)
        strips = [self._draw_unit(row, last) for row in range(min(len(found.shown), self.room))]
        foot = token_row(found.tokens[self._first : last], self._cell)
        at = (self.column - self._first) * self._cell
        plain, here = self._component("label"), self._component("here")
        segments = [
            (" " * LABEL + foot[:at], plain),
            (foot[at : at + self._cell], here),
            (foot[at + self._cell :], plain),
        ]
        strips.append(Strip([Segment(text, style) for text, style in segments if text]))
        strips = [strip.adjust_cell_length(width, self.rich_style) for strip in strips]
        return (strips + [blank] * (height - len(strips)))[:height]

    def _draw_unit(self, row: int, last: int) -> Strip:
        assert self._map is not None
        levels = self._levels[row, self._first : last]
        here = self.column - self._first
        score = self._map.scores[row] if row < len(self._map.scores) else 0.0
        style = self._component("here" if row == self.row else "label")
        segments = [Segment(label(self._map.shown[row], score), style)]
        start = 0
        breaks = ((levels[1:] != levels[:-1]).nonzero()[0] + 1).tolist()
        if row == self.row:
            breaks = sorted({*breaks, *(at for at in (here, here + 1) if 0 < at < len(levels))})
        for end in [*breaks, len(levels)]:
            level = int(levels[start])
            cell = self._styles[level + LEVELS]
            if row == self.row and start == here:
                # A glyph as well: a reversed blank is as good as none on a strong colour.
                segments.append(Segment("◆".center(self._cell), cell + Style(bold=True)))
            else:
                segments.append(Segment(self._glyphs[level + LEVELS] * ((end - start) * self._cell), cell))
            start = end
        return Strip(segments)

    def _resolve(self) -> list[Style]:
        """The styles of the signed levels, and of BAD after them."""
        negative = shade_styles(self, "heat-map--negative", STRONG)
        positive = shade_styles(self, "heat-map--positive", STRONG)
        colored = not (self.app.no_color or self.get_component_styles("heat-map--positive").color.ansi is not None)
        signed = range(-LEVELS, LEVELS + 1)
        self._glyphs = [" " if colored else glyph(level) for level in signed] + [NOT_FINITE]
        assert BAD == LEVELS + 1
        return [*reversed(negative[1:]), *positive, self._component("bad")]

    def _component(self, name: str) -> Style:
        return self.get_component_rich_style(f"heat-map--{name}")

    def render_line(self, y: int) -> Strip:
        if len(self._strips) != self.size.height or (self._strips and self._strips[0].cell_length != self.size.width):
            self._strips = self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles, self._strips = [], []

    # --- the cursor -----------------------------------------------------------------------------------------

    def _go(self, row: int, column: int) -> None:
        found = self._map
        if found is None or not found.tokens or not found.shown:
            return
        rows = min(len(found.shown), self.room)
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
        if event.x >= LABEL and event.y < self.room:
            self._go(event.y, self._first + (event.x - LABEL) // self._cell)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Beyond(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Beyond(-1))
