"""Text as it may be shown: what would move the cursor, or not be seen, gets a visible form one cell wide."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from rnnplay.common.terminal_text import CONTROLS, MISLEADING

MUTED, FAINT = "$foreground 65%", "$foreground 40%"
"""Styles of Content; there the theme's own $text-muted comes out black on a light background."""
CODE = "$accent"
"""Of commands, names of knobs and keys within a sentence."""
NEWLINE, TAB, SPACE = "⏎", "⇥", "␣"

_TEXT = CONTROLS | MISLEADING | {0x0A: "\n", 0x09: "    "}
_LINE = CONTROLS | MISLEADING | {0x0A: NEWLINE, 0x09: TAB}
_TOKEN = _LINE | {0x20: SPACE, 0xA0: "⍽"}


def visible_text(text: str) -> str:
    """`text` over several lines: newlines stay, a tab becomes spaces."""
    return text.translate(_TEXT)


def visible_line(text: str) -> str:
    """`text` on one line, a character for a character: a newline is ⏎, a tab ⇥."""
    return text.translate(_LINE)


def visible_token(token: str) -> str:
    """A token by itself: spaces are seen too."""
    return token.translate(_TOKEN)


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells, with … where something is left out."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    kept = ""
    room = width - 1
    for character in text:
        room -= cell_len(character)
        if room < 0:
            break
        kept += character
    return kept + "…"


def middle_shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells, with … in its middle where something is left out there."""
    if cell_len(text) <= width:
        return text
    end = shortened(text[::-1], (width + 1) // 2)[-2::-1]
    return shortened(text, width - cell_len(end)) + end


def code_drawn(text: str, style: str = "") -> Content:
    """`text` in `style`, with what stands between backticks drawn in another colour instead of between backticks."""
    pieces = text.split("`")
    if len(pieces) < 3 or not len(pieces) % 2:  # one without its other half is a character like others
        return Content.styled(text, style)
    return Content.assemble(*((piece, CODE if at % 2 else style) for at, piece in enumerate(pieces)))


def padded(text: str, width: int) -> str:
    """`text` in exactly `width` cells."""
    text = shortened(text, width)
    return text + " " * (width - cell_len(text))


def percentage(probability: float) -> str:
    """ "97%", "0.4%", "<0.1%"."""
    if not 0 <= probability <= 1:  # NaN too: a model that has diverged
        return "–"
    percent = probability * 100
    if percent >= 99.95:
        return "100%"
    if percent >= 99.5 or 0.095 <= percent < 0.95:
        return f"{percent:.1f}%"
    return f"{percent:.0f}%" if percent >= 0.95 else "<0.1%"
