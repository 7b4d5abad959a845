"""The words that a text may go on with, and their probabilities, on one row or one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from rnnplay.common.terminal_text import SPACE
from rnnplay.inspection.results import WordCandidate
from rnnplay.tui.widgets.visible import FAINT, MUTED, percentage, shortened, visible_line

LONGEST_WORD = 20
GAP = 2


class WordRow(Widget):
    """The words as "▸as 62%  ere 20%"; ▸ marks the one shown after the cursor. A click takes one."""

    DEFAULT_CSS = """
    WordRow { height: 1; width: 1fr; }
    """

    @dataclass
    class Taken(Message):
        """The user clicked on the word of index `number`."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._words: list[WordCandidate] = []
        self._shown: int | None = None
        self._places: list[range] = []

    def show(self, words: Sequence[WordCandidate], shown: int | None) -> None:
        """Shows `words`, the most probable first, of which the one of index `shown` is the ghost text."""
        if (list(words), shown) != (self._words, self._shown):
            self._words, self._shown = list(words), shown
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        return self._render_rows(width) if height > 1 else self._render_row(width)

    def _parts(self, number: int) -> Content:
        word = self._words[number]
        chosen = number == self._shown
        return Content.assemble(
            ("▸" if chosen else " ", "bold $accent"),
            (shortened(self._visible(word.text), LONGEST_WORD), "bold $accent" if chosen else "$foreground"),
            " ",
            (percentage(word.probability), MUTED),
        )

    def _visible(self, text: str) -> str:
        """The word as it is shown: with visible spaces before it where it stands in the row without them, too."""
        word = text.lstrip(" ")
        twice = sum(other.text.lstrip(" ") == word for other in self._words) > 1
        return (SPACE * (len(text) - len(word)) if twice else text[: len(text) - len(word)]) + visible_line(word)

    def _render_row(self, width: int) -> Content:
        row: list[Content] = []
        self._places = []
        start = 0
        for number in range(len(self._words)):
            part = self._parts(number)
            if start + part.cell_length > width:
                break
            self._places.append(range(start, start + part.cell_length))
            row.append(part)
            start += part.cell_length + GAP
        return Content(" " * GAP).join(row)

    def _render_rows(self, width: int) -> Content:
        title = Content.styled(shortened("words", width), FAINT)
        rows = []
        for number in range(len(self._words)):
            part = self._parts(number)
            chance = percentage(self._words[number].probability)
            text = part[: part.cell_length - cell_len(chance) - 1] if part.cell_length > width else part
            rows.append(text)
        return Content("\n").join([title, *rows] if rows else [])

    def on_click(self, event: events.Click) -> None:
        """Takes the word under the mouse."""
        event.stop()
        if self.content_size.height > 1:
            number: int | None = event.y - 1 if 1 <= event.y <= len(self._words) else None
        else:
            number = next((at for at, place in enumerate(self._places) if event.x in place), None)
        if number is not None:
            self.post_message(self.Taken(number))
