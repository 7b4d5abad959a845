"""Where each token of a part of a text stands, with the probability that the model gave it. No widgets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from rnnplay.inspection.results import TokenPrediction
from rnnplay.tui.heatmap.shades import BAD, fractions, level

CONTEXT_CHARACTERS = 400
"""What the model reads before the part that is looked at, so that its first tokens are predicted from something."""
MOST_CHARACTERS = 8_000
"""Longest part that is looked at."""
_LOST = 12
"""A token is looked for within this many characters, as a tokenizer may have dropped some."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One token of the text: its place in characters from the beginning of the text, and what the model expected."""

    start: int
    end: int
    level: int
    """Shade of its surprisal, 0 to 8."""
    prediction: TokenPrediction


class Readings:
    """The tokens of a part of a text, in order."""

    def __init__(self, found: Sequence[Reading] = ()) -> None:
        self._found = list(found)
        self._starts = [one.start for one in self._found]

    def __bool__(self) -> bool:
        return bool(self._found)

    def at(self, place: int) -> Reading | None:
        """The token that has the character `place`; None if none has."""
        number = bisect_right(self._starts, place) - 1
        found = self._found[number] if number >= 0 else None
        return found if found is not None and place < found.end else None

    def between(self, start: int, end: int) -> list[Reading]:
        """The tokens of which a character is in `start` to `end`."""
        first = max(0, bisect_right(self._starts, start) - 1)
        return [one for one in self._found[first : bisect_right(self._starts, end - 1)] if one.end > start]


def placed(text: str, offset: int, tokens: Sequence[TokenPrediction], vocabulary: int, skipped: int = 0) -> Readings:
    """Finds `tokens` in `text`, which begins at character `offset`; leaves out those in the first `skipped` characters.

    A full shade is as surprising as a blind guess among all tokens. Tokens that are not in the text as they are, such
    as <unk>, have no place.
    """
    levels = [level(one) for one in fractions([token.surprisal for token in tokens], log(max(vocabulary, 2)))]
    found: list[Reading] = []
    at = 0
    for token, shade in zip(tokens, levels, strict=True):
        start = text.find(token.token, at, at + len(token.token) + _LOST) if token.token else -1
        if start < 0:
            continue
        at = start + len(token.token)
        if start >= skipped:
            found.append(Reading(offset + start, offset + at, 0 if shade == BAD else shade, token))
    return Readings(found)


def part_to_read(text: str, start: int, end: int) -> tuple[int, str, int]:
    """Returns what to ask the model to read `start` to `end` of `text`: its offset, the text, and the context's length.

    The context begins after a newline where there is one.
    """
    end = min(end, start + MOST_CHARACTERS)
    first = max(0, start - CONTEXT_CHARACTERS)
    if first:
        first = text.find("\n", first, start) + 1 or first
    return first, text[first:end], start - first
