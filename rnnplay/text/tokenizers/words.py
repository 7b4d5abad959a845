"""Words and punctuation marks as tokens; spaces follow a rule, so that decoding restores the text exactly."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import NormalForm, TokenKind, WordBoundary
from rnnplay.text.tokenizers.preparing import prepared, prepared_chunks
from rnnplay.text.tokenizers.spacing import CLASSES, WHITE, WORD, SpacingCounter, SpacingRule
from rnnplay.text.tokenizers.units import START, Place, UnitTable, take_values, tokens_in, unit_chunks
from rnnplay.text.tokenizers.vocabulary import (
    FORMAT,
    UNKNOWN,
    AnyIds,
    Hidden,
    Ids,
    SavedTokenizer,
    by_frequency,
    check_known,
    id_type,
    joined_ids,
    most_frequent,
    saved_bytes,
)

NEWLINE, SPACE, JOIN, SPACES = 1, 2, 3, 4
RESERVED = (UNKNOWN, "\n", "␣", "⁀", "␣␣␣␣")
"""Reserved ids: a space where the rule has none, no space where it has one, four spaces (indented code)."""
_RESERVED_TEXT = (UNKNOWN, "\n", " ", "", "    ")
_SPACES = len(_RESERVED_TEXT[SPACES])
_MOST_TYPES = 2_000_000
"""Distinct tokens counted before the rarest are dropped."""


class WordTokenizer:
    """One id per word, punctuation mark or newline; spaces follow from `rule` or from SPACE, SPACES and JOIN.

    Where words end at white space only (`rule.boundary`), a mark beside a word is a part of it.
    `decode(encode(text)) == text` for every text without unknown tokens (lowercased, if `lowercase`).
    """

    kind: TokenKind = "word"
    newline: int | None = NEWLINE

    def __init__(
        self, words: Iterable[str], rule: SpacingRule, lowercase: bool = False, normal_form: NormalForm = "none"
    ) -> None:
        """`words`: all tokens but the reserved ones, in the order of their ids from len(RESERVED) on."""
        self.lowercase = lowercase
        self.normal_form = normal_form
        self.rule = rule
        words = list(words)
        self.tokens = [*RESERVED, *words]
        self.size = len(self.tokens)
        self._text = [*_RESERVED_TEXT, *words]
        self._ids = {word: len(RESERVED) + index for index, word in enumerate(words)}
        self._ids[UNKNOWN], self._ids["\n"] = 0, NEWLINE
        white = [WHITE] * (len(RESERVED) - 2)
        self._classes = bytes([WORD, rule.class_of("\n"), *white, *map(rule.class_of, words)])
        self._rule: list[list[bool]] = rule.table.tolist()

    def encode(self, text: str) -> Ids:
        """Encodes `text` as ids, shape (tokens,)."""
        return joined_ids(self.encode_chunks([text]))

    def encode_chunks(self, chunks: Iterable[str], hidden: Hidden | None = None) -> Iterator[AnyIds]:
        """Encodes the joined `chunks`, in arrays of `id_type(size)`; `hidden` receives the bytes without an id."""
        chunks = prepared_chunks(chunks, self.lowercase, self.normal_form)
        table = _EncodedUnits(self)
        place = START
        for units, space in unit_chunks(chunks, self.rule.boundary):
            ids, place, unread = table.encode(units, space, place)
            if hidden is not None:
                hidden(unread)
            yield ids.astype(id_type(self.size))
            if place.spaces >= _SPACES:  # so many are written out, whatever comes next
                yield np.full(place.spaces // _SPACES, SPACES, id_type(self.size))
                place = Place(WHITE, place.spaces % _SPACES)
            if table.full:
                table = _EncodedUnits(self)
        yield np.full(place.spaces, SPACE, id_type(self.size))

    def decode(self, ids: Iterable[int]) -> str:
        """Decodes `ids` to text; `UNKNOWN` for id 0."""
        parts: list[str] = []
        before = WHITE
        for token in ids:
            after = self._classes[token]
            if self._rule[before][after]:
                parts.append(" ")
            parts.append(self._text[token])
            before = after
        return "".join(parts)

    def decode_after(self, previous: int | None, token: int) -> str:
        """The text that `token` adds after the token `previous`: itself, preceded by a space if there is one."""
        before = WHITE if previous is None else self._classes[previous]
        return (" " if self._rule[before][self._classes[token]] else "") + self._text[token]

    def unknown_in(self, text: str) -> list[str]:
        """The distinct words and marks of `text` that have no id, in order of appearance."""
        tokens = tokens_in(prepared(text, self.lowercase, self.normal_form), self.rule.boundary)
        return list(dict.fromkeys(token for token in tokens if token != " " and token not in self._ids))

    def knows(self, token: str) -> bool:
        """Whether the word, mark or newline has an id; a single space needs none."""
        return token in self._ids or token == " "

    def extended(self, tokens: Iterable[str]) -> WordTokenizer:
        """A tokenizer with more words after its own, which keep their ids, and with the same rule of spacing."""
        words = [*self.tokens[len(RESERVED) :], *tokens]
        return WordTokenizer(words, self.rule, self.lowercase, self.normal_form)

    def is_word_part(self, token: int) -> bool:
        """Whether the token is a word (not a mark, space or the unknown token)."""
        if token == 0 or self._classes[token] != WORD:
            return False
        return self.rule.boundary == "punctuation" or any(map(str.isalnum, self.tokens[token]))

    def companions(self) -> dict[str, bytes]:
        """No files: vocabulary.json says it all."""
        return {}

    def to_bytes(self) -> bytes:
        """Serialises it as vocabulary.json."""
        saved = SavedTokenizer(
            format=FORMAT,
            kind=self.kind,
            lowercase=self.lowercase,
            tokens=self.tokens,
            marks=self.rule.marks,
            spaces=self.rule.rows(),
            normal_form=self.normal_form,
            word_boundary=self.rule.boundary,
        )
        return saved_bytes(saved)

    def ids_and_classes(self, unit: str) -> tuple[list[int], list[int], int]:
        """The ids of a unit (a text without spaces), JOIN included, the classes of its tokens, and the bytes hidden."""
        ids: list[int] = []
        classes: list[int] = []
        hidden = 0
        for token in tokens_in(unit, self.rule.boundary):
            found = self._ids.get(token, -1)
            if found < 0:
                found = 0
                hidden += len(token.encode(errors="surrogatepass"))
            after = self._classes[found]
            if classes and self._rule[classes[-1]][after]:
                ids.append(JOIN)
            ids.append(found)
            classes.append(after)
        return ids, classes, hidden


class WordCounter:
    """Counts words and marks, and where spaces stand between them."""

    def __init__(
        self, lowercase: bool = False, normal_form: NormalForm = "none", boundary: WordBoundary = "punctuation"
    ) -> None:
        self._lowercase = lowercase
        self._normal_form = normal_form
        self._boundary: WordBoundary = boundary
        self._counts: Counter[str] = Counter()
        self._spacing = SpacingCounter(boundary)

    def count(self, chunks: Iterable[str]) -> None:
        """Counts a whole text, given in `chunks`; units are looked up, and each distinct one is tokenized once."""
        chunks = prepared_chunks(chunks, self._lowercase, self._normal_form)
        table = _CountedUnits(self._spacing)
        place = START
        for units, space in unit_chunks(chunks, self._boundary):
            place = table.count(units, space, place)
            if table.full:
                self._add(table)
                table = _CountedUnits(self._spacing)
        self._add(table)

    def counts(self) -> list[tuple[str, int]]:
        """The words, marks and newlines counted, the most frequent first."""
        return by_frequency(self._counts.items())

    def tokenizer(self, min_count: int = 1, max_vocabulary: int = 0, must_know: bool = False) -> WordTokenizer:
        """Builds a tokenizer of the counted tokens, the most frequent first; see `build_tokenizer`."""
        counts = ((token, count) for token, count in self._counts.items() if token not in ("\n", UNKNOWN))
        words = most_frequent(counts, min_count, max(max_vocabulary - len(RESERVED), 1) if max_vocabulary else None)
        if must_know and not words:
            counted = [count for token, count in self._counts.items() if token != "\n"]
            check_known("word", counted, min_count, max_vocabulary)
        rule = self._spacing.rule(set(words).__contains__)
        return WordTokenizer(words, rule, self._lowercase, self._normal_form)

    def _add(self, table: _CountedUnits) -> None:
        for unit, count in zip(table, table.counts.tolist(), strict=False):
            tokens = tokens_in(unit, self._boundary)
            if len(tokens) == 1:
                self._counts[tokens[0]] += count
                continue
            before = -1
            for token in tokens:
                self._counts[token] += count
                after = self._spacing.class_of(token)
                if before >= 0:
                    self._spacing.joins[before, after] += count
                before = after
        if len(self._counts) > _MOST_TYPES:
            kept = most_frequent(self._counts.items(), 1, _MOST_TYPES // 2)
            self._counts = Counter({token: self._counts[token] for token in kept})


class _CountedUnits(UnitTable):
    def __init__(self, spacing: SpacingCounter) -> None:
        super().__init__()
        self._spacing = spacing
        self.counts = np.zeros(1 << 16, dtype=np.int64)
        """By unit number; may be longer than the number of units."""

    def _describe(self, unit: str) -> tuple[int, int]:
        classes = [self._spacing.class_of(token) for token in tokens_in(unit, self._spacing.boundary)]
        return (classes[0], classes[-1]) if classes else (WHITE, WHITE)

    def count(self, units: list[str], space: bool, place: Place) -> Place:
        """Counts `units` and the spaces between them; returns where the text has been read to."""
        numbers, before, first, spaces, end = self.junctions(units, space, place)
        while len(self.counts) < len(self):
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        np.add.at(self.counts, numbers, 1)
        pairs = before.astype(np.int64) * CLASSES + first
        for number, counted in enumerate((self._spacing.joins, self._spacing.spaces)):
            found = np.bincount(pairs[spaces == number], minlength=CLASSES * CLASSES)
            counted += found.reshape(CLASSES, CLASSES)
        return end


class _EncodedUnits(UnitTable):
    def __init__(self, tokenizer: WordTokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._ids = array("q")  # of all units, concatenated
        self._starts = array("q")
        self._lengths = array("q")
        self._hidden = array("q")

    def _describe(self, unit: str) -> tuple[int, int]:
        ids, classes, hidden = self._tokenizer.ids_and_classes(unit)
        self._hidden.append(hidden)
        self._starts.append(len(self._ids))
        self._lengths.append(len(ids))
        self._ids.extend(ids)
        return (classes[0], classes[-1]) if classes else (WHITE, WHITE)

    def encode(self, units: list[str], space: bool, place: Place) -> tuple[NDArray[np.int64], Place, int]:
        """Encodes `units` and what stands between them; returns ids, where it has come to, and the bytes hidden."""
        numbers, before, first, spaces, end = self.junctions(units, space, place)
        exception = spaces != self._tokenizer.rule.table[before, first]
        written = np.where(exception, np.maximum(spaces // _SPACES + spaces % _SPACES, 1), 0)
        lengths = take_values(self._lengths, numbers, np.int64)
        ends = np.cumsum(lengths + written)
        result = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
        is_unit = np.ones(len(result), dtype=np.bool_)
        if exception.any():
            counts, spaces = written[exception], spaces[exception]
            within = _ranges(counts)
            at = np.repeat((ends - lengths - written)[exception], counts) + within
            is_unit[at] = False
            fours = within < np.repeat(spaces // _SPACES, counts)
            result[at] = np.where(np.repeat(spaces, counts) == 0, JOIN, np.where(fours, SPACES, SPACE))
        # Where each unit's ids are in the table: the unit's start, plus the position in the unit.
        places = np.repeat(take_values(self._starts, numbers, np.int64), lengths) + _ranges(lengths)
        result[is_unit] = take_values(self._ids, places, np.int64)
        return result, end, int(take_values(self._hidden, numbers, np.int64).sum())


def _ranges(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers from 0 on for each of the `lengths`: [2, 3] gives 0 1 0 1 2."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
