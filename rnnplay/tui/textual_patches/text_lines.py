"""Where the lines of a TextArea end: at newlines and carriage returns alone, as in a file.

Textual divides a text as `str.splitlines` does, at a form feed or a line separator of Unicode, too. They would become
newlines, also in the file that is saved.
"""

from __future__ import annotations

import re
from typing import Any, SupportsIndex

from textual.document._document import Document, EditResult
from textual.widgets import _text_area

_NEWLINE = re.compile("\r\n|\r|\n")

_module: Any = _text_area


class _Text(str):
    __slots__ = ()

    def splitlines(self, keepends: SupportsIndex = False) -> list[str]:  # noqa: ARG002 (Textual keeps none)
        lines = _NEWLINE.split(self)
        return lines if lines[-1] else lines[:-1]


class _Lines(Document):
    def __init__(self, text: str) -> None:
        super().__init__(_Text(text))

    def replace_range(self, start: tuple[int, int], end: tuple[int, int], text: str) -> EditResult:
        return super().replace_range(start, end, _Text(text))


def end_lines_at_newlines() -> None:
    """Makes every TextArea that is created from now on do so."""
    _module.Document = _Lines
