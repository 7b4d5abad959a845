"""Output in encodings other than UTF-8: nothing raises, and no letter is replaced by another letter.

Lines and bars that rnnplay draws are replaced by similar ASCII of the same width. A letter that the encoding lacks
becomes `?`; in text of a model or a user so does every other character it lacks (`encodable`).
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from functools import cache
from typing import TextIO

HANDLER = "rnnplay-ascii"
"""The name of our error handler, which exists once `soften_streams` or `register` was called."""

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
"""Similar ASCII characters, one cell wide like the originals."""

_BRAILLE = " ..:::**#"
"""Indexed by how many of a braille character's eight dots are set."""


_ASCII = "rnnplay-ascii"
"""ASCII by another name: click mistakes a stream in `ascii` for a misconfiguration and writes UTF-8 to it."""


def soften_streams() -> None:
    """Makes stdout and stderr replace what they cannot encode; UTF-8 streams stay as they are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not is_utf8(stream):
            register()
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if is_ascii else None, errors=HANDLER)


def encoding_of(stream: TextIO) -> str:
    """Returns the name of a stream's encoding, for display."""
    return "ascii" if stream.encoding == _ASCII else stream.encoding or "ascii"


def utf8_setting() -> str:
    """Returns the assignment to put before a command so that it writes UTF-8. PYTHONIOENCODING overrides the locale."""
    if os.environ.get("PYTHONIOENCODING"):
        return "PYTHONIOENCODING=utf-8"
    return "LC_ALL=" + ("en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8")


def encodable(text: str, stream: TextIO) -> str:
    """Replaces each character that the stream's encoding lacks with `?`; for text of a model or a user."""
    if is_utf8(stream):
        return text
    return text.encode(stream.encoding, "replace").decode(stream.encoding)


def is_utf8(stream: TextIO) -> bool:
    """Whether a stream can show every character."""
    try:
        return codecs.lookup(stream.encoding or "utf-8").name in ("utf-8", "utf-8-sig")
    except LookupError:
        return False


@cache
def register() -> None:
    """Registers the error handler and the codec with Python."""
    codecs.register_error(HANDLER, _replace)
    codecs.register(_ascii_codec)


def _ascii_codec(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != _ASCII:
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_.encode, ascii_.decode, ascii_.streamreader, ascii_.streamwriter,
        ascii_.incrementalencoder, ascii_.incrementaldecoder, name=_ASCII,
    )  # fmt: skip


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(ascii_alike(letter) for letter in error.object[error.start : error.end]), error.end


@cache
def ascii_alike(letter: str) -> str:
    """Returns similar ASCII for one character, as many cells wide as a terminal draws it."""
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
    raised, _, plain = unicodedata.decomposition(letter).partition(" ")  # a superscript or subscript becomes its digit
    if raised in ("<super>", "<sub>") and len(plain) == 4 and category != "Lo":
        letter = chr(int(plain, 16))
        return letter if letter.isascii() else _ALIKE.get(letter, "?")
    return "?" * width
