"""The last gate before the terminal: no text of a widget carries a control character past it."""

from __future__ import annotations

from functools import cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from rnnplay.common.terminal_text import CONTROLS, MISLEADING


@cache
def _table() -> dict[int, str | None]:
    """Made when first needed, for that takes as long as a frame.

    A character for which the layout has left no cell is taken out, so that nothing else in the line moves.
    """
    return {code: shown if cell_len(chr(code)) else None for code, shown in (CONTROLS | MISLEADING).items()}


class SanitizedLines(LineFilter):
    """Widgets show what is foreign in visible forms (widgets/visible.py); this is for what slips through."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        if all(segment.control or segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.control else Segment(segment.text.translate(_table()), segment.style)
            for segment in segments
        ]
