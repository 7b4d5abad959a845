"""A question that is answered by a word, over whatever is on screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label


class Ask(ModalScreen[str | None]):
    """What was typed, without spaces around it; None for nothing or escape."""

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical {
        width: 60; max-width: 90%; height: auto; padding: 1 2;
        border: round $primary; border-title-color: $primary; background: $surface;
    }
    Ask Label { width: 1fr; margin-bottom: 1; }
    Ask .hint { color: $text-muted; margin: 1 0 0 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, title: str, question: str, verb: str) -> None:
        super().__init__()
        self._title, self._question, self._verb = title, question, verb

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            yield Label(self._question, markup=False)
            yield Input(compact=True, select_on_focus=False)
            yield Label(f"Enter: {self._verb.lower()}, escape: leave it", classes="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)

    def action_cancel(self) -> None:
        self.dismiss(None)
