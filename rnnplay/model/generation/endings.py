"""Where a sample ends before or after its length: at a stop string, or with a whole sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

CLOSERS = "\"'”’»)\\]」』）"
_SENTENCE_END = re.compile(rf"(?:[.!?…]+[{CLOSERS}]*(?=\s)|[。！？]+[{CLOSERS}]*(?=[^{CLOSERS}])|(?=\n\s*\n))")
"""The end of a sentence, known from what follows it: marks, closing quotes and space; or a blank line."""


def before_stop(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """Yields the text of `pieces` up to the first of the strings `stops`, which is left out.

    A piece that may be the beginning of a stop string is yielded once it is known not to be.
    """
    if not stops:
        yield from pieces
        return
    held = ""
    for piece in pieces:
        held += piece
        found = [place for stop in stops if (place := held.find(stop)) >= 0]
        if found:
            if held[: min(found)]:
                yield held[: min(found)]
            return
        sure = len(held) - max(_beginning(held, stop) for stop in stops)
        if sure:
            yield held[:sure]
            held = held[sure:]
    if held:
        yield held


def _beginning(text: str, stop: str) -> int:
    """The number of characters at the end of `text` that `stop` begins with."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)


def to_sentence_end(pieces: Iterable[str], length: int) -> Iterator[str]:
    """Yields the first `length` of `pieces`, and those that follow up to the end of a sentence.

    Sentences end with a mark, closing quotes included, before space; Chinese and Japanese ones with their mark; and all
    before a blank line. If `pieces` end before a sentence does, all of them are yielded.
    """
    text, given = "", 0
    for count, piece in enumerate(pieces, 1):
        text += piece
        if count <= length:
            yield piece
            given = len(text)
            continue
        found = _SENTENCE_END.search(text, max(0, given - 8))
        while found is not None and found.end() < given:
            found = _SENTENCE_END.search(text, found.end() + 1)
        if found is not None:
            if found.end() > given:
                yield text[given : found.end()]
            return
        # A space may be the first of a blank line, before which the text would end.
        whole = len(text) if not text[given:].isspace() else given
        if whole > given:
            yield text[given:whole]
            given = whole
    if text[given:]:
        yield text[given:]
