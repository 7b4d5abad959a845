"""A text whose tokens are shaded by a quantity, with a cursor that moves from token to token.

Below each row of the text a row of blocks shows the same as the shades, so that it can be read without colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.heatmap.shades import BAD, BLOCKS, NOT_FINITE, shade_styles
from rnnplay.tui.widgets.text import refresh_rows
from rnnplay.tui.widgets.visible import shortened, visible_line

HEIGHT = 2
"""Rows of cells per row of text."""


class Place(NamedTuple):
    """One token in a row."""

    number: int
    """The index of the token in the text."""
    column: int
    text: str
    """The text displayed, which may be shortened."""

    @property
    def end(self) -> int:
        """The column after the token."""
        return self.column + cell_len(self.text)


class TokenText(Widget, can_focus=True):
    """Tokens, each with a level (shades.level); -1 for those without one."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "token-text--shade",
        "token-text--block",
        "token-text--bad",
        "token-text--without",
    }
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Token before", show=False, id="tokens.before"),
        Binding("right", "move(1)", "Token after", show=False, id="tokens.after"),
        Binding("up", "move_row(-1)", "Row up", show=False, id="tokens.row-above"),
        Binding("down", "move_row(1)", "Row down", show=False, id="tokens.row-below"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="tokens.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="tokens.page-down"),
        Binding("home", "jump(0)", "First token", show=False, id="tokens.first"),
        Binding("end", "jump(-1)", "Last token", show=False, id="tokens.last"),
    ]

    @dataclass
    class Moved(Message):
        """The cursor moved to token `index`."""

        index: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._tokens: list[str] = []
        self._levels: list[int] = []
        self._cursor = 0
        self._top = 0
        self._rows: list[list[Place]] = []
        self._strips: list[Strip] = []
        self._shades: list[Style] = []

    @property
    def cursor(self) -> int:
        """The index of the token at the cursor."""
        return self._cursor

    def show(self, tokens: Sequence[str], levels: Sequence[int], cursor: int | None = None) -> None:
        """Shows `tokens` with their `levels`; the cursor stays unless it is given."""
        if list(tokens) != self._tokens:
            self._tokens = list(tokens)
            self._rows = []
        self._levels = list(levels)
        self._cursor = min(max(self._cursor if cursor is None else cursor, 0), max(len(self._tokens) - 1, 0))
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
        self._wrap()
        if not self._shades:
            self._shades = shade_styles(self, "token-text--shade")
        visible = max(1, height // HEIGHT)
        at = row_of(self._rows, self._cursor)
        self._top = min(max(self._top, at - visible + 1), at, max(len(self._rows) - visible, 0))
        strips: list[Strip] = []
        for row in self._rows[self._top : self._top + visible]:
            strips += self._draw_row(row, width)
        blank = Strip.blank(width, self.rich_style)
        return (strips + [blank] * (height - len(strips)))[:height]

    def _wrap(self) -> list[list[Place]]:
        """The rows, at least one: keys arrive even where none can be drawn."""
        self._rows = self._rows or wrap(self._tokens, self.size.width, gap=gap_of(self._tokens))
        return self._rows

    def _draw_row(self, row: Sequence[Place], width: int) -> list[Strip]:
        plain, block = self.rich_style, self.get_component_rich_style("token-text--block")
        bad, without = (self.get_component_rich_style(f"token-text--{name}") for name in ("bad", "without"))
        text: list[Segment] = []
        blocks: list[Segment] = []
        column = 0
        for place in row:
            if place.column > column:
                text.append(Segment(" " * (place.column - column), plain))
                blocks.append(Segment(" " * (place.column - column), plain))
            level = self._levels[place.number] if place.number < len(self._levels) else -1
            style = without if level < 0 else bad if level == BAD else self._shades[level]
            if place.number == self._cursor:
                style += Style(reverse=True, bold=True)
            cells = place.end - place.column
            text.append(Segment(place.text, style))
            character = " " if level < 0 else NOT_FINITE if level == BAD else BLOCKS[level]
            blocks.append(Segment(character * cells, bad if level == BAD else block))
            column = place.end
        return [
            Strip(Segment.simplify(segments), column).adjust_cell_length(width, plain) for segments in (text, blocks)
        ]

    def render_line(self, y: int) -> Strip:
        if len(self._strips) != self.size.height or (self._strips and self._strips[0].cell_length != self.size.width):
            self._rows = []
            self._strips = self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._shades, self._strips = [], []

    # --- the cursor -----------------------------------------------------------------------------------------

    def _go(self, index: int | None) -> None:
        if index is None or not self._tokens:
            return
        index = min(max(index, 0), len(self._tokens) - 1)
        if index != self._cursor:
            self._cursor = index
            self._update()
            self.post_message(self.Moved(index))

    def action_move(self, by: int) -> None:
        self._go(self._cursor + by)

    def action_jump(self, to: int) -> None:
        self._go(to if to >= 0 else len(self._tokens) + to)

    def action_move_row(self, by: int) -> None:
        rows = self._wrap()
        at = row_of(rows, self._cursor)
        here = next((place.column for place in rows[at] if place.number == self._cursor), 0)
        to = min(max(at + by, 0), len(rows) - 1)
        self._go(at_column(rows[to], here))

    def action_page(self, by: int) -> None:
        self.action_move_row(by * max(1, self.size.height // HEIGHT))

    def on_click(self, event: events.Click) -> None:
        row = self._top + event.y // HEIGHT
        if row < len(self._rows):
            self._go(at_column(self._rows[row], event.x))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move_row(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move_row(-1)


def wrap(tokens: Sequence[str], width: int, *, gap: int = 0) -> list[list[Place]]:
    """Wraps `tokens` into rows of at most `width` cells, `gap` cells apart; a newline, shown as ⏎, ends its row."""
    rows: list[list[Place]] = [[]]
    column = 0
    for index, token in enumerate(tokens):
        text = shortened(visible_line(token) or " ", max(width, 1))
        # A character of no width gets a cell, because it can be predicted and read like others.
        if not cell_len(text):
            text = "◌"
        if column + cell_len(text) > width and rows[-1]:
            rows.append([])
            column = 0
        rows[-1].append(Place(index, column, text))
        column += cell_len(text) + gap
        if token.endswith("\n"):
            rows.append([])
            column = 0
    return rows if rows[-1] or len(rows) == 1 else rows[:-1]


def row_of(rows: Sequence[Sequence[Place]], index: int) -> int:
    """The row of token `index`; 0 if there is none."""
    return next((y for y, row in enumerate(rows) if row and row[0].number <= index <= row[-1].number), 0)


def at_column(row: Sequence[Place], column: int) -> int | None:
    """The token of `row` nearest to `column`; None if the row is empty."""
    if not row:
        return None
    return min(row, key=lambda place: max(place.column - column, column - place.end + 1, 0)).number


def gap_of(tokens: Sequence[str]) -> int:
    """Cells between tokens: 0 between characters, 1 between words."""
    return int(any(len(token) > 1 and token != "<unk>" for token in tokens))
