"""Turns what a terminal sends into events: any bytes, in pieces of any size, give events or nothing, never an error.

Textual's parser reads characters and expects a terminal that makes no mistakes. Here, before it, bytes are decoded
(bytes that form no character become U+FFFD), mouse reports in the oldest format are rewritten in the newest, and pastes
are kept whole: their text stays text, whatever escape characters are in it, and however long their end is in coming.
Textual would look for escape sequences there, too, and hand on what it does not know as keys: a text copied from a log
could leave the field and press commands.
"""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Generator, Iterable, Iterator

from textual import constants, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message

from rnnplay.tui.keymap import changed
from rnnplay.tui.keys.catalogue import declared_keys

START, END = b"\x1b[200~", b"\x1b[201~"
X10_MOUSE = b"\x1b[M"
X10_SIZE = len(X10_MOUSE) + 3
"""Buttons, column and row are one byte each, from 32 on."""

STALLED_SECONDS = 2.0
"""A paste whose end has not come after this time of silence is reported as still under way."""
GIVEN_UP_SECONDS = 1.0
"""Escape, followed by this time of silence, gives up such a paste."""
LARGEST_PASTE = 4_000_000
"""Bytes of one paste that are kept, its last, as in the prompt."""

_LEADS = [X10_MOUSE[:size] for size in (1, 2)] + [START[:size] for size in range(1, len(START))]
_LEADS.sort(key=len, reverse=True)
_MARK = re.compile(re.escape(START) + b"|" + re.escape(X10_MOUSE))


_BEGIN_MORE = "[]OPX^_\\"
"""Characters that begin a sequence after an escape character."""


class PasteStalled(Message):
    """A paste has begun, and its end has not come for a while."""


class Parser(XTermParser):
    """Textual's parser; a meaningless sequence produces no event."""

    def parse_mouse_code(self, code: str) -> Message | None:
        try:
            return super().parse_mouse_code(code)
        except (ValueError, OverflowError, ZeroDivisionError):  # a terminal that reports a size of 0 pixels
            return None

    def __init__(self) -> None:
        super().__init__()
        keymap = changed()
        self._alt_keys = {
            key
            for binding, (_, keys) in declared_keys().items()
            for key in keymap.get(binding, keys)
            if key.startswith("alt+")
        }

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        known = isinstance(ANSI_SEQUENCES_KEYS.get(sequence), tuple)
        if len(sequence) == 2 and sequence[0] == "\x1b" and sequence[1] not in _BEGIN_MORE and not known:
            sequence, alt = sequence[1], True
        if alt and len(sequence) == 1:
            return self._alt_or_escape(sequence)
        try:
            keys = list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):  # an invalid code point
            return [events.Key(Keys.Ignore, sequence)]
        # Half of a surrogate pair can neither be written nor sent.
        return [
            events.Key(Keys.Ignore, sequence) if any("\ud800" <= letter <= "\udfff" for letter in name) else key
            for key in keys
            for name in (f"{key.key}{key.character or ''}",)
        ]

    def _alt_or_escape(self, character: str) -> list[events.Key]:
        """The key that a terminal sends as an escape character and `character`, which are two keys as well.

        It is alt with `character` where that does something, and else Escape and then `character`: Textual would type
        it, and lose the Escape of a user who is quick (or type a "–" of alt+-, as option+- does on a Mac).
        """
        keys = list(super()._sequence_to_key_events(character))
        alt = f"alt+{keys[0].key}" if keys else ""
        return [events.Key(alt, None)] if alt in self._alt_keys else [events.Key("escape", "\x1b"), *keys]


class TerminalInput:
    """Turns the bytes of a terminal into Textual's events."""

    def __init__(self, encoding: str = "utf-8") -> None:
        try:
            if "\x1b".encode(encoding) != b"\x1b":
                encoding = "utf-8"  # no terminal sends UTF-16, whatever PYTHONIOENCODING says
        except LookupError:
            encoding = "utf-8"
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode
        self._encoding = encoding
        self._parser = Parser()
        self._lead = b""
        """The beginning of a mark that the parser already has: it may be the Escape key."""
        self._held = b""
        """The beginning of a mark, or of a mouse report, that the parser does not have."""
        self._pasted: list[bytes] | None = None
        """The text so far of the current paste."""
        self._stalled = self._giving_up = False
        """Whether its stalling was reported; whether the last input is a single Escape."""
        self._late = b""
        """The rest of the end mark, in case the Escape that gave up the paste was its beginning."""
        self._last = 0.0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The events completed by `data`."""
        self._last = time.monotonic()
        self._stalled, self._giving_up = False, data == b"\x1b"
        data, self._late = data.removeprefix(self._late), b""
        rest, self._held = self._held + data, b""
        while rest:
            rest = yield from self._paste(rest) if self._pasted is not None else self._keys(rest)

    def tick(self) -> Iterator[Message]:
        """The events that are due because nothing more has come; call it about every tenth of a second."""
        silent = time.monotonic() - self._last
        if silent > constants.ESCAPE_DELAY:
            self._lead = b""
            if self._pasted is None:
                self._held = b""  # of a mouse report
        if self._pasted is not None:
            yield from self._waiting_for_the_end(silent)
        yield from self._guarded(self._parser.tick())

    # --- keys and the mouse ---------------------------------------------------------------------------------

    def _keys(self, data: bytes) -> Generator[Message, None, bytes]:
        """Handles keys up to the next mark; returns the bytes after it."""
        lead, self._lead = self._lead, b""
        whole = lead + data
        found = _MARK.search(whole)
        if found is None:
            self._lead = next((begun for begun in _LEADS if whole.endswith(begun)), b"")
            yield from self._parse(self._decode(data))
            return b""
        before = whole[len(lead) : found.start()]
        yield from self._parse(self._decode(before))
        done = max(0, len(lead) - found.start())
        """Bytes of the mark that the parser already has."""
        if found[0] == START:
            yield from self._parse(START[done:].decode())
            self._pasted = []
            return whole[found.end() :]
        report = whole[found.start() : found.start() + X10_SIZE]
        if len(report) < X10_SIZE:
            self._held = report[done:]
            self._lead = report[:done]
            return b""
        yield from self._parse(_newest_form(report)[done:])
        return whole[found.start() + X10_SIZE :]

    def _parse(self, text: str) -> Iterator[Message]:
        if text:  # an empty piece would end the parser's stream
            yield from self._guarded(self._parser.feed(text))

    def _guarded(self, parsed: Iterable[Message]) -> Iterator[Message]:
        try:
            yield from parsed
        except Exception:
            # The parser's state is lost; later input is parsed anew.
            self._parser = Parser()

    # --- pastes ---------------------------------------------------------------------------------------------

    def _paste(self, data: bytes) -> Generator[Message, None, bytes]:
        """Collects the bytes of the paste; returns those after it."""
        assert self._pasted is not None
        text, end, rest = data.partition(END)
        if not end:
            begun = next((size for size in range(len(END) - 1, 0, -1) if text.endswith(END[:size])), 0)
            text, self._held = text[: len(text) - begun], text[len(text) - begun :]
        self._pasted.append(text)
        if len(self._pasted) > 1_000:
            self._pasted = [b"".join(self._pasted)[-LARGEST_PASTE:]]
        if end:
            yield from self._end_paste()
        return rest

    def _waiting_for_the_end(self, silent: float) -> Iterator[Message]:
        """Waits for the end of a paste without a time limit: later text would become keys, and its letters commands.

        The terminal sends one thing after the other, so an Escape key comes only if the end will not.
        """
        if self._giving_up and silent > GIVEN_UP_SECONDS:
            self._held, self._late = b"", END[1:]
            yield from self._end_paste()
        elif silent > STALLED_SECONDS and not self._stalled:
            self._stalled = True
            yield PasteStalled()

    def _end_paste(self) -> Iterator[Message]:
        pasted = b"".join(self._pasted or [])[-LARGEST_PASTE:]
        self._pasted = None
        text = pasted.decode(self._encoding, "replace").replace("\x1b", "").replace("\x00", "")
        # The parser has the mark of the beginning, and makes an empty paste of both.
        for event in self._parse(END.decode()):
            yield events.Paste(text) if isinstance(event, events.Paste) else event


def _newest_form(report: bytes) -> str:
    """Converts an X10 mouse report to SGR. X10 does not say which button was released: the left one is assumed."""
    buttons, column, row = (max(0, byte - 32) for byte in report[len(X10_MOUSE) :])
    if buttons & 0b1100011 == 3:
        return f"\x1b[<{buttons & ~3};{column};{row}m"
    return f"\x1b[<{buttons};{column};{row}M"
