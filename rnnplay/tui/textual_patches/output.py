"""Output to the terminal: without control characters, in any encoding, and without an error once it is closed."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
from functools import cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from rnnplay.common.encodings import HANDLER, ascii_alike, register
from rnnplay.common.terminal_text import CONTROLS, MISLEADING

_DRAWING = re.compile("[\u2010-\u2bff]")
"""Lines, bars, arrows and signs. East Asian encodings have some of them, in most fonts two cells wide."""


def terminal_encoding() -> str | None:
    """The encoding of the interface: Textual draws on stderr."""
    return sys.__stderr__.encoding if sys.__stderr__ is not None else None


class TerminalOutput:
    """A file for Textual's writer thread that writes text to the descriptor of a terminal."""

    def __init__(self, descriptor: int, encoding: str | None) -> None:
        register()
        try:
            self._encoding = codecs.lookup(encoding or "utf-8").name
        except LookupError:
            self._encoding = "utf-8"
        self._descriptor = descriptor
        self.gone = False
        """Whether the terminal is gone; later output is dropped."""

    def write(self, text: str) -> None:
        """Writes all of `text`; waits while the terminal accepts none."""
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
        """Does nothing: `write` does not buffer."""

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return True


@cache
def _table() -> dict[int, str | None]:
    """Replacements by code point; built on first use, because that takes as long as a frame.

    A character for which the layout has left no cell is removed, so that nothing else in the line moves.
    """
    return {code: shown if cell_len(chr(code)) else None for code, shown in (CONTROLS | MISLEADING).items()}


class SanitizedLines(LineFilter):
    """Replaces control characters that widgets have not made visible themselves (widgets/visible.py)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        if all(segment.control or segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.control else Segment(segment.text.translate(_table()), segment.style)
            for segment in segments
        ]
