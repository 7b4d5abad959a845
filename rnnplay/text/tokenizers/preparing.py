"""Prepares a text before it is divided into tokens: its Unicode normal form, lower case, and what has changed of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from rnnplay.config import NormalForm

_FORMS: dict[NormalForm, Literal["NFC", "NFKC"]] = {"nfc": "NFC", "nfkc": "NFKC"}
_LONGEST = 1 << 20
"""Characters held back at most until one comes before which a text may be cut."""
_ASCII = re.compile(r"[\x00-\x7f](?=[^\x00-\x7f]*\Z)")


def prepared(text: str, lowercase: bool, normal_form: NormalForm) -> str:
    """Returns `text` in the normal form (Unicode Standard Annex 15), in lower case if `lowercase`."""
    if normal_form != "none" and not text.isascii():
        text = unicodedata.normalize(_FORMS[normal_form], text)
    return lower(text) if lowercase else text


def prepared_chunks(chunks: Iterable[str], lowercase: bool, normal_form: NormalForm) -> Iterator[str]:
    """Prepares the joined `chunks`; where they are cut does not matter."""
    if normal_form != "none":
        chunks = _cut_where_nothing_composes(chunks)
    for chunk in chunks:
        yield prepared(chunk, lowercase, normal_form)


def lower(text: str) -> str:
    """Lowercases `text` so that no letter depends on its neighbours, and chunks can be processed one by one."""
    # str.lower turns a capital sigma into one of two letters, depending on its neighbours.
    return (text.replace("Σ", "σ") if not text.isascii() else text).lower()


def _cut_where_nothing_composes(chunks: Iterable[str]) -> Iterator[str]:
    """Joins `chunks` and cuts them before ASCII characters, with which nothing before them composes."""
    waiting = ""
    for chunk in chunks:
        waiting += chunk
        found = _ASCII.search(waiting, max(0, len(waiting) - 64)) or _ASCII.search(waiting)
        if found and found.start():
            yield waiting[: found.start()]
            waiting = waiting[found.start() :]
        while len(waiting) > _LONGEST:
            yield waiting[:_LONGEST]
            waiting = waiting[_LONGEST:]
    if waiting:
        yield waiting


def common_length(one: str, other: str) -> int:
    """The number of characters with which both texts begin, found by halving, as comparing long texts is quick."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
