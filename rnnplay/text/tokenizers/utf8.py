"""Joins bytes, or tokens of several, to characters, which in UTF-8 may need more than one of them.

A byte that is no character by itself is carried in a string as Python's `surrogateescape` does: as a code point from
U+DC80 to U+DCFF. Texts of any bytes pass through the same functions as other texts, and come out as they were.
"""

from __future__ import annotations

import codecs
import re

_ALONE = re.compile("[\ud800-\udfff]")


def to_bytes(text: str) -> bytes:
    """Encodes `text` in UTF-8, with the bytes that it carries; other lone surrogates, which no file has, become "?"."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def to_carrying(data: bytes) -> str:
    """Decodes UTF-8; bytes that are not valid are carried."""
    return data.decode("utf-8", "surrogateescape")


def joined(text: str) -> str:
    """Joins the bytes that `text` carries to characters; those that form none become U+FFFD."""
    return to_bytes(text).decode("utf-8", "replace") if _ALONE.search(text) else text


def split_unfinished(text: str) -> tuple[str, str]:
    """Returns `text` with its bytes joined, up to an unfinished character at its end, and that character's bytes."""
    if not _ALONE.search(text):
        return text, ""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    whole = decoder.decode(to_bytes(text))
    return whole, to_carrying(decoder.getstate()[0])


_SHOWN_BYTE = re.compile("<0x([0-9A-F]{2})>")


def piece_text(shown: str) -> str:
    """The text of a token as `shown_piece` shows it; bytes that are part of no character are carried."""
    return _SHOWN_BYTE.sub(lambda found: to_carrying(bytes([int(found[1], 16)])), shown)


def shown_piece(data: bytes) -> str:
    """The characters of `data`, bytes that are part of none as "<0xE2>"."""
    return _ALONE.sub(lambda found: f"<0x{ord(found[0]) & 0xFF:02X}>", to_carrying(data))
