"""Decides where a typed key goes, and alone decides when a letter is a command.

A key that is a character, or Enter, is a command only if

- no widget that takes text has the focus: a prompt, a field of the form, the line of a dialog; and
- the key before it was not typed into such a widget. If it was, the widget has lost the focus without the user's doing,
  and the user is still typing: this key and those that follow closely are dropped, with a message. Escape, Tab, an
  arrow or a click moves the focus by intent, as does Enter where it ends a line.

Keys and pastes are handled one at a time. Each waits until the effects of the one before it are complete, so that the
keys of a fast burst go where they would go if typed slowly.
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
from textual.widgets import Input, TextArea

from rnnplay.tui.keymap import key_name
from rnnplay.tui.setup.knob_field import KnobField

HELP_KEYS: list[BindingType] = [
    Binding("question_mark", "app.help", "Help", key_display="?", id="everywhere.help"),
    Binding("f1", "app.show_help", "Help", show=False, id="everywhere.help-typing"),
]
"""Bindings for every screen, because a dialog hides those of the application."""
TYPING_PAUSE_SECONDS = 1.0
"""Dropping keys ends after a pause of this many seconds."""
HANDLING_SECONDS = 10.0
"""Longest wait for a key to be handled, so that nothing that hangs can block the keyboard."""
POLL_SECONDS = 0.02
MESSAGE_ROUNDS = 3
"""Number of widgets that may have to notify one another, in turn, of what an Enter means."""
NOTICE_SECONDS = 4.0
"""How long a message about keys is shown; no second one appears meanwhile."""
FUNCTION_KEYS = {f"f{number}" for number in range(1, 13)}
COMMANDS_OF_FUNCTION_KEYS = {
    "everywhere.help-typing": "helps",
    "scratchpad.surprisal": "shades by surprisal",
    "everywhere.train": "trains or pauses",
    "everywhere.clip": "switches clipping",
    "everywhere.threshold-down": "lowers the threshold",
    "everywhere.threshold-up": "raises it",
    "everywhere.completion": "shows what is suggested",
}
"""What a key that does nothing is answered with, of those that do something where it was pressed."""


class Keyboard:
    """Orders an app's keys: the app calls `holds` before, and `is_command` after, the widgets have handled one."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[Key | Paste] = deque()
        self._released: Key | Paste | None = None
        self._following: asyncio.Task[None] | None = None
        self._typing_until = 0.0
        """Until this time a character counts as text, whatever has the focus; infinite while text is being typed."""
        self._notified_at = -NOTICE_SECONDS

    @property
    def waiting(self) -> int:
        """Number of keys and pastes waiting for an earlier one to be handled."""
        return len(self._waiting)

    # --- before the widgets -----------------------------------------------------------------------------------

    def holds(self, event: Key | Paste) -> bool:
        """Returns whether `event` must wait; it is posted again when its turn has come."""
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
        """Records that the user did something other than typing, so that the next letter may be a command."""
        self._typing_until = 0.0

    async def _follow(self, event: Key | Paste, target: MessagePump, into_text: bool) -> None:
        try:
            async with asyncio.timeout(HANDLING_SECONDS):
                await self._done(event, target, into_text)
        except (TimeoutError, ScreenStackError):  # the app has ended
            pass
        finally:
            self._following = None
            if self._waiting:
                self._released = self._waiting.popleft()
                self._following = asyncio.current_task()  # Keys that arrive before the posted one queue behind it.
                self._app.post_message(self._released)

    async def _done(self, event: Key | Paste, target: MessagePump, into_text: bool) -> None:
        """Waits until `target` and its ancestors have handled the key, and its effects are complete."""
        app, screen = self._app, self._app.screen
        around = [node for node in _with_parents(target) if node is not app]
        for node in around:
            await _processed(node)
            if event._stop_propagation:
                break
        if into_text and (isinstance(event, Paste) or event.is_printable) and event._stop_propagation:
            return
        await _processed(app)  # the app has run the action
        if isinstance(event, Key) and event.key == "enter":
            # Enter makes widgets post messages, such as a submitted line or a chosen row, which others answer with
            # more.
            for node in around * MESSAGE_ROUNDS:
                await _processed(node)
        await _processed(app)  # the app has applied deferred effects, such as a change of focus
        if app.screen is not screen:
            await _processed(app.screen)  # the new screen is mounted and has its focus

    # --- after the widgets ------------------------------------------------------------------------------------

    def is_command(self, event: Key) -> bool:
        """Returns whether `event`, which no widget has taken as text, may run a command bound to it."""
        focused = self._app.focused
        if takes_text(focused):
            if focused.check_consume_key(event.key, event.character):
                self._notify(_refusal(focused, event.character or ""))
                return False
            if event.key == "enter":
                self.acted()
            return True
        if not _is_text(event) or monotonic() >= self._typing_until:
            return True
        self._typing_until = monotonic() + TYPING_PAUSE_SECONDS
        self._notify("You were still typing, so the keys that followed were not run as commands.")
        return False

    def unbound(self, event: Key) -> None:
        """Tells the user that no command is bound to `event`, or none that is available now."""
        if event.key in FUNCTION_KEYS:
            active = {one.binding.id for one in self._app.screen.active_bindings.values() if one.enabled}
            commands = [f"{key_name(key)} {does}" for key, does in COMMANDS_OF_FUNCTION_KEYS.items() if key in active]
            self._notify(f"{event.key.upper()} does nothing here{': ' if commands else ''}{', '.join(commands)}.")
        elif event.is_printable and not self._app.screen.is_modal:
            name = "Space" if event.key == "space" else f"“{event.character}”"
            self._notify(f"{name} does nothing now; {key_name('everywhere.help')} shows the keys.")

    def _notify(self, text: str) -> None:
        if monotonic() - self._notified_at >= NOTICE_SECONDS:
            self._notified_at = monotonic()
            self._app.notify(text, timeout=NOTICE_SECONDS, markup=False)


def takes_text(widget: Widget | None) -> TypeGuard[Input | KnobField | TextArea]:
    """Returns whether `widget`, the focused one, receives typed characters as text."""
    return isinstance(widget, Input | KnobField | TextArea)


def _is_text(event: Key | Paste) -> bool:
    return isinstance(event, Paste) or event.is_printable or event.key in ("enter", "backspace")


def _refusal(widget: Input | KnobField | TextArea, character: str) -> str:
    if isinstance(widget, KnobField):
        leave = key_name("everywhere.back", begins=True)
        return f"{widget.refusal(character)} {leave} leaves the field; then letters are commands again."
    return f"“{character}” was not taken."


def _with_parents(node: MessagePump) -> list[MessagePump]:
    found = [node]
    while (parent := found[-1]._parent) is not None:
        found.append(parent)
    return found


async def _processed(node: MessagePump) -> None:
    """Waits until `node` has handled the messages it has now; returns at once if it accepts none any more."""
    done = asyncio.get_running_loop().create_future()

    def finish() -> None:
        if not done.done():
            done.set_result(None)

    if node.call_later(finish):
        while not done.done() and not node._closing and not node._closed:
            await asyncio.wait([done], timeout=POLL_SECONDS)
