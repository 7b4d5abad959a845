"""Learns from a text where spaces stand between words and punctuation marks.

A space is not a token of its own in a text of words; whether one stands between two tokens follows from their
classes. Each frequent punctuation mark is a class, so that the rule fits prose (`said, "go`), tokenised corpora
(`said , " go`) and code (`f(x)`) alike. Where a text departs from the rule, the tokenizer marks that with a token.

Where words end at white space only, no mark is a token, and the newline has a class of its own instead, as published
corpora that are divided into tokens often have a space on both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import WordBoundary
from rnnplay.errors import InputError

WORD, WHITE, OTHER = 0, 1, 2
"""Classes: words; newlines and all white space; marks without a class of their own. From 3 on, one class per mark."""
FIRST_MARK = 3
CLASSES = 64
"""The largest number of marks with their own class; those seen first get one."""

_OPENING = "([{<#$@¿¡“‘«/-–—_'\"`\n"
_CLOSING = ")]}>%.,;:!?”’»/-–—_'\"`\n"


class SpacingRule:
    """Whether a space stands between a token of one class and the next of another."""

    def __init__(self, marks: Sequence[str], table: NDArray[np.bool_], boundary: WordBoundary) -> None:
        """table: shape (FIRST_MARK + len(marks),) * 2; row: the class before, column: the class after."""
        self.marks = list(marks)
        self.boundary: WordBoundary = boundary
        self.table = table.copy()
        self.table[WHITE, :] = False
        self.table[:, WHITE] = False
        self.table.setflags(write=False)
        self._classes = {mark: FIRST_MARK + index for index, mark in enumerate(marks)}

    def class_of(self, token: str) -> int:
        """The class of a token by its text."""
        return self._classes[token] if token in self._classes else _kind_of(token, self.boundary)

    def rows(self) -> list[str]:
        """The table as strings of 0 and 1, for vocabulary.json."""
        return ["".join("01"[int(cell)] for cell in row) for row in self.table]

    @classmethod
    def from_rows(cls, marks: Sequence[str], rows: Sequence[str], boundary: WordBoundary) -> SpacingRule:
        """Restores the rule saved by `rows`; raises InputError if it is invalid."""
        side = FIRST_MARK + len(marks)
        sound = (
            len(marks) <= CLASSES - FIRST_MARK
            and len(set(marks)) == len(marks)
            and (
                list(marks) == ["\n"]
                if boundary == "whitespace"
                else all(len(mark) == 1 and _kind_of(mark, boundary) == OTHER for mark in marks)
            )
            and len(rows) == side
            and all(len(row) == side and set(row) <= {"0", "1"} for row in rows)
        )
        if not sound:
            raise InputError("The vocabulary's rule of spacing is damaged; train the run again.")
        return cls(marks, np.array([[cell == "1" for cell in row] for row in rows], dtype=np.bool_), boundary)


class SpacingCounter:
    """Counts how often a space stands between two classes; marks get classes as they occur."""

    def __init__(self, boundary: WordBoundary) -> None:
        self.boundary: WordBoundary = boundary
        self._classes = {"\n": FIRST_MARK} if boundary == "whitespace" else {}
        self.spaces = np.zeros((CLASSES, CLASSES), dtype=np.int64)
        """By class before and class after: number of pairs with one space between them."""
        self.joins = np.zeros((CLASSES, CLASSES), dtype=np.int64)
        """Number of pairs with nothing between them."""

    def class_of(self, token: str) -> int:
        """The class of a token; a new one for a new mark if there is room."""
        found = self._classes.get(token)
        if found is None:
            found = _kind_of(token, self.boundary)
            if found == OTHER and len(self._classes) < CLASSES - FIRST_MARK:
                found = FIRST_MARK + len(self._classes)
                self._classes[token] = found
        return found

    def rule(self, known: Callable[[str], bool]) -> SpacingRule:
        """The rule that holds more often for each pair of classes; marks that are not `known` are left out."""
        marks = [mark for mark in self._classes if mark == "\n" or known(mark)]
        index = np.array([WORD, WHITE, OTHER, *(self._classes[mark] for mark in marks)])
        grid = np.ix_(index, index)
        spaces, joins = self.spaces[grid], self.joins[grid]
        return SpacingRule(marks, np.where(spaces == joins, _customary(marks), spaces > joins), self.boundary)


def _customary(marks: Iterable[str]) -> NDArray[np.bool_]:
    """The table for pairs that the text does not decide, as is customary in English."""
    classes = ["", "", "", *marks]
    after = np.array([mark == "" or mark not in _OPENING for mark in classes], dtype=np.bool_)
    before = np.array([mark == "" or mark not in _CLOSING for mark in classes], dtype=np.bool_)
    return np.logical_and.outer(after, before)


def _kind_of(token: str, boundary: WordBoundary) -> int:
    first = token[0]
    if first.isspace():
        return WHITE
    if boundary == "whitespace":
        return WORD
    return WORD if len(token) > 1 or first.isalnum() or first == "_" else OTHER
