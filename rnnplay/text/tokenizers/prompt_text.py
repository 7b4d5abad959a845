"""Encodes a prompt that changes from key to key, at the cost of the line that changed: no token crosses a newline."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from rnnplay.text.tokenizers.preparing import common_length
from rnnplay.text.tokenizers.vocabulary import Ids, Tokenizer


class PromptText:
    """The ids of one prompt, and what in it has no id."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._text = ""
        self._ids: Ids = np.zeros(0, np.int64)
        self._ends: list[tuple[int, int]] = []
        """The end of each line, its newline included, in characters and in ids."""
        self._read = ""
        self._line_ends: list[tuple[int, int]] = []
        """For the text whose unknown pieces are known: the end of each line, and how many pieces come before it."""
        self._unknown: list[str] = []

    def encode(self, text: str) -> Ids:
        """The ids (T,) of `text`, as the tokenizer's `encode` has them."""
        kept = _lines_in_common(self._ends, self._text, text)
        del self._ends[kept:]
        start, first = self._ends[-1] if kept else (0, 0)
        # Where a space stands depends on the token before: the newline is read again, and its id left out.
        ids = self._tokenizer.encode(text[max(start - 1, 0) :])[1 if kept else 0 :]
        if (newline := self._tokenizer.newline) is not None:
            id_ends = np.flatnonzero(ids == newline) + 1
            ends = _line_ends(text, start)
            if len(ends) == len(id_ends):  # else it is not known which ids are a line's
                self._ends += zip(ends, (first + id_ends).tolist(), strict=True)
        self._text, self._ids = text, np.concatenate([self._ids[:first], ids])
        return self._ids

    def unknown_in(self, text: str) -> list[str]:
        """The distinct pieces of `text` that have no id, as the tokenizer's `unknown_in` has them."""
        kept = _lines_in_common(self._line_ends, self._read, text)
        del self._line_ends[kept:]
        start, count = self._line_ends[-1] if kept else (0, 0)
        found = dict.fromkeys(self._unknown[:count])
        for end in (*_line_ends(text, start), len(text)):
            found |= dict.fromkeys(self._tokenizer.unknown_in(text[start:end]))
            start = end
            if text[end - 1 : end] == "\n" and (end, len(found)) not in self._line_ends[-1:]:
                self._line_ends.append((end, len(found)))
        self._read, self._unknown = text, list(found)
        return self._unknown


def _lines_in_common(ends: list[tuple[int, int]], before: str, now: str) -> int:
    """How many lines of those with these `ends` both texts begin with."""
    return bisect_right(ends, common_length(before, now), key=lambda end: end[0])


def _line_ends(text: str, start: int) -> list[int]:
    """The places after each newline of `text` from `start` on."""
    ends = []
    while (found := text.find("\n", start)) >= 0:
        start = found + 1
        ends.append(start)
    return ends
