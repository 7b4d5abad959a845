"""What a terminal would obey, or a reader be misled by without seeing it, and the visible forms that stand for it.

Names, texts and samples may come from anyone. Whatever of them goes to a terminal goes through here (or through
rnnplay.tui.widgets.visible, which uses the same tables).
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

CONTROLS: dict[int, str] = (
    {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), REPLACEMENT)
)
"""C0, DEL and C1: escape sequences begin with one of them."""

MISLEADING: dict[int, str] = dict.fromkeys(
    (
        *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # turn the direction of a line
        *(0x2028, 0x2029),  # other ends of lines
        *(0xFEFF, *range(0xFFF9, 0xFFFC)),  # byte order mark, annotations
        *range(0xD800, 0xE000),  # halves of surrogate pairs: no encoding takes them
    ),
    REPLACEMENT,
)

_CLASS = "".join(re.escape(chr(code)) for code in CONTROLS | MISLEADING if code not in (9, 10))
_IN_TEXT = f"[{_CLASS}]"  # compiled when first used: two thousand characters would take 4 ms of every start
_IN_LINE = f"[{_CLASS}\\t\\n]"


def sanitize(text: str) -> str:
    """`text` with newlines and tabs as they are, and a visible form for all else that is no character to be drawn."""
    return re.sub(_IN_TEXT, _shown, text)


def sanitize_line(text: str) -> str:
    """`text` on one line, a character for a character: for the cell of a table."""
    return re.sub(_IN_LINE, _shown, text)


def sanitize_message(text: str) -> str:
    """`text` on one line, a space between what were lines."""
    return sanitize_line(" ".join(line.strip() for line in text.splitlines()))


def sanitize_name(text: str) -> str:
    """`text` on one line, single spaces for all white space, and one mark for all that is harmful: for names."""
    return re.sub(_IN_TEXT, REPLACEMENT, " ".join(text.split()))


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return CONTROLS.get(code, REPLACEMENT)
