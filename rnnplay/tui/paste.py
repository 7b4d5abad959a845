"""Pasted text stays text, whatever escape characters are in it.

A terminal sends a paste between two marks. Textual's parser looks for escape sequences also between them, and what it
does not know it hands on as keys: a text copied from a log could move the cursor, leave the field and press commands.
Most terminals take such characters out of what they send; tmux and some others do not.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"


class PasteCleaner:
    """Takes the escape characters out of pastes, in a stream that comes in pieces of any size."""

    def __init__(self) -> None:
        self.pasting = False
        """Whether the end of a paste has still to come."""
        self._held = ""
        """The beginning of what may be the end mark; only while pasting."""
        self._seen = ""
        """The end of what went before, in which a start mark may have begun."""

    def clean(self, piece: str) -> str:
        """What of the stream so far can be handed on and was not yet."""
        done = []
        rest, self._held = self._held + piece, ""
        while rest:
            if self.pasting:
                text, end, rest = rest.partition(END)
                if not end:
                    begun = next((size for size in range(len(END) - 1, 0, -1) if text.endswith(END[:size])), 0)
                    text, self._held = text[: len(text) - begun], text[len(text) - begun :]
                done += [text.replace("\x1b", ""), end]
                self.pasting = not end
            else:
                before, start, after = (self._seen + rest).partition(START)
                done.append(rest.removesuffix(after) if start else rest)
                self._seen = "" if start else before[-(len(START) - 1) :]
                rest, self.pasting = after, bool(start)
        return "".join(done)


class Parser(XTermParser):
    """Textual's parser of what a terminal sends, behind a PasteCleaner; what it does not understand is left out."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._cleaner = PasteCleaner()

    @property
    def pasting(self) -> bool:
        """Whether a paste has begun and its end has not come."""
        return self._cleaner.pasting

    def feed(self, data: str) -> Iterable[Message]:
        # An empty piece ends the stream; one that is held back whole must not.
        cleaned = self._cleaner.clean(data)
        return super().feed(cleaned) if cleaned or not data else ()

    def _parse_extended_key(self, sequence: str) -> list[events.Key] | None:  # type: ignore[override]  # cached there
        try:
            return super()._parse_extended_key(sequence)
        except (ValueError, OverflowError):  # a code that is no character's, or no number
            return [events.Key(Keys.Ignore, sequence)]

    def parse_mouse_code(self, code: str) -> Message | None:
        try:
            return super().parse_mouse_code(code)
        except (ArithmeticError, ValueError, IndexError):  # of a window that is said to have no size
            return None
