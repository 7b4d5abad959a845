"""What all tokenizers have in common: the unknown token, the choice of a vocabulary, and vocabulary.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from rnnplay.config import NormalForm, TokenKind, WordBoundary
from rnnplay.errors import InputError
from rnnplay.text.tokenizers.preparing import lower as lower

UNKNOWN = "<unk>"
"""The display form of id 0, which stands for everything without an id of its own."""

FORMAT = 1

Ids = NDArray[np.int64]
AnyIds = NDArray[Any]

Hidden = Callable[[int], None]
"""Called with numbers of UTF-8 bytes read as `UNKNOWN`; their sum is what the unknown token hides."""


class Tokenizer(Protocol):
    """Converts text to token ids and back. Immutable; may be used from several threads at once."""

    @property
    def kind(self) -> TokenKind:
        """What one token is."""

    @property
    def lowercase(self) -> bool:
        """Whether text is lowercased before it is encoded."""

    @property
    def normal_form(self) -> NormalForm:
        """The Unicode normal form that text is brought to before it is encoded."""

    @property
    def tokens(self) -> list[str]:
        """The display form of each token, by id; id 0 is `UNKNOWN`."""

    @property
    def size(self) -> int:
        """Number of ids."""

    @property
    def newline(self) -> int | None:
        r"""The id of "\\n", if there is one."""

    def encode(self, text: str) -> Ids:
        """Encodes `text` as ids, shape (tokens,)."""

    def encode_chunks(self, chunks: Iterable[str], hidden: Hidden | None = None) -> Iterator[AnyIds]:
        """Encodes the joined `chunks`, in arrays of `id_type(size)`; where the chunks are cut does not matter.

        `hidden` is called with the bytes that have no id; a literal `<unk>` in a text of words has one.
        """

    def decode(self, ids: Iterable[int]) -> str:
        """Decodes `ids` to text."""

    def decode_after(self, previous: int | None, token: int) -> str:
        """The text that `token` adds after the token `previous` (None: at the start).

        Bytes that are no whole character are carried as utf8.py says; `split_unfinished` joins them.
        """

    def unknown_in(self, text: str) -> list[str]:
        """The distinct pieces of `text` that have no id, in order of appearance."""

    def knows(self, token: str) -> bool:
        """Whether this one token of a text, lowercased if `lowercase`, has an id."""

    def extended(self, tokens: Iterable[str]) -> Tokenizer:
        """A tokenizer with more `tokens`, which it must not know yet, after its own; its own keep their ids."""

    def is_word_part(self, token: int) -> bool:
        """Whether the token is a word or a part of one, rather than punctuation or space."""

    def companions(self) -> dict[str, bytes]:
        """Files by name that stand beside vocabulary.json for other programs."""

    def to_bytes(self) -> bytes:
        """Serialises the whole tokenizer as JSON, for `load_tokenizer`."""


class SavedTokenizer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contents of vocabulary.json."""

    format: int
    kind: TokenKind
    lowercase: bool
    tokens: list[str]
    """Display forms by id, the unknown token at 0; of byte pairs the written forms of GPT-2's files."""
    marks: list[str] = []
    """Words only: punctuation marks (or the newline) with a class of their own; see spacing.py."""
    spaces: list[str] = []
    """Words only: one row per class of token, "1" where a space precedes the class of the column."""
    word_boundary: WordBoundary = "punctuation"
    """Words only."""
    normal_form: NormalForm = "none"
    merges: list[str] = []
    """Byte pairs only: two written forms with a space between them, in the order in which they were learned."""


def saved_bytes(saved: SavedTokenizer) -> bytes:
    """The contents of vocabulary.json; fields that runs of earlier versions lack are left out at their defaults.

    Whether a run can be resumed with a text is told by comparing these bytes.
    """
    fields = msgspec.structs.asdict(saved)
    if saved.normal_form == "none":
        del fields["normal_form"]
    if saved.word_boundary == "punctuation":
        del fields["word_boundary"]
    if not saved.merges:
        del fields["merges"]
    return msgspec.json.encode(fields)


def joined_ids(parts: Iterable[AnyIds]) -> Ids:
    """Joins arrays of ids, of which there may be none, into one, shape (tokens,)."""
    return np.concatenate([np.zeros(0, np.int64), *parts], dtype=np.int64)


def id_type(size: int) -> type[np.uint8] | type[np.uint16] | type[np.int32]:
    """The smallest integer type that holds `size` ids."""
    return np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.int32


def most_frequent(counts: Iterable[tuple[str, int]], min_count: int, limit: int | None) -> list[str]:
    """The tokens counted at least `min_count` times, by falling count, then by text; at most `limit`."""
    kept = by_frequency(pair for pair in counts if pair[1] >= min_count)
    return [piece for piece, _ in kept[:limit]]


def by_frequency(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Sorts tokens with their counts by falling count, then by text."""
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))


def check_known(unit: str, counts: list[int], min_count: int, max_vocabulary: int) -> None:
    """Raises InputError if the vocabulary has no `unit` ("word", "character") of a text that has some.

    All would be `UNKNOWN`, and a model that predicts nothing else would seem perfect. `counts`: how often each unit of
    the text except newlines occurs.
    """
    if not counts:
        return
    most = f"the most frequent {unit} occurs {max(counts):,} times"
    if max(counts) < min_count:
        raise InputError(
            f"With min_count {min_count:,} all of the text is {UNKNOWN}; {most}, so give a lower min_count."
        )
    if max_vocabulary:
        raise InputError(f"With max_vocabulary {max_vocabulary:,} all of the text is {UNKNOWN}; give a larger one.")
    raise InputError(f"All of the text is {UNKNOWN}; give a text with words.")
