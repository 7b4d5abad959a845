"""A table in which a row is chosen."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import DataTable


class RowTable(DataTable[Text]):
    """Home and End go to the first and the last row; Textual's go to the first and last column.

    A subclass binds Enter itself, so that it comes after the arrows pressed before it and the footer says what it does.
    """

    def __init__(self) -> None:
        super().__init__(cursor_type="row")

    def action_scroll_home(self) -> None:
        self.move_cursor(row=0)

    def action_scroll_end(self) -> None:
        self.move_cursor(row=self.row_count - 1)
