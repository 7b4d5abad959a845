"""The list of a field's choices, which opens below the field."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList

from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.screens.dialogs import Dialog
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.widgets.visible import padded, shortened, visible_line

BORDER, PADDING, GAP = 2, 2, 2
"""Cells for the frame, beside an option, and between an option and what is said of it."""


class ChoiceList(Dialog[int | None]):
    """The choices of a field; the result is the index of the chosen one, None if the list was closed.

    Typing goes to the first option that begins with what was typed.
    """

    DEFAULT_CSS = """
    ChoiceList { align: left top; background: transparent; }
    ChoiceList > OptionList, ChoiceList > OptionList:focus {
        border: round $primary; background: $surface; background-tint: transparent; scrollbar-size-vertical: 1;
    }
    """
    HELP = """
    ## Choices

    `↑` `↓` or the first letters go to one, `Enter` or a click takes it, `Escape` leaves all as it was.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="everywhere.back"),
        *HELP_KEYS,
    ]

    def __init__(self, field: KnobField) -> None:
        super().__init__()
        self._field = field
        self._choices = [(visible_line(name), visible_line(about)) for name, about in field.options.listed()]
        self._typed = ""
        self._list = OptionList()

    def compose(self) -> ComposeResult:
        yield self._list

    def on_mount(self) -> None:
        self._opened_at = self.app.size
        self._place()
        self._list.highlighted = max(self._field.chosen, 0)
        self._list.focus()

    def on_resize(self) -> None:
        if self.app.size != self._opened_at:  # the field is elsewhere now
            self.dismiss(None)

    def _place(self) -> None:
        """Fills the list and puts it below the field, or above it where there is more room."""
        names = max(cell_len(name) for name, _ in self._choices)
        rows = [f"{padded(name, names)}{' ' * GAP}{about}".rstrip() for name, about in self._choices]
        field, screen = self._field.region, self.app.size
        width = min(
            max(*(cell_len(row) for row in rows), field.width - PADDING - BORDER) + PADDING + BORDER, screen.width
        )
        below = screen.height - 1 - field.bottom  # without the footer
        height = min(len(rows) + BORDER, max(below, field.y))
        self._list.styles.width, self._list.styles.height = width, height
        self._list.styles.offset = (
            min(field.x, screen.width - width),
            field.bottom if height <= below else field.y - height,
        )
        for (name, _), row in zip(self._choices, rows, strict=True):
            row = shortened(row, width - PADDING - BORDER)
            self._list.add_option(Content.assemble(row[: len(name)], (row[len(name) :], "dim")))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)

    def on_click(self, event: events.Click) -> None:
        """A click beside the list closes it."""
        if event.widget is self:
            self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        if event.character is None or not event.is_printable or event.character == "?":
            self._typed = ""
            return
        event.stop()
        for typed in (self._typed + event.character, event.character):
            for index, (name, _) in enumerate(self._choices):
                if name.casefold().startswith(typed.casefold()):
                    self._typed, self._list.highlighted = typed, index
                    return
        self._typed = ""
