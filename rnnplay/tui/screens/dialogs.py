"""Dialogs that ask one question: with two answers, or with an answer to be typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, Label, Static

from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import key_name
from rnnplay.tui.widgets.key_row import KeyRow


class DialogBox(VerticalScroll, can_focus=False):
    """The frame of a dialog, as high as what is in it; it scrolls in a window that is too low for that."""


class Dialog(ModalScreen[ScreenResultType]):
    """A screen with one framed box in the middle, its only `Vertical` or `VerticalScroll`, over the one before.

    Its keys stand in the last row, over those of the screen before, which do nothing meanwhile.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical, Dialog > VerticalScroll {
        max-width: 96%; height: auto; max-height: 100%; padding: 0 1; background: $surface; scrollbar-size-vertical: 1;
        border: round $primary; border-title-color: $primary; border-subtitle-color: $text-muted;
    }
    """

    def on_mount(self) -> None:
        if self.is_attached:  # one that closes at once may be gone by now
            self.mount(KeyRow(compact=True))


class Confirm(Dialog[bool]):
    """Asks a question with two answers; the result is True for the first one, False for the second or Escape."""

    DEFAULT_CSS = """
    Confirm > DialogBox { width: 60; max-width: 90%; padding: 1 2; }
    Confirm Label { width: 1fr; }
    Confirm Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    Confirm Button { margin-left: 2; background: $panel; color: $foreground; }
    Confirm Button:focus { background: $accent; color: $background; }
    """

    HELP = """
    ## A question

    `←` `→` or `Tab` choose an answer, `Enter` gives it; `Escape` cancels.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "Cancel", id="everywhere.back"),
        *HELP_KEYS,
        Binding("left,right,up,down", "app.focus_next", show=False, id="dialog.next"),
    ]

    def __init__(self, title: str, question: str, yes: str, no: str = "Cancel", *, lost: bool = False) -> None:
        """With `lost`, "yes" cannot be undone, so the focus begins on "no"."""
        super().__init__()
        self._title, self._question, self._yes, self._no = title, question, yes, no
        self._lost = lost

    def on_mount(self) -> None:
        self.query_one("#no" if self._lost else "#yes").focus()

    def compose(self) -> ComposeResult:
        with DialogBox() as box:
            box.border_title = self._title
            yield Label(self._question, markup=False)
            with Horizontal():
                yield Button(self._yes, id="yes", variant="primary", compact=True)
                yield Button(self._no, id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Ask(Dialog[None]):
    """Asks for a line of text; stays open, with the reason, until `answer` accepts the line or Escape is pressed."""

    DEFAULT_CSS = """
    Ask > DialogBox { width: 60; max-width: 90%; padding: 1 2; }
    Ask Label { width: 1fr; margin-bottom: 1; }
    Ask #refusal { display: none; height: auto; margin-top: 1; color: $error; }
    Ask #refusal.shown { display: block; }
    Ask .hint { color: $text-muted; margin: 1 0 0 0; }
    """

    HELP = """
    ## A question

    `Enter` accepts what was typed; `Escape` cancels.
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="everywhere.back"), *HELP_KEYS]

    def __init__(
        self, title: str, question: str, verb: str, answer: Callable[[str], Awaitable[str | None]], *, text: str = ""
    ) -> None:
        """`answer` is called with the stripped line; it returns None to accept it, or the reason for a refusal.

        `text` stands in the line at first.
        """
        super().__init__()
        self._title, self._question, self._verb, self._answer = title, question, verb, answer
        self._text = text

    def compose(self) -> ComposeResult:
        with DialogBox() as box:
            box.border_title = self._title
            yield Label(self._question, markup=False)
            yield Input(self._text, compact=True, select_on_focus=False)
            yield Static("", id="refusal", markup=False)
            hint = f"Enter: {self._verb.lower()}, {key_name('everywhere.back')}: cancel"
            yield Label(hint, classes="hint", markup=False)

    def on_input_changed(self) -> None:
        self._say("")

    @work(exclusive=True)
    async def on_input_submitted(self, event: Input.Submitted) -> None:
        reason = await self._answer(event.value.strip())
        if reason is None:
            self.dismiss()
        else:
            self._say(reason)

    def _say(self, reason: str) -> None:
        line = self.query_one("#refusal", Static)
        line.update(reason)
        line.set_class(bool(reason), "shown")

    def action_cancel(self) -> None:
        self.dismiss()
