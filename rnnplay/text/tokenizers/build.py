"""Builds tokenizers from text, or from a saved vocabulary.json."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rnnplay.common.jsonl import UNDECODABLE
from rnnplay.config import NormalForm, TokenKind, WordBoundary
from rnnplay.errors import InputError
from rnnplay.text.tokenizers.bpe import BpeTokenizer, train_bpe
from rnnplay.text.tokenizers.byte_values import ByteTokenizer
from rnnplay.text.tokenizers.characters import CharCounter, CharTokenizer
from rnnplay.text.tokenizers.spacing import SpacingRule
from rnnplay.text.tokenizers.units import tokens_in
from rnnplay.text.tokenizers.vocabulary import FORMAT, UNKNOWN, SavedTokenizer, Tokenizer
from rnnplay.text.tokenizers.words import RESERVED, WordCounter, WordTokenizer

__all__ = [
    "UNKNOWN",
    "BpeTokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "Tokenizer",
    "WordTokenizer",
    "build_tokenizer",
    "load_tokenizer",
]


def build_tokenizer(
    chunks: Iterable[str],
    kind: TokenKind,
    *,
    lowercase: bool = False,
    normal_form: NormalForm = "none",
    word_boundary: WordBoundary = "punctuation",
    bpe_size: int = 0,
    min_count: int = 1,
    max_vocabulary: int = 0,
    keep_newline: bool = False,
    must_know: bool = False,
) -> Tokenizer:
    r"""Builds a tokenizer of the tokens that occur at least `min_count` times in the joined `chunks`.

    max_vocabulary: the number of ids, the unknown token (and for words those that encode spaces) included, the most
    frequent tokens first; 0: no limit. keep_newline: "\\n" gets an id even if it does not occur. must_know: raises
    InputError if a text that is not blank would consist of unknown tokens and newlines only. None of these are of use
    for bytes and byte pairs, which encode every text; bpe_size is the number of ids of the latter.
    """
    if kind == "byte":
        return ByteTokenizer(lowercase, normal_form)
    if kind == "bpe":
        return train_bpe(chunks, bpe_size, lowercase, normal_form)
    if kind == "word":
        words = WordCounter(lowercase, normal_form, word_boundary)
        words.count(chunks)
        return words.tokenizer(min_count, max_vocabulary, must_know)
    characters = CharCounter(lowercase, normal_form)
    characters.count(chunks)
    return characters.tokenizer(min_count, max_vocabulary, keep_newline, must_know)


def load_tokenizer(data: bytes) -> Tokenizer:
    """Loads the tokenizer saved as `data` (vocabulary.json); raises InputError if damaged or of a later rnnplay."""
    try:
        saved = msgspec.json.decode(data, type=SavedTokenizer)
    except UNDECODABLE as error:
        what = str(error)[:200]
        raise InputError(f"The vocabulary is damaged ({what}); restore vocabulary.json or train again.") from error
    if saved.format != FORMAT:
        raise InputError(
            f"The vocabulary has format {saved.format}, but this rnnplay reads format {FORMAT}; "
            "use the rnnplay that wrote it."
        )
    if saved.kind == "byte":
        byte_values = ByteTokenizer(saved.lowercase, saved.normal_form)
        if byte_values.tokens != saved.tokens:
            raise _damaged()
        return byte_values
    if saved.kind == "bpe":
        pairs = BpeTokenizer(saved.merges, saved.lowercase, saved.normal_form)
        if pairs.written != saved.tokens:
            raise _damaged()
        return pairs
    reserved = (UNKNOWN,) if saved.kind == "char" else RESERVED
    pieces = saved.tokens[len(reserved) :]
    if tuple(saved.tokens[: len(reserved)]) != reserved or len(set(pieces)) != len(pieces):
        raise _damaged()
    if saved.kind == "char":
        if any(len(piece) != 1 for piece in pieces):
            raise _damaged()
        return CharTokenizer(pieces, saved.lowercase, saved.normal_form)
    if any(tokens_in(piece, saved.word_boundary) != [piece] or piece in ("\n", " ", UNKNOWN) for piece in pieces):
        raise _damaged()
    rule = SpacingRule.from_rows(saved.marks, saved.spaces, saved.word_boundary)
    return WordTokenizer(pieces, rule, saved.lowercase, saved.normal_form)


def _damaged() -> InputError:
    return InputError("The vocabulary is damaged (its tokens are invalid); restore vocabulary.json or train again.")
