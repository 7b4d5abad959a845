"""Names that become folders and files: letters and digits of every script, and nothing a path or a terminal obeys."""

from __future__ import annotations

import re
import unicodedata

_ASCII = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MOST_BYTES = 240
"""With what is put around it for a moment (.NAME.removed), no longer than file systems allow."""
_MOST_MARKS = 3
"""Combining marks on a letter: more would be drawn over other lines."""
_INVISIBLE = frozenset(
    (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0)
) | frozenset(range(0xE0100, 0xE01F0))
"""Letters and marks that are drawn as nothing: two names would look the same."""


def is_name(name: str, longest: int) -> bool:
    """Whether `name` has at most `longest` letters, digits, dots, dashes and underscores, a letter or digit first."""
    if len(name) > longest:
        return False
    if name.isascii():
        return re.fullmatch(_ASCII, name) is not None
    marks = _MOST_MARKS  # none may come first
    for character in name:
        category = unicodedata.category(character)
        if category in ("Mn", "Mc"):
            marks += 1
            if marks > _MOST_MARKS:
                return False
        elif category[0] == "L" or category == "Nd":
            marks = 0
        elif character in "._-" and name[0] not in "._-":
            marks = _MOST_MARKS
        else:
            return False
        if ord(character) in _INVISIBLE:
            return False
    return len(name.encode("utf-8", "surrogatepass")) <= _MOST_BYTES


def composed(name: str) -> str:
    """`name` as keyboards type it: é is one character, not e and an accent, as some file systems have it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def as_name(text: str, longest: int) -> str:
    """A name made of `text`: each run of what a name cannot have is a dash; "" if nothing is left."""
    kept = "".join(character if is_name(f"a{character}", 2) else " " for character in composed(text))
    name = re.sub(r"[ .]+", "-", kept).strip("-_")
    while name and not is_name(name[0], 1):  # an accent on nothing
        name = name[1:]
    name = name[:longest].rstrip("-_")
    return name if is_name(name, longest) else ""
