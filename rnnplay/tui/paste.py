"""Pasted text stays text, whatever escape characters are in it.

A terminal sends a paste between two marks. Textual's parser looks for escape sequences also between them, and what it
does not know it hands on as keys: a text copied from a log could move the cursor, leave the field and press commands.
Most terminals take such characters out of what they send; tmux and some others do not.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"


class PasteCleaner:
    """Takes the escape characters out of pastes, in a stream that comes in pieces of any size."""

    def __init__(self) -> None:
        self._pasting = False
        self._held = ""
        """The beginning of what may be the end mark; only while pasting."""
        self._seen = ""
        """The end of what went before, in which a start mark may have begun."""

    def clean(self, piece: str) -> str:
        """What of the stream so far can be handed on and was not yet."""
        done = []
        rest, self._held = self._held + piece, ""
        while rest:
            if self._pasting:
                text, end, rest = rest.partition(END)
                if not end:
                    begun = next((size for size in range(len(END) - 1, 0, -1) if text.endswith(END[:size])), 0)
                    text, self._held = text[: len(text) - begun], text[len(text) - begun :]
                done += [text.replace("\x1b", ""), end]
                self._pasting = not end
            else:
                before, start, after = (self._seen + rest).partition(START)
                done.append(rest.removesuffix(after) if start else rest)
                self._seen = "" if start else before[-(len(START) - 1) :]
                rest, self._pasting = after, bool(start)
        return "".join(done)


class Parser(XTermParser):
    """Textual's parser of what a terminal sends, behind a PasteCleaner."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._cleaner = PasteCleaner()

    def feed(self, data: str) -> Iterable[Message]:
        # An empty piece ends the stream; one that is held back whole must not.
        cleaned = self._cleaner.clean(data)
        return super().feed(cleaned) if cleaned or not data else ()


def keep_pastes_whole() -> None:
    """Let Textual's driver for POSIX terminals use `Parser`. The class has no other way to be told."""
    try:
        from textual.drivers import linux_driver
    except ImportError:  # Windows sends no marks
        return
    linux_driver.XTermParser = Parser  # type: ignore[attr-defined]
