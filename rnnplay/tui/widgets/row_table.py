"""A table in which the user chooses a row."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import DataTable


class RowTable(DataTable[Text]):
    """Home and End go to the first and last row, where Textual's table goes to the first and last column.

    A subclass binds Enter itself, so that Enter follows the arrows pressed before it, and the footer names its effect.
    """

    def __init__(self) -> None:
        super().__init__(cursor_type="row")

    def action_scroll_home(self) -> None:
        self.move_cursor(row=0)

    def action_scroll_end(self) -> None:
        self.move_cursor(row=self.row_count - 1)
