"""Text as it may be shown: what would move the cursor, or not be seen, gets a visible form one cell wide."""

from __future__ import annotations

from rich.cells import cell_len

MUTED, FAINT = "$foreground 65%", "$foreground 40%"
"""Styles of Content; there the theme's own $text-muted comes out black on a light background."""
NEWLINE, TAB, SPACE = "⏎", "⇥", "␣"

_CONTROLS = {code: chr(0x2400 + code) for code in range(32)} | {127: "␡"} | dict.fromkeys(range(128, 160), "�")
# Marks that turn the direction of the rest of a line, line separators, and halves of surrogate pairs that a
# terminal's encoding refuses.
_OTHERS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF), "�")
_TEXT = _CONTROLS | _OTHERS | {0x0A: "\n", 0x09: "    "}
_LINE = _CONTROLS | _OTHERS | {0x0A: NEWLINE, 0x09: TAB}
_TOKEN = _LINE | {0x20: SPACE, 0xA0: "⍽"}


def visible_text(text: str) -> str:
    """`text` over several lines: newlines stay, a tab becomes spaces."""
    return _whole(text).translate(_TEXT)


def visible_line(text: str) -> str:
    """`text` on one line, a character for a character: a newline is ⏎, a tab ⇥."""
    return _whole(text).translate(_LINE)


def visible_token(token: str) -> str:
    """A token by itself: spaces are seen too."""
    return _whole(token).translate(_TOKEN)


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


def _whole(text: str) -> str:
    if text.isascii():
        return text
    return "".join("�" if 0xD800 <= ord(character) <= 0xDFFF else character for character in text)
