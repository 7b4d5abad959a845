"""Bytes as tokens: any file is a text of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from rnnplay.config import NormalForm, TokenKind
from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.text.tokenizers.preparing import prepared_chunks
from rnnplay.text.tokenizers.utf8 import shown_piece, to_bytes, to_carrying
from rnnplay.text.tokenizers.vocabulary import (
    FORMAT,
    UNKNOWN,
    AnyIds,
    Hidden,
    Ids,
    SavedTokenizer,
    joined_ids,
    saved_bytes,
)

SIZE = 257
"""`UNKNOWN`, which does not occur, and every byte."""


class ByteTokenizer:
    """One id per byte of UTF-8: the byte and 1; id 0, the unknown token, never occurs."""

    kind: TokenKind = "byte"
    size = SIZE
    newline: int | None = ord("\n") + 1

    def __init__(self, lowercase: bool = False, normal_form: NormalForm = "none") -> None:
        self.lowercase = lowercase
        self.normal_form = normal_form
        self.tokens = [UNKNOWN, *(shown_piece(bytes([value])) for value in range(256))]

    def encode(self, text: str) -> Ids:
        """Encodes `text` as ids, shape (bytes,)."""
        return joined_ids(self.encode_chunks([text]))

    def encode_chunks(self, chunks: Iterable[str], hidden: Hidden | None = None) -> Iterator[AnyIds]:  # noqa: ARG002
        """Encodes the joined `chunks`; nothing is hidden."""
        for text in prepared_chunks(chunks, self.lowercase, self.normal_form):
            yield np.frombuffer(to_bytes(text), dtype=np.uint8).astype(np.uint16) + np.uint16(1)

    def decode(self, ids: Iterable[int]) -> str:
        """Decodes ids to text; bytes that form no character become U+FFFD."""
        parts = [token - 1 if token else None for token in ids]
        data = b"".join(UNKNOWN.encode() if value is None else bytes([value]) for value in parts)
        return data.decode("utf-8", "replace")

    def decode_after(self, previous: int | None, token: int) -> str:  # noqa: ARG002
        """The byte; one that is not ASCII is carried (utf8.py)."""
        return to_carrying(bytes([token - 1])) if token else UNKNOWN

    def unknown_in(self, text: str) -> list[str]:  # noqa: ARG002
        """Nothing: every text is bytes."""
        return []

    def knows(self, token: str) -> bool:  # noqa: ARG002
        """True: every text is bytes."""
        return True

    def extended(self, tokens: Iterable[str]) -> ByteTokenizer:
        """Itself, as there are no other bytes; raises ValueError for any token."""
        if list(tokens):
            raise ValueError("there are no more bytes")
        return self

    def is_word_part(self, token: int) -> bool:
        """Whether it is a letter, digit, apostrophe or underscore, or part of a character that is not ASCII."""
        return token > 0x80 or (token > 0 and is_word_character(chr(token - 1)))

    def companions(self) -> dict[str, bytes]:
        """No files: vocabulary.json says it all."""
        return {}

    def to_bytes(self) -> bytes:
        """Serialises it as vocabulary.json."""
        return saved_bytes(
            SavedTokenizer(
                format=FORMAT,
                kind=self.kind,
                lowercase=self.lowercase,
                tokens=self.tokens,
                normal_form=self.normal_form,
            )
        )
