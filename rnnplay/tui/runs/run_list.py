"""The list of runs as a widget: draws only the rows in sight, of thousands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rnnplay.tui.chart.palette import run_look
from rnnplay.tui.runs.run_browser import RunBrowser
from rnnplay.tui.runs.run_cells import GAP, NUMBERS, SORTED_BY, Column, column_at, fit_columns
from rnnplay.tui.widgets.visible import middle_shortened, padded, shortened, visible_line

MARK = 2
"""Cells before the first column: the mark of a chosen run."""


class RunList(ScrollView, can_focus=True):
    """Draws the rows of a RunBrowser below a header that stays; moves a cursor."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "run-list--header",
        "run-list--sorted",
        "run-list--cursor",
        "run-list--muted",
        "run-list--training",
    }
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    HELP = """
    ## Runs

    The newest first, until a click on a column's title, or `s` and `S`, orders them otherwise. *valid* is the lowest
    validation loss. `●` is being trained now, by whatever process.

    - `Enter` resumes a run, `o` opens it for prompts and the inspection, `b` branches from it
    - `/` filters: words, and terms like `lr>=0.001 cell=lstm valid<1.5 tag:good created>2026-03`; a field is any knob,
      step, valid, parameters, created, run, parent, tag, note; compared with = != < <= > >=
    - `space` chooses runs, `=` compares those that are chosen, `c` draws them on the playground's charts
    - `p` puts branches below their parents
    - `n` notes something, `t` sets tags, `r` renames
    - `d` removes a run into the workspace's trash, `u` brings the last one back
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_run", "Resume", id="runs.resume"),
        Binding("space", "choose", "Choose", id="runs.choose"),
        Binding("up,k", "move(-1)", "Up", show=False, id="runs.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="runs.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="runs.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="runs.page-down"),
        Binding("home,ctrl+home", "move(-1000000000)", "First", show=False, id="runs.first"),
        Binding("end,ctrl+end", "move(1000000000)", "Last", show=False, id="runs.last"),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another run, or on none."""

        run: str | None

    @dataclass
    class Opened(Message):
        """A run was chosen with Enter or a second click."""

        run: str

    @dataclass
    class Chosen(Message):
        """A run was marked for comparison, or no longer."""

        run: str

    @dataclass
    class HeaderClicked(Message):
        """The title of a column was clicked."""

        column: str

    def __init__(self, browser: RunBrowser) -> None:
        super().__init__()
        self._browser = browser
        self._cursor: str | None = None
        self._row = 0
        """The row of the cursor when the rows were last drawn."""
        self._moved = False
        self._columns: list[Column] = []
        self._styles: dict[str, Style] = {}
        self._grounds: dict[str, tuple[Style, Style, Style]] = {}

    @property
    def cursor(self) -> str | None:
        """The name of the run under the cursor; None in an empty list."""
        return self._cursor

    @property
    def columns(self) -> list[str]:
        """The columns in sight."""
        return [column.name for column in self._columns]

    @property
    def cut_text(self) -> str:
        """What the row under the cursor does not show in full: a long name, and the note."""
        run = self._browser.run_named(self._cursor or "")
        if run is None:
            return ""
        name = visible_line(run.name)
        cut = not any(column.name == "run" and column.width >= cell_len(name) for column in self._columns)
        return "  ".join(part for part in (name * cut, visible_line(run.notes.note)) if part)

    def show(self, top: bool = False) -> None:
        """Draws the browser's rows anew.

        The cursor stays on its run, or on the row where that was; with `top`, and as long as nobody has moved it, it is
        on the first row.
        """
        rows = self._browser.rows
        row = self._browser.row_of(self._cursor) if self._moved else 0
        if top:
            row, self._moved = 0, False
        if row is None:
            row = min(self._row, len(rows) - 1)
        self._fit()
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        self._set_cursor(row)
        self.refresh()

    def _fit(self) -> None:
        available = max(0, self.size.width - MARK)
        self._columns = fit_columns(self._browser.widths, available, self._browser.indent)

    def on_resize(self) -> None:
        self._fit()
        self.virtual_size = Size(self.size.width, len(self._browser.rows) + 1)
        self._keep_in_sight()
        self.refresh()

    # --- the cursor -----------------------------------------------------------------------------------------

    def move_to(self, name: str) -> None:
        """Puts the cursor on a run, if it is shown."""
        row = self._browser.row_of(name)
        if row is not None:
            self._moved = True
            self._set_cursor(row)

    def action_move(self, rows: int) -> None:
        self._moved = True
        self._set_cursor(min(max(self._row + rows, 0), len(self._browser.rows) - 1))

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 2))

    def _set_cursor(self, row: int) -> None:
        rows = self._browser.rows
        former, self._row = self._row, max(row, 0)
        name = rows[row].run.name if 0 <= row < len(rows) else None
        self.refresh_row(former)
        self.refresh_row(self._row)
        self._keep_in_sight()
        if name != self._cursor:
            self._cursor = name
            self.post_message(self.Highlighted(name))

    def _keep_in_sight(self) -> None:
        visible = max(1, self.size.height - 1)
        top = round(self.scroll_offset.y)
        if self._row < top:
            self.scroll_to(y=self._row, animate=False)
        elif self._row >= top + visible:
            self.scroll_to(y=self._row - visible + 1, animate=False)

    def refresh_row(self, row: int) -> None:
        """Repaints one row, if it is in sight."""
        y = row + 1 - round(self.scroll_offset.y)
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return bool(self._browser.runs)

    def action_open_run(self) -> None:
        if self._cursor is not None:
            self.post_message(self.Opened(self._cursor))

    def action_choose(self) -> None:
        if self._cursor is not None:
            self.post_message(self.Chosen(self._cursor))

    def on_click(self, event: events.Click) -> None:
        y = event.y - self.content_offset.y
        x = event.x - self.content_offset.x
        if y == 0:
            column = column_at(self._columns, x - MARK) if x >= MARK else None
            if column is not None and SORTED_BY[column]:
                self.post_message(self.HeaderClicked(column))
            return
        row = y - 1 + round(self.scroll_offset.y)
        if not 0 <= row < len(self._browser.rows):
            return
        again, self._moved = row == self._row, True
        self._set_cursor(row)
        if x < MARK:
            self.action_choose()
        elif again:
            self.action_open_run()

    # --- drawing --------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        if not y and self._browser.runs:
            return self._header()
        row = y - 1 + round(self.scroll_offset.y)
        if not 0 <= row < len(self._browser.rows):
            return Strip.blank(self.size.width, self.rich_style)
        return self._drawn_row(row)

    def text(self) -> list[str]:
        """The rows in sight, the header first."""
        shown = min(self.size.height, len(self._browser.rows) + 1)
        return [self.render_line(y).text.rstrip() for y in range(shown)]

    def _header(self) -> Strip:
        order = self._browser.order
        style, sorted_ = self._style("header"), self._style("sorted")
        segments = [Segment(" " * MARK, style)]
        for column in self._columns:
            title, ink = column.name, style
            if SORTED_BY[column.name] == order.column:
                title, ink = f"{title} {'↓' if order.descending else '↑'}", sorted_
            segments += [Segment(_aligned(column, title), ink), Segment(" " * GAP, style)]
        return Strip(segments).adjust_cell_length(self.size.width, style)

    def _drawn_row(self, row: int) -> Strip:
        branch = self._browser.rows[row]
        name = branch.run.name
        here = row == self._row and self._cursor is not None
        style, muted, live = self._inks(("cursor" if self.has_focus else "header") if here else "")
        segments = [self._mark(name, here and self.has_focus, style)]
        cells = self._browser.cells(name)
        for column in self._columns:
            if column.name == "run":
                lines = shortened(branch.lines, max(0, column.width - 4))
                shown = middle_shortened(cells["run"], column.width - len(lines))
                segments.append(Segment(lines, muted))
                segments.append(Segment(padded(shown, column.width - len(lines)), style))
            else:
                ink = live if column.name == "now" else style if column.name in ("step", "valid") else muted
                segments.append(Segment(_aligned(column, cells[column.name]), ink))
            segments.append(Segment(" " * GAP, style))
        return Strip([one for one in segments if one.text]).adjust_cell_length(self.size.width, style)

    def _mark(self, name: str, here: bool, style: Style) -> Segment:
        chosen = self._browser.chosen
        if name in chosen:
            look = run_look(chosen.index(name))
            shade = look.shade(self.app.current_theme.dark)
            return Segment(f"{look.mark} ", style + Style(color=None if self.app.no_color else shade, bold=True))
        return Segment("› " if here else "  ", style)

    def _inks(self, ground: str) -> tuple[Style, Style, Style]:
        """The styles of a row's text, of its minor text and of the pace, on the `ground` of that component."""
        if ground not in self._grounds:
            style = self.rich_style + (self._style(ground) if ground else Style.null())
            muted, live = (style + Style(color=self._style(name).color) for name in ("muted", "training"))
            self._grounds[ground] = style, muted, live
        return self._grounds[ground]

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"run-list--{name}")
        return self._styles[name]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles, self._grounds = {}, {}

    def on_focus(self) -> None:
        self.refresh_row(self._row)

    def on_blur(self) -> None:
        self.refresh_row(self._row)


def list_width(browser: RunBrowser, most: int) -> int:
    """Returns the width of a list in which everything is shown in full, at most `most` cells."""
    columns = fit_columns(browser.widths, most - MARK - 1, browser.indent)
    return min(most, MARK + 1 + sum(column.width + GAP for column in columns))


def _aligned(column: Column, text: str) -> str:
    text = shortened(text, column.width)
    return padded(text, column.width) if column.name not in NUMBERS else text.rjust(column.width)
