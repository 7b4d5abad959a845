"""Byte-pair encoding (Sennrich et al. 2016) over bytes (Radford et al. 2019), learned from the corpus.

Training and encoding are those of the package tokenizers (Hugging Face), which is loaded when the first text is
encoded. A text is first divided as GPT-2's is, and at every newline, so that "\\n" is always a token by itself: lines
can be fed one by one, and a completion ends where a line does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from itertools import islice
from typing import Any

import numpy as np

from rnnplay.config import NormalForm, TokenKind
from rnnplay.errors import InputError
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
    id_type,
    joined_ids,
    saved_bytes,
)

SMALLEST = 257
"""`UNKNOWN`, which does not occur, and every byte."""
FILE = "tokenizer.json"
"""In a run's folder, for other programs: its ids are those of the model's rows."""

INSTALL = "pip install 'rnnplay[bpe]'"
_NO_TOKEN = "<no token>"
"""Stands at id 0 in tokenizer.json; no piece can be the same, as none has a space in it (it is written Ġ)."""
_LEAST_COUNT = 2
"""Pairs that occur less often are not merged."""
_STEP = 1 << 16
_BATCH = 16
"""Pieces encoded at once, on several cores."""
_LONGEST = 1 << 20
"""Characters without a place to cut; then the text is cut anyway, at the same places however it came."""
_BETWEEN_WORDS = re.compile(r"[^\s\x1c-\x1f](?= )")


class BpeTokenizer:
    """Ids of byte pairs merged in the order in which they were learned; id 0, the unknown token, never occurs.

    The 256 bytes come first, in the order of their written forms, then the merges. `decode(encode(text)) == text`.
    """

    kind: TokenKind = "bpe"

    def __init__(
        self,
        merges: Sequence[str],
        lowercase: bool,
        normal_form: NormalForm,
    ) -> None:
        """`merges`: pairs of written forms with a space between them, as in GPT-2's files. Raises InputError."""
        self.lowercase = lowercase
        self.normal_form = normal_form
        self.merges = list(merges)
        written = _with_merged(self.merges)
        self.pieces = [b"", *(bytes(_values()[character] for character in piece) for piece in written)]
        """The bytes of each token by id."""
        self.written = [UNKNOWN, *written]
        """The tokens as in GPT-2's files."""
        self.tokens = [UNKNOWN, *map(shown_piece, self.pieces[1:])]
        self.size = len(self.tokens)
        self.newline: int | None = self.written.index(_forms()[ord("\n")])
        self._texts = [UNKNOWN, *map(to_carrying, self.pieces[1:])]

    @cached_property
    def _encoder(self) -> Any:
        library = _library()
        vocabulary = {form: number for number, form in enumerate([_NO_TOKEN, *self.written[1:]])}
        encoder = library.Tokenizer(library.models.BPE(vocabulary, [tuple(merge.split(" ")) for merge in self.merges]))
        encoder.pre_tokenizer = _pre_tokenizer(library)
        encoder.decoder = library.decoders.ByteLevel()
        return encoder

    def encode(self, text: str) -> Ids:
        """Encodes `text` as ids, shape (tokens,)."""
        return joined_ids(self.encode_chunks([text]))

    def encode_chunks(self, chunks: Iterable[str], hidden: Hidden | None = None) -> Iterator[AnyIds]:  # noqa: ARG002
        """Encodes the joined `chunks`; nothing is hidden. Raises InputError if the package is not installed."""
        encoder, dtype = self._encoder, id_type(self.size)
        texts = map(_valid, pieces_to_encode(prepared_chunks(chunks, self.lowercase, self.normal_form)))
        while batch := list(islice(texts, _BATCH)):
            for encoded in encoder.encode_batch_fast(batch, add_special_tokens=False):
                yield np.array(encoded.ids, dtype=dtype)

    def decode(self, ids: Iterable[int]) -> str:
        """Decodes ids to text; bytes that form no character become U+FFFD."""
        return b"".join(self.pieces[token] or UNKNOWN.encode() for token in ids).decode("utf-8", "replace")

    def decode_after(self, previous: int | None, token: int) -> str:  # noqa: ARG002
        """The text of the token, space included; bytes of an unfinished character are carried (utf8.py)."""
        return self._texts[token]

    def unknown_in(self, text: str) -> list[str]:  # noqa: ARG002
        """Nothing: every text is bytes."""
        return []

    def knows(self, token: str) -> bool:  # noqa: ARG002
        """True: every text is bytes."""
        return True

    def extended(self, tokens: Iterable[str]) -> BpeTokenizer:
        """Itself, as every text is bytes; raises ValueError for any token."""
        if list(tokens):
            raise ValueError("every text can be encoded")
        return self

    def is_word_part(self, token: int) -> bool:
        """Whether the token ends in a letter, digit, apostrophe or underscore, or in a part of a character."""
        return token > 0 and (self.pieces[token][-1] >= 0x80 or is_word_character(chr(self.pieces[token][-1])))

    def companions(self) -> dict[str, bytes]:
        """tokenizer.json, as the package tokenizers reads it; nothing if it is not installed."""
        if find_spec("tokenizers") is None:
            return {}
        return {FILE: self._encoder.to_str(pretty=True).encode()}

    def to_bytes(self) -> bytes:
        """Serialises it as vocabulary.json."""
        saved = SavedTokenizer(
            format=FORMAT,
            kind=self.kind,
            lowercase=self.lowercase,
            tokens=self.written,
            normal_form=self.normal_form,
            merges=self.merges,
        )
        return saved_bytes(saved)


def train_bpe(chunks: Iterable[str], size: int, lowercase: bool, normal_form: NormalForm) -> BpeTokenizer:
    """Learns a tokenizer of at most `size` ids from the joined `chunks`; a short text may give fewer.

    Raises InputError if the package is not installed.
    """
    import json

    library = _library()
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = _pre_tokenizer(library)
    trainer = library.trainers.BpeTrainer(
        vocab_size=max(size, SMALLEST) - 1,
        min_frequency=_LEAST_COUNT,
        show_progress=False,
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
    )
    texts = map(_valid, pieces_to_encode(prepared_chunks(chunks, lowercase, normal_form)))
    tokenizer.train_from_iterator(texts, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return BpeTokenizer([" ".join(pair) for pair in merges], lowercase, normal_form)


def pieces_to_encode(chunks: Iterable[str]) -> Iterator[str]:
    """Joins `chunks` and cuts them where no token crosses: after newlines, or else before spaces."""
    waiting = ""
    for chunk in chunks:
        for start in range(0, len(chunk), _STEP):
            waiting += chunk[start : start + _STEP]
            end = waiting.rfind("\n") + 1
            if not end and len(waiting) > _STEP:
                end = max((found.end() for found in _BETWEEN_WORDS.finditer(waiting)), default=0)
            if end:
                yield waiting[:end]
                waiting = waiting[end:]
            while len(waiting) > _LONGEST:
                yield waiting[:_LONGEST]
                waiting = waiting[_LONGEST:]
    if waiting:
        yield waiting


def _valid(text: str) -> str:
    """`text` as the package takes it, which knows valid UTF-8 only."""
    return text if text.isascii() else to_bytes(text).decode("utf-8", "replace")


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise InputError(
            f"Tokens of byte pairs need the package tokenizers, which is not installed; install it with: {INSTALL}"
        ) from error
    return tokenizers


@cache
def _forms() -> list[str]:
    """GPT-2's written form of each byte: printable ones as in Latin-1, the others from U+0100 on."""
    plain = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(value) if value in plain else chr(next(others)) for value in range(256)]


def written_bytes(data: bytes) -> str:
    """Bytes in GPT-2's written form: " a\\n" is "ĠaĊ"."""
    return "".join(_forms()[value] for value in data)


@cache
def _values() -> dict[str, int]:
    return {form: value for value, form in enumerate(_forms())}


def _with_merged(merges: Sequence[str]) -> list[str]:
    """The written forms by id, from 1 on; raises InputError unless each merge is of two forms before it."""
    written = sorted(_forms())
    known = set(written)
    for merge in merges:
        first, _, second = merge.partition(" ")
        if first not in known or second not in known:
            raise InputError(
                "The vocabulary is damaged (its merges are invalid); restore vocabulary.json or train again."
            )
        if first + second not in known:  # two merges may give the same piece
            written.append(first + second)
            known.add(first + second)
    return written


def _pre_tokenizer(library: Any) -> Any:
    lines = library.pre_tokenizers.Split("\n", "isolated")
    words = library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return library.pre_tokenizers.Sequence([lines, words])
