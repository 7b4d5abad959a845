"""Words and punctuation marks as tokens; spaces follow a rule, so that decoding restores the text exactly."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import NormalForm, TokenKind
from rnnplay.text.tokenizers.preparing import prepared, prepared_chunks
from rnnplay.text.tokenizers.spacing import CLASSES, WHITE, WORD, SpacingCounter, SpacingRule
from rnnplay.text.tokenizers.units import UnitTable, take_values, tokens_in, unit_chunks
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
    most_frequent,
    saved_bytes,
)

NEWLINE, SPACE, JOIN, SPACES = 1, 2, 3, 4
RESERVED = (UNKNOWN, "\n", "␣", "⁀", "␣␣␣␣")
"""Reserved ids: a space where the rule has none, no space where it has one, four spaces (indented code)."""
_RESERVED_TEXT = (UNKNOWN, "\n", " ", "", "    ")
_MOST_TYPES = 2_000_000
"""Distinct tokens counted before the rarest are dropped."""


class WordTokenizer:
    """One id per word, punctuation mark or newline; spaces follow from `rule` or from SPACE, SPACES and JOIN.

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
        self._classes = bytes([WORD, *[WHITE] * (len(RESERVED) - 1), *map(rule.class_of, words)])
        self._rule: list[list[bool]] = rule.table.tolist()

    def encode(self, text: str) -> Ids:
        """Encodes `text` as ids, shape (tokens,)."""
        return np.concatenate([np.zeros(0, np.int64), *self.encode_chunks([text])], dtype=np.int64)

    def encode_chunks(self, chunks: Iterable[str], hidden: Hidden | None = None) -> Iterator[AnyIds]:
        """Encodes the joined `chunks`, in arrays of `id_type(size)`; `hidden` receives the bytes without an id."""
        chunks = prepared_chunks(chunks, self.lowercase, self.normal_form)
        table = _EncodedUnits(self)
        last_class = WHITE
        held = 0  # spaces at the end, which may begin a SPACES
        for units, space in unit_chunks(chunks):
            ids, last_class, unread = table.encode(units, space, last_class)
            if hidden is not None:
                hidden(unread)
            ids, held = _with_runs_of_spaces(np.concatenate([np.full(held, SPACE, ids.dtype), ids]))
            yield ids.astype(id_type(self.size))
            if table.full:
                table = _EncodedUnits(self)
        yield np.full(held, SPACE, id_type(self.size))

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
        tokens = tokens_in(prepared(text, self.lowercase, self.normal_form))
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
        return token != 0 and self._classes[token] == WORD

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
        )
        return saved_bytes(saved)

    def ids_and_classes(self, unit: str) -> tuple[list[int], list[int], int]:
        """The ids of a unit (a text without spaces), JOIN included, the classes of its tokens, and the bytes hidden."""
        ids: list[int] = []
        classes: list[int] = []
        hidden = 0
        for token in tokens_in(unit):
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

    def __init__(self, lowercase: bool = False, normal_form: NormalForm = "none") -> None:
        self._lowercase = lowercase
        self._normal_form = normal_form
        self._counts: Counter[str] = Counter()
        self._spacing = SpacingCounter()

    def count(self, chunks: Iterable[str]) -> None:
        """Counts a whole text, given in `chunks`; units are looked up, and each distinct one is tokenized once."""
        chunks = prepared_chunks(chunks, self._lowercase, self._normal_form)
        table = _CountedUnits(self._spacing)
        last_class = WHITE
        for units, space in unit_chunks(chunks):
            last_class = table.count(units, space, last_class)
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
            tokens = tokens_in(unit)
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
        classes = [self._spacing.class_of(token) for token in tokens_in(unit)]
        return (classes[0], classes[-1]) if classes else (WHITE, WHITE)

    def count(self, units: list[str], space: bool, last_class: int) -> int:
        """Counts `units` and the spaces between them; returns the class of the last token."""
        numbers = self.numbers(units)
        while len(self.counts) < len(self):
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        np.add.at(self.counts, numbers, 1)
        before, after, spaces = self.junctions(numbers, space, last_class)
        pairs = before.astype(np.int64) * CLASSES + after
        self._spacing.spaces += np.bincount(pairs[spaces], minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)
        if not spaces[0]:  # a long unit continues
            self._spacing.joins[before[0], after[0]] += 1
        return self._last[int(numbers[-1])]


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

    def encode(self, units: list[str], space: bool, last_class: int) -> tuple[NDArray[np.int64], int, int]:
        """Encodes `units` and what stands between them; returns ids, the class of the last token, the bytes hidden."""
        numbers = self.numbers(units)
        before, after, spaces = self.junctions(numbers, space, last_class)
        explicit = self._tokenizer.rule.table[before, after] != spaces
        lengths = take_values(self._lengths, numbers, np.int64)
        ends = np.cumsum(lengths + explicit)
        at = (ends - lengths)[explicit] - 1  # where the explicit SPACE and JOIN go in the result
        is_unit = np.ones(int(ends[-1]), dtype=np.bool_)
        is_unit[at] = False
        # Where each unit's ids are in the table: the unit's start, plus the position in the unit.
        shift = take_values(self._starts, numbers, np.int64) - (np.cumsum(lengths) - lengths)
        places = np.repeat(shift, lengths)
        places += np.arange(len(places))
        result = np.empty(int(ends[-1]), dtype=np.int64)
        result[at] = np.where(spaces[explicit], SPACE, JOIN)
        result[is_unit] = take_values(self._ids, places, np.int64)
        return result, self._last[int(numbers[-1])], int(take_values(self._hidden, numbers, np.int64).sum())


def _with_runs_of_spaces(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Replaces each four consecutive SPACE in `ids` by one SPACES; also returns how many SPACE were left at the end."""
    is_space = ids == SPACE
    if not len(ids) or not (is_space[-1] or (is_space[3:] & is_space[2:-1] & is_space[1:-2] & is_space[:-3]).any()):
        return ids, 0
    index = np.arange(len(ids))
    # The position of each space in its run: its distance from the last token that is not a space.
    before = np.maximum.accumulate(np.where(is_space, -1, index))
    place = index - before - 1
    after = np.minimum.accumulate(np.where(is_space, len(ids), index)[::-1])[::-1]
    length = after - before - 1
    in_four = is_space & (place < length // 4 * 4)
    ids = np.where(in_four, SPACES, ids)
    ids = ids[~in_four | (place % 4 == 0)]
    held = int(length[-1]) % 4 if is_space[-1] else 0
    return ids[: len(ids) - held], held
