"""Replaces characters that a terminal would obey, or that mislead a reader invisibly, by visible ones.

Names, texts and samples may come from anyone. Those that go to a terminal go through here, or through
rnnplay.tui.widgets.visible, which uses the same tables.
"""

from __future__ import annotations

import re

NEWLINE, TAB, SPACE = "⏎", "⇥", "␣"
"""What they are shown as in a line, and in a token."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

CONTROLS: dict[int, str] = (
    {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), REPLACEMENT)
)
"""C0, DEL and C1: escape sequences begin with one of them."""

MISLEADING: dict[int, str] = dict.fromkeys(
    (
        *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # change the direction of a line
        *(0x2028, 0x2029),  # line and paragraph separators
        *(0xFEFF, *range(0xFFF9, 0xFFFC)),  # byte order mark, annotations
        *range(0xD800, 0xE000),  # surrogates: no encoding has them
    ),
    REPLACEMENT,
)

_LINE_SIGNS = {0x0A: NEWLINE, 0x09: TAB}
_CLASS = "".join(re.escape(chr(code)) for code in CONTROLS | MISLEADING if code not in (9, 10))
_IN_TEXT = f"[{_CLASS}]"  # not compiled here: that would add 4 ms to every start
_IN_LINE = f"[{_CLASS}\\t\\n]"


def sanitize(text: str) -> str:
    """Replaces every control or misleading character of `text` except newlines and tabs with a visible one."""
    return re.sub(_IN_TEXT, _shown, text)


def sanitize_line(text: str) -> str:
    """Does so for newlines and tabs, too: one line with the same number of characters, for the cell of a table."""
    return re.sub(_IN_LINE, _shown, text)


def sanitize_message(text: str) -> str:
    """Joins the lines of `text` with spaces and sanitizes them."""
    return sanitize_line(" ".join(line.strip() for line in text.splitlines()))


def sanitize_name(text: str) -> str:
    """Returns a name on one line, with single spaces and U+FFFD for each control or misleading character."""
    return re.sub(_IN_TEXT, REPLACEMENT, " ".join(text.split()))


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _LINE_SIGNS.get(code) or CONTROLS.get(code, REPLACEMENT)
