"""Text made safe and visible for the terminal: control and invisible characters become symbols one cell wide."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from rnnplay.common.terminal_text import CONTROLS, MISLEADING, NEWLINE, SPACE, TAB

MUTED, FAINT = "$foreground 65%", "$foreground 40%"
"""Styles of Content, in place of the theme's $text-muted, which is black there on a light background."""
CODE = "$accent"
"""Style of commands, knob names and keys within a sentence."""

_TEXT = CONTROLS | MISLEADING | {0x0A: "\n", 0x09: "    "}
_LINE = CONTROLS | MISLEADING | {0x0A: NEWLINE, 0x09: TAB}
_TOKEN = _LINE | {0x20: SPACE, 0xA0: "⍽"}


def visible_text(text: str) -> str:
    """Returns `text` for several lines: newlines stay, a tab becomes spaces."""
    return text.translate(_TEXT)


def visible_line(text: str) -> str:
    """Returns `text` on one line, character by character: a newline becomes ⏎, a tab ⇥."""
    return text.translate(_LINE)


def visible_token(token: str) -> str:
    """Returns a token with visible spaces."""
    return token.translate(_TOKEN)


def shortened(text: str, width: int) -> str:
    """Shortens `text` to at most `width` cells, ending in … if cut."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    kept = ""
    remaining = width - 1
    for character in text:
        remaining -= cell_len(character)
        if remaining < 0:
            break
        kept += character
    return kept + "…"


def middle_shortened(text: str, width: int) -> str:
    """Shortens `text` to at most `width` cells, with … in its middle if cut."""
    if cell_len(text) <= width:
        return text
    end = shortened(text[::-1], (width + 1) // 2)[-2::-1]
    return shortened(text, width - cell_len(end)) + end


def code_drawn(text: str, style: str = "") -> Content:
    """Returns `text` in `style`, with code between backticks in another colour instead."""
    pieces = text.split("`")
    if len(pieces) < 3 or not len(pieces) % 2:  # an unpaired backtick is an ordinary character
        return Content.styled(text, style)
    return Content.assemble(*((piece, CODE if at % 2 else style) for at, piece in enumerate(pieces)))


def padded(text: str, width: int) -> str:
    """Pads or shortens `text` to exactly `width` cells."""
    text = shortened(text, width)
    return text + " " * (width - cell_len(text))


def percentage(probability: float) -> str:
    """Formats a probability, e.g. "97%", "0.4%" or "<0.1%"."""
    if not 0 <= probability <= 1:  # NaN after a divergence
        return "–"
    percent = probability * 100
    if percent >= 99.95:
        return "100%"
    if percent >= 99.5 or 0.095 <= percent < 0.95:
        return f"{percent:.1f}%"
    return f"{percent:.0f}%" if percent >= 0.95 else "<0.1%"
