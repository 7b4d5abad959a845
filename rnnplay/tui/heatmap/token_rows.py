"""Where the tokens of a text stand when it is wrapped into rows of cells. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from rnnplay.tui.widgets.visible import shortened, visible_line


class Place(NamedTuple):
    """One token in a row."""

    number: int
    """Of the token in the text."""
    column: int
    text: str
    """As it is shown; as many cells as it takes."""

    @property
    def end(self) -> int:
        """The column after it."""
        return self.column + cell_len(self.text)


def wrap(tokens: Sequence[str], width: int, *, gap: int = 0) -> list[list[Place]]:
    """`tokens` in rows of at most `width` cells, `gap` cells apart; a newline, shown as ⏎, ends its row."""
    rows: list[list[Place]] = [[]]
    column = 0
    for index, token in enumerate(tokens):
        text = shortened(visible_line(token) or " ", max(width, 1))
        # A character that takes no cell has one of its own here: it can be predicted and read like others.
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
    """The row that token `index` is in; 0 if there is none."""
    return next((y for y, row in enumerate(rows) if row and row[0].number <= index <= row[-1].number), 0)


def at_column(row: Sequence[Place], column: int) -> int | None:
    """The token of `row` nearest to `column`; None if the row is empty."""
    if not row:
        return None
    return min(row, key=lambda place: max(place.column - column, column - place.end + 1, 0)).number


def gap_of(tokens: Sequence[str]) -> int:
    """Cells between tokens: none between characters, one between words."""
    return int(any(len(token) > 1 and token != "<unk>" for token in tokens))
