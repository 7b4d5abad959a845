"""What is written to the terminal: never an error, whatever the encoding, and whether or not it is still there."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys

from rnnplay.common.encodings import HANDLER, ascii_alike, register

_DRAWING = re.compile("[\u2010-\u2bff]")
"""Lines, bars, arrows and signs. Encodings of East Asia have some of them, in most fonts two cells wide."""


def terminal_encoding() -> str | None:
    """What the interface is written in: Textual draws on stderr."""
    return sys.__stderr__.encoding if sys.__stderr__ is not None else None


class TerminalOutput:
    """A file as Textual's writer thread uses it, of text for the descriptor of a terminal."""

    def __init__(self, descriptor: int, encoding: str | None) -> None:
        register()
        try:
            self._encoding = codecs.lookup(encoding or "utf-8").name
        except LookupError:
            self._encoding = "utf-8"
        self._descriptor = descriptor
        self.gone = False
        """Nobody is there to see what is written; it is dropped from now on."""

    def write(self, text: str) -> None:
        """All of it; waits while the terminal takes none."""
        if self._encoding != "utf-8":
            text = _DRAWING.sub(lambda match: ascii_alike(match[0]), text)
        rest = memoryview(text.encode(self._encoding, HANDLER))
        while rest and not self.gone:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another program has made the terminal non-blocking
                select.select([], [self._descriptor], [], 1.0)
            except OSError:
                self.gone = True

    def flush(self) -> None:
        """Nothing waits: what is written is there."""

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return True
