"""The rows into which a TextArea wraps its lines: which text is on a row, and long lines wrapped in no time.

Textual wraps the whole line at every key, and divides all of it to find where the cursor is: half a second of a line of
200,000 characters. Here a key wraps anew the rows around what has changed.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import Any, NamedTuple

from rich.cells import get_character_cell_size
from textual.document import _wrapped_document
from textual.document._wrapped_document import WrappedDocument

from rnnplay.text.tokenizers.preparing import common_length

LONG_LINE = 2_000
"""Shorter lines are wrapped by Textual."""
_MOST_PER_CELL = 4
"""Most characters of a row, for each of its cells: some have no width."""

_wrapping: Any = _wrapped_document
_compute_wrap_offsets = _wrapping.compute_wrap_offsets
_get_tab_widths = _wrapping.get_tab_widths


class WrappedRow(NamedTuple):
    """The characters `start` to `end` of a line."""

    line: int
    start: int
    end: int


def wrapped_row(wrapped: WrappedDocument, y: int) -> WrappedRow | None:
    """Returns what is on row `y`, counted from the first of the text; None after the last.

    The public way to ask counts all rows before it.
    """
    rows = wrapped._offset_to_line_info
    if not 0 <= y < len(rows):
        return None
    line, section = rows[y]
    ends = wrapped.get_offsets(line)
    start = ends[section - 1] if section else 0
    return WrappedRow(line, start, ends[section] if section < len(ends) else len(wrapped.document[line]))


class LongLineWrapper:
    """Wraps a long line as Textual does: after the last space that fits, or else within the word.

    Where a row ends depends on nothing before it, so of the line that was wrapped last the rows before a change stay,
    and those after it from the first one on that begins where one did before.
    """

    def __init__(self) -> None:
        self._line, self._width = "", 0
        self._starts: list[int] = []
        self.wrapped = 0
        """The number of rows that were wrapped, for tests."""

    def wrap(self, line: str, width: int) -> list[int]:
        """Returns where each row but the first begins, as character indices; `line` has no tabs."""
        old, old_starts = self._line, self._starts if width == self._width else []
        before = common_length(old, line)
        shift = len(line) - len(old)
        changed_to = len(line) - _common_end(old, line, before)
        # A row is decided by what is read of it and of the character after it.
        kept = bisect_left(old_starts, before - _MOST_PER_CELL * width - 1)
        starts = old_starts[: max(0, kept - 1)]
        at = starts[-1] if starts else 0
        while (row_end := next_row(line, at, width)) is not None:
            self.wrapped += 1
            at = row_end
            if at >= changed_to:
                same = bisect_left(old_starts, at - shift)
                if same < len(old_starts) and old_starts[same] == at - shift:
                    starts += [start + shift for start in old_starts[same:]]
                    break
            starts.append(at)
        self._line, self._width, self._starts = line, width, starts
        return list(starts)


def next_row(line: str, start: int, width: int) -> int | None:
    """Returns where the row ends that begins at `start` and has `width` cells; None for the last one."""
    end = start + width
    shown = line[start : end + 1]
    if not (shown.isascii() and shown.isprintable()):
        left, end = width, start
        for character in line[start : start + _MOST_PER_CELL * width]:
            left -= get_character_cell_size(character)
            if left < 0:
                break
            end += 1
        shown = line[start : end + 1]
    if end >= len(line):
        return None
    words = shown.rstrip()
    last = words.rsplit(None, 1)[-1] if words else ""
    begins = start + len(words) - len(last)
    if begins > start and last:
        return begins
    return max(end, start + 1)


def _common_end(one: str, other: str, before: int) -> int:
    """The number of characters with which both texts end, without their first `before`."""
    low, high = 0, min(len(one), len(other)) - before
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


_long_lines = LongLineWrapper()


def _wrap_offsets(text: str, width: int, *arguments: Any, **options: Any) -> list[int]:
    if len(text) < LONG_LINE or "\t" in text:
        offsets: list[int] = _compute_wrap_offsets(text, width, *arguments, **options)
        return offsets
    return _long_lines.wrap(text, width)


def _tab_widths(line: str, tab_size: int = 4) -> list[tuple[str, int]]:
    if "\t" not in line and line:
        return [(line, 0)]
    widths: list[tuple[str, int]] = _get_tab_widths(line, tab_size)
    return widths


def _sections(wrapped: WrappedDocument, line_index: int) -> list[str]:
    """The rows of a line."""
    line = wrapped.document[line_index]
    return [line[start:end] for start, end in pairwise([0, *wrapped.get_offsets(line_index), len(line)])]


def wrap_long_lines() -> None:
    """Makes every TextArea wrap long lines so; may be called more than once."""
    _wrapping.compute_wrap_offsets = _wrap_offsets
    _wrapping.get_tab_widths = _tab_widths
    WrappedDocument.get_sections = _sections  # type: ignore[method-assign, assignment]
