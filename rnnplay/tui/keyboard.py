"""Where a typed key goes. The one owner of the rule for when a letter is a command.

A key that is a character, or Enter, is a command only if

- nothing that takes text has the focus: a prompt, a field of the form, the line of a dialog; and
- the key before it was not typed into such a widget. If it was, the widget has lost the focus through something that
  the user did not ask for, and the user types on: that key and those that follow within a moment are dropped, and said
  to be. Escape, Tab, an arrow or a click is asking for it, and so is Enter where there is a line to end.

Keys and pastes are handed on one at a time: the next one waits until what the one before it did is done, so that of a
fast burst each goes where it would go if it were typed slowly.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import Any, TypeGuard

from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets import Input

from rnnplay.tui.setup.knob_field import KnobField

HELP_KEYS: list[BindingType] = [
    Binding("question_mark", "app.help", "Help", key_display="?"),
    Binding("f1", "app.show_help", "Help", show=False),
]
"""For every screen: a dialog hides the application's own."""
MOMENT = 1.0
"""Keys that are dropped go on being dropped until there was no key for so long."""
PATIENCE = 10.0
"""A key is waited for no longer than this: whatever hangs, the keyboard does not."""
POLL = 0.02
TELLINGS = 3
"""So many widgets may have to tell each other, one after the other, what an Enter means."""
TOLD_SECONDS = 4.0
"""How long a message about keys is shown; meanwhile there is no second one."""
FUNCTION_KEYS = {f"f{number}" for number in range(1, 13)}
COMMANDS_OF_FUNCTION_KEYS = "F1 helps, F5 trains or pauses, F6 switches clipping, F7 and F8 move its threshold"


class Keyboard:
    """Belongs to one app, which passes it every key before (`holds`) and after (`is_command`) the widgets have it."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[Key | Paste] = deque()
        self._released: Key | Paste | None = None
        self._following: asyncio.Task[None] | None = None
        self._typing_until = 0.0
        """Until then a character is taken for text, whatever has the focus; infinite while a text is being typed."""
        self._told_at = -TOLD_SECONDS

    @property
    def waiting(self) -> int:
        """How many keys and pastes wait for one before them."""
        return len(self._waiting)

    # --- before the widgets -----------------------------------------------------------------------------------

    def holds(self, event: Key | Paste) -> bool:
        """Whether `event` must not be handed on now; it comes again when its turn has come."""
        if event is self._released:
            self._released = None
        elif self._following is not None:
            self._waiting.append(event)
            return True
        focused = self._app.focused
        into_text = takes_text(focused)
        if into_text and _is_text(event):
            self._typing_until = float("inf")
        elif isinstance(event, Key) and not _is_text(event):
            self.acted()
        target: MessagePump = focused or self._app.screen
        self._following = asyncio.create_task(self._follow(event, target, into_text))
        return False

    def acted(self) -> None:
        """The user has done something else than typing: the next letter may be a command."""
        self._typing_until = 0.0

    async def _follow(self, event: Key | Paste, target: MessagePump, into_text: bool) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._done(event, target, into_text)
        except (TimeoutError, ScreenStackError):  # or the app has ended
            pass
        finally:
            self._following = None
            if self._waiting:
                self._released = self._waiting.popleft()
                self._following = asyncio.current_task()  # until it is there, keys that come meanwhile stay behind it
                self._app.post_message(self._released)

    async def _done(self, event: Key | Paste, target: MessagePump, into_text: bool) -> None:
        """Returns when the key was handled by `target` or those around it, and what it did is done."""
        app, screen = self._app, self._app.screen
        around = [node for node in _with_parents(target) if node is not app]
        for node in around:
            await _processed(node)
            if event._stop_propagation:
                break
        if into_text and (isinstance(event, Paste) or event.is_printable) and event._stop_propagation:
            return
        await _processed(app)  # here the action has run
        if isinstance(event, Key) and event.key == "enter":
            # It tells those around, and they others: a line was ended, a row was chosen.
            for node in around * TELLINGS:
                await _processed(node)
        await _processed(app)  # and here what it asked for later, such as the focus
        if app.screen is not screen:
            await _processed(app.screen)  # the new one is there, with its focus

    # --- after the widgets ------------------------------------------------------------------------------------

    def is_command(self, event: Key) -> bool:
        """Whether `event`, which no widget has taken as text, may be one of the commands bound to it."""
        focused = self._app.focused
        if takes_text(focused):
            if focused.check_consume_key(event.key, event.character):
                self._tell(_refusal(focused, event.character or ""))
                return False
            if event.key == "enter":
                self.acted()
            return True
        if not _is_text(event) or monotonic() >= self._typing_until:
            return True
        self._typing_until = monotonic() + MOMENT
        self._tell("You were still typing: what came after that was not taken for commands.")
        return False

    def unbound(self, event: Key) -> None:
        """Nothing is bound to `event`, or nothing that would do something now."""
        if event.key in FUNCTION_KEYS:
            self._tell(f"{event.key.upper()} does nothing here: {COMMANDS_OF_FUNCTION_KEYS}.")
        elif event.is_printable and not self._app.screen.is_modal:
            name = "Space" if event.key == "space" else f"“{event.character}”"
            self._tell(f"{name} does nothing now; ? shows the keys.")

    def _tell(self, text: str) -> None:
        if monotonic() - self._told_at >= TOLD_SECONDS:
            self._told_at = monotonic()
            self._app.notify(text, timeout=TOLD_SECONDS, markup=False)


def takes_text(widget: Widget | None) -> TypeGuard[Input | KnobField]:
    """Whether what is typed belongs to `widget`, the one that has the focus."""
    return isinstance(widget, Input | KnobField)


def _is_text(event: Key | Paste) -> bool:
    return isinstance(event, Paste) or event.is_printable or event.key in ("enter", "backspace")


def _refusal(widget: Input | KnobField, character: str) -> str:
    if isinstance(widget, KnobField):
        return f"{widget.refusal(character)} Escape leaves the field; then letters are commands again."
    return f"“{character}” was not taken."


def _with_parents(node: MessagePump) -> list[MessagePump]:
    found = [node]
    while (parent := found[-1]._parent) is not None:
        found.append(parent)
    return found


async def _processed(node: MessagePump) -> None:
    """Returns when `node` has handled all the messages it has now; at once if it takes none any more."""
    done = asyncio.get_running_loop().create_future()

    def finish() -> None:
        if not done.done():
            done.set_result(None)

    if node.call_later(finish):
        while not done.done() and not node._closing and not node._closed:
            await asyncio.wait([done], timeout=POLL)
