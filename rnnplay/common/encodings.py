"""Output where the encoding is not UTF-8: what it lacks is replaced by ASCII as wide as it, and nothing raises."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata
from functools import cache
from typing import TextIO

HANDLER = "rnnplay-ascii"
"""The name of our error handler, once `soften_streams` or `register` was called."""

_ALIKE = {
    **dict.fromkeys("\xad─━╌╴╶═⎯‐‑‒–—−―", "-"),
    **dict.fromkeys("│┃┊┆╵╷║▏▎▍‖", "|"),
    **dict.fromkeys("█▉▊▋▌▐▇▆▅▄▓■▒▀", "#"),
    **dict.fromkeys("▃▂░", ":"),
    **dict.fromkeys("▁", "_"),
    **dict.fromkeys("←◂◀", "<"),
    **dict.fromkeys("→▸▶›⇥", ">"),
    **dict.fromkeys("↑⇧▲▴", "^"),
    **dict.fromkeys("↓▾▼", "v"),
    **dict.fromkeys("…·∘", "."),
    **dict.fromkeys("●◉◆•⚑", "*"),
    **dict.fromkeys("○◌", "o"),
    **dict.fromkeys("✕✗×", "x"),
    **dict.fromkeys("“”„‟«»", '"'),
    **dict.fromkeys("‘’‚‛", "'"),
    **dict.fromkeys("␣␠⍽", "_"),
    **dict.fromkeys("⏎↺", "<"),
    **dict.fromkeys("≤", "<"),
    **dict.fromkeys("≥", ">"),
    **dict.fromkeys("≈", "~"),
    **dict.fromkeys("≡", "="),
    "☐": "o",
    "✓": "+",
    "⁽": "(",
    "⁾": ")",
    "⁻": "-",
    "⁺": "+",
}
"""What looks nearest, one cell for one."""

_BRAILLE = " ..:::**#"
"""By how many of its eight dots are set."""


def soften_streams() -> None:
    """Lets stdout and stderr replace what they cannot encode; those in UTF-8 stay as they are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not is_utf8(stream):
            register()
            stream.reconfigure(errors=HANDLER)


def is_utf8(stream: TextIO) -> bool:
    """Whether a stream can show every character."""
    try:
        return codecs.lookup(stream.encoding or "utf-8").name in ("utf-8", "utf-8-sig")
    except LookupError:
        return False


@cache
def register() -> None:
    """Makes the handler known to Python under its name."""
    codecs.register_error(HANDLER, _replace)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(ascii_alike(letter) for letter in error.object[error.start : error.end]), error.end


@cache
def ascii_alike(letter: str) -> str:
    """ASCII for one character, of as many cells as a terminal gives it."""
    if letter in _ALIKE:
        return _ALIKE[letter]
    if "\u2800" <= letter <= "\u28ff":
        return _BRAILLE[(ord(letter) - 0x2800).bit_count()]
    if "\u2500" <= letter <= "\u257f":  # corners and crossings
        return "+"
    category = unicodedata.category(letter)
    if category in ("Mn", "Me", "Cf"):
        return ""
    width = 2 if unicodedata.east_asian_width(letter) in "WF" and category != "Cn" else 1
    plain = unicodedata.normalize("NFKD", letter)[:1]  # é without its accent, a superscript as the figure
    return plain if width == 1 and plain.isascii() and plain.isprintable() else "?" * width
