"""Which part of a text is on a row of a TextArea; the public way to ask counts all rows before it."""

from __future__ import annotations

from typing import NamedTuple

from textual.document._wrapped_document import WrappedDocument


class WrappedRow(NamedTuple):
    """The characters `start` to `end` of a line."""

    line: int
    start: int
    end: int


def wrapped_row(wrapped: WrappedDocument, y: int) -> WrappedRow | None:
    """Returns what is on row `y`, counted from the first of the text; None after the last."""
    rows = wrapped._offset_to_line_info
    if not 0 <= y < len(rows):
        return None
    line, section = rows[y]
    ends = wrapped.get_offsets(line)
    start = ends[section - 1] if section else 0
    return WrappedRow(line, start, ends[section] if section < len(ends) else len(wrapped.document[line]))
