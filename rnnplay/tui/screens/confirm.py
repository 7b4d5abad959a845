"""A question with two answers, over whatever is on screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from rnnplay.tui.keyboard import HELP_KEYS


class Confirm(ModalScreen[bool]):
    """True for the first answer, False for the second or escape."""

    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical {
        width: 60; max-width: 90%; height: auto; padding: 1 2;
        border: round $primary; border-title-color: $primary; background: $surface;
    }
    Confirm Label { width: 1fr; }
    Confirm Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    Confirm Button { margin-left: 2; background: $panel; color: $foreground; }
    Confirm Button:focus { background: $accent; color: $background; }
    """

    HELP = """
    ## A question

    `←` `→` or `Tab` choose an answer, `Enter` gives it; `Escape` changes nothing.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "Cancel"),
        *HELP_KEYS,
        Binding("left,right,up,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, question: str, yes: str, no: str = "Cancel", *, lost: bool = False) -> None:
        """`lost`: what yes does cannot be undone, so that it is not what Enter does at once."""
        super().__init__()
        self._title, self._question, self._yes, self._no = title, question, yes, no
        self._lost = lost

    def on_mount(self) -> None:
        self.query_one("#no" if self._lost else "#yes").focus()

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            yield Label(self._question, markup=False)
            with Horizontal():
                yield Button(self._yes, id="yes", variant="primary", compact=True)
                yield Button(self._no, id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
