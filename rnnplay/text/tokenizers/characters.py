"""Characters as tokens: one id per Unicode code point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import NormalForm, TokenKind
from rnnplay.text.tokenizers.preparing import prepared, prepared_chunks
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
    saved_bytes,
)

_CODE_POINTS = 0x110000
_STEP = 1 << 20
"""Characters looked up at once, so that a long text needs little additional memory."""


class CharTokenizer:
    """One id per character: id 0 for unknown ones, then the vocabulary in the order of code points."""

    kind: TokenKind = "char"

    def __init__(self, characters: Iterable[str], lowercase: bool = False, normal_form: NormalForm = "none") -> None:
        """`characters`: single characters, in the order of their ids from 1 on."""
        self.lowercase = lowercase
        self.normal_form = normal_form
        self.tokens = [UNKNOWN, *characters]
        self.size = len(self.tokens)
        points = code_points("".join(self.tokens[1:]))
        # One entry past the largest code point, 0, serves all larger ones.
        self._table = np.zeros(int(points.max(initial=0)) + 2, dtype=id_type(self.size))
        self._table[points] = np.arange(1, self.size)
        self.newline = int(self._table[ord("\n")]) or None if len(self._table) > ord("\n") else None

    def encode(self, text: str) -> Ids:
        """Encodes `text` as ids, shape (characters,)."""
        return joined_ids(self.encode_chunks([text]))

    def encode_chunks(self, chunks: Iterable[str], hidden: Hidden | None = None) -> Iterator[AnyIds]:
        """Encodes the joined `chunks`, in arrays of `id_type(size)`; `hidden` receives the bytes without an id."""
        for text in prepared_chunks(chunks, self.lowercase, self.normal_form):
            for start in range(0, len(text), _STEP):
                points = code_points(text[start : start + _STEP])
                ids = self._table.take(points, mode="clip")
                if hidden is not None:
                    hidden(utf8_bytes(points[ids == 0]))
                yield ids

    def decode(self, ids: Iterable[int]) -> str:
        """Decodes ids to characters; `UNKNOWN` for id 0."""
        return "".join([self.tokens[token] for token in ids])

    def decode_after(self, previous: int | None, token: int) -> str:  # noqa: ARG002
        """The character itself: it does not depend on the previous one."""
        return self.tokens[token]

    def unknown_in(self, text: str) -> list[str]:
        """The distinct characters of `text` that have no id, in order of appearance."""
        text = prepared(text, self.lowercase, self.normal_form)
        return list(dict.fromkeys(text[index] for index in np.flatnonzero(self.encode(text) == 0)))

    def knows(self, token: str) -> bool:
        """Whether the character has an id."""
        return bool(self.encode(token)[0])

    def extended(self, tokens: Iterable[str]) -> CharTokenizer:
        """A tokenizer with more characters after its own, which keep their ids."""
        return CharTokenizer([*self.tokens[1:], *tokens], self.lowercase, self.normal_form)

    def is_word_part(self, token: int) -> bool:
        """Whether it is a letter, digit, combining mark, apostrophe or underscore."""
        return token > 0 and is_word_character(self.tokens[token])

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
            normal_form=self.normal_form,
        )
        return saved_bytes(saved)


class CharCounter:
    """Counts characters."""

    def __init__(self, lowercase: bool, normal_form: NormalForm) -> None:
        self._lowercase = lowercase
        self._normal_form = normal_form
        self._counts = np.zeros(_CODE_POINTS, dtype=np.int64)

    def count(self, chunks: Iterable[str]) -> None:
        """Counts the characters of `chunks`."""
        for text in prepared_chunks(chunks, self._lowercase, self._normal_form):
            for start in range(0, len(text), _STEP):
                counts = np.bincount(code_points(text[start : start + _STEP]))
                self._counts[: len(counts)] += counts

    def counts(self) -> list[tuple[str, int]]:
        """The characters counted, the most frequent first."""
        self._counts[0xD800:0xE000] = 0
        seen = np.flatnonzero(self._counts)
        return by_frequency(zip(map(chr, seen.tolist()), self._counts[seen].tolist(), strict=True))

    def tokenizer(
        self, min_count: int = 1, max_vocabulary: int = 0, keep_newline: bool = False, must_know: bool = False
    ) -> CharTokenizer:
        """Builds a tokenizer of the counted characters; see `build_tokenizer`."""
        self._counts[0xD800:0xE000] = 0  # halves of surrogate pairs are not characters and cannot be saved
        seen = np.flatnonzero(self._counts)
        kept = seen[self._counts[seen] >= min_count]
        limit = max(max_vocabulary - 1, 1) if max_vocabulary else None
        if limit:  # the characters that were counted by code point
            kept = kept[np.argsort(-self._counts[kept], kind="stable")][:limit]
        newline = ord("\n")
        if keep_newline and newline not in kept:
            kept = np.append(kept[: max(limit - 1, 0) if limit else None], newline)
        if must_know and not (kept != newline).any():
            counted = self._counts[seen[seen != newline]].tolist()
            check_known("character", counted, min_count, max_vocabulary)
        return CharTokenizer(map(chr, np.sort(kept).tolist()), self._lowercase, self._normal_form)


def code_points(text: str) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """The code points of `text`, shape (len(text),)."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def utf8_bytes(points: AnyIds) -> int:
    """The number of UTF-8 bytes of these code points."""
    return len(points) + sum(int(np.count_nonzero(points >= least)) for least in (0x80, 0x800, 0x10000))


def is_word_character(character: str) -> bool:
    """Whether it is a letter, digit, combining mark, apostrophe or underscore."""
    import unicodedata

    return (
        character.isalnum()
        or character in "_'\N{RIGHT SINGLE QUOTATION MARK}"
        or unicodedata.category(character)[0] == "M"
    )
