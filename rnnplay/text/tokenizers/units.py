r"""Cuts a text at its spaces and newlines into units, in which words are counted and encoded.

Most units recur, so what is computed for one of them (its tokens, their classes) is kept in a table, and the text
itself is only split and looked up, without Python code for each token. Between two units stands one space, except
beside a "\\n" unit, where nothing does. Empty units come from splitting repeated spaces at each single space.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import WordBoundary
from rnnplay.text.tokenizers.spacing import WHITE

_Number = TypeVar("_Number", np.uint8, np.int64)

_STEP = 1 << 14
"""Characters processed at once: the intermediate results fit the processor's cache, which doubles the speed."""
_LONGEST_UNIT = 1 << 20
"""In characters; a longer unit is processed in parts."""
_MOST_UNITS = 1 << 20
_MOST_CHARACTERS = 1 << 25
"""Limits of a table, so that a text without repetition needs no more memory than any other."""
_LONGEST_WORD = 48
"""Characters that form one token wherever they stand together, if they are letters and digits."""
_LONGEST_BETWEEN_SPACES = 256
"""Characters that form one token where words end at white space only."""
_LOOK_AHEAD = 4
"""Tokens at the end of an unfinished unit that more text could change."""


def tokens_in(text: str, boundary: WordBoundary = "punctuation") -> list[str]:
    """Finds all tokens of `text` in order, spaces included; joined they are `text`.

    A token is a word (letters, digits, underscores, with apostrophes and hyphens inside), one punctuation mark, one
    white-space character, or a literal `<unk>`, which corpora use for words that were removed. With `boundary`
    "whitespace" it is what stands between white space, or one white-space character.
    """
    if boundary == "whitespace":
        return _BETWEEN_SPACES.findall(text)
    if len(text) <= _LONGEST_WORD and text.isalnum():  # as most units are: found without the regular expression
        return [text]
    return _pattern().findall(text)


def unit_chunks(chunks: Iterable[str], boundary: WordBoundary) -> Iterator[tuple[list[str], bool]]:
    """Yields the units of the joined `chunks`, many at a time, and whether a space precedes the first of them.

    A very long unit comes in parts; then no space precedes the second part.
    """
    waiting, space = "", False
    for chunk in chunks:
        for start in range(0, len(chunk), _STEP):
            waiting += chunk[start : start + _STEP]
            newline = waiting.rfind("\n")
            if newline >= 0:
                units = waiting[: newline + 1].replace("\n", " \n ").split(" ")
                units.pop()  # the empty one after the last newline: the next unit begins there
                yield units, space
                waiting, space = waiting[newline + 1 :], False
            elif (last := waiting.rfind(" ")) >= 0:
                yield waiting[:last].split(" "), space
                waiting, space = waiting[last + 1 :], True
            elif len(waiting) >= _LONGEST_UNIT:
                end = len(waiting) - sum(map(len, tokens_in(waiting, boundary)[-_LOOK_AHEAD:]))
                if end:
                    yield [waiting[:end]], space
                    waiting, space = waiting[end:], False
    yield waiting.split(" "), space


class Place(NamedTuple):
    """Where a text has been read to."""

    last_class: int
    """Class of the token before."""
    spaces: int
    """Spaces read since."""


class Junctions(NamedTuple):
    """Units that are not empty and what precedes each, arrays of shape (units,)."""

    numbers: NDArray[np.int64]
    before: NDArray[np.uint8]
    """The class of the token before the unit."""
    first: NDArray[np.uint8]
    """The class of the unit's own first token."""
    spaces: NDArray[np.int64]
    """The number of spaces between the two."""
    end: Place


START = Place(WHITE, 0)


class UnitTable(dict[str, int]):
    """Numbers units as they are looked up, and keeps the classes of each one's first and last token.

    Subclasses define in `_describe` what a unit is, and may keep more about it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._start()

    def _start(self) -> None:
        self.clear()
        self._characters = 0
        self._first = array("B")
        self._last = array("B")
        self._newline = array("B")
        self._empty = array("B")

    def __missing__(self, unit: str) -> int:
        first, last = self._describe(unit)
        self._first.append(first)
        self._last.append(last)
        self._newline.append(unit == "\n")
        self._empty.append(not unit)
        self._characters += len(unit)
        number = len(self)
        self[unit] = number
        return number

    def _describe(self, unit: str) -> tuple[int, int]:
        """The classes of the first and the last token (both WHITE if there are none)."""
        raise NotImplementedError

    @property
    def full(self) -> bool:
        """Whether the table must be emptied."""
        return len(self) > _MOST_UNITS or self._characters > _MOST_CHARACTERS

    def junctions(self, units: list[str], space: bool, place: Place) -> Junctions:
        """What precedes each of the `units`, which are read after `place`; `space`: whether a space comes first."""
        numbers = np.fromiter(map(self.__getitem__, units), dtype=np.int64, count=len(units))
        between = take_values(self._newline, numbers, np.uint8) == 0
        between[1:] &= between[:-1].copy()
        between[0] &= space
        before_each = np.cumsum(between) + place.spaces
        kept = np.flatnonzero(take_values(self._empty, numbers, np.uint8) == 0)
        if not len(kept):
            none = np.zeros(0, np.uint8)
            return Junctions(numbers[:0], none, none, numbers[:0], Place(place.last_class, int(before_each[-1])))
        after = int(before_each[-1] - before_each[kept[-1]])
        numbers, spaces = numbers[kept], np.diff(before_each[kept], prepend=0)
        last = take_values(self._last, numbers, np.uint8)
        before = np.concatenate([np.array([place.last_class], dtype=np.uint8), last[:-1]])
        first = take_values(self._first, numbers, np.uint8)
        return Junctions(numbers, before, first, spaces, Place(int(last[-1]), after))


def take_values(values: array[int], index: NDArray[np.int64], dtype: type[_Number]) -> NDArray[_Number]:
    """Returns the `values` (of type `dtype`) at `index`."""
    # The view must not outlive this line: an array with an exported buffer cannot grow.
    return np.frombuffer(values, dtype=dtype)[index]


_BETWEEN_SPACES = re.compile(rf"\s|\S{{1,{_LONGEST_BETWEEN_SPACES}}}")


@cache
def _pattern() -> re.Pattern[str]:
    # Combining marks (Indic vowel signs, decomposed accents) are not in \w but belong to words.
    blocks = (range(0x300, 0x20F1), range(0xA66F, 0xABEE))
    marks = "".join(
        re.escape(chr(point)) for block in blocks for point in block if unicodedata.category(chr(point))[0] == "M"
    )
    # The limits keep a token short in a text without a space.
    run = rf"\w{{1,{_LONGEST_WORD}}}"
    word = rf"{run}(?:['’\-]{run}|[{marks}]{{1,8}}\w{{0,{_LONGEST_WORD}}}){{0,15}}"
    return re.compile(rf"<unk>|{word}|\s|[^\w\s]")
