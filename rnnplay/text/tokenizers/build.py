"""Builds tokenizers from text, or from a saved vocabulary.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from rnnplay.common.jsonl import UNDECODABLE
from rnnplay.errors import InputError
from rnnplay.text.tokenizers.characters import CharCounter, CharTokenizer
from rnnplay.text.tokenizers.spacing import SpacingRule
from rnnplay.text.tokenizers.units import tokens_in
from rnnplay.text.tokenizers.vocabulary import FORMAT, UNKNOWN, SavedTokenizer, Tokenizer
from rnnplay.text.tokenizers.words import RESERVED, WordCounter, WordTokenizer

__all__ = ["UNKNOWN", "CharTokenizer", "Tokenizer", "WordTokenizer", "build_tokenizer", "load_tokenizer"]


def build_tokenizer(
    chunks: Iterable[str],
    kind: Literal["char", "word"],
    *,
    lowercase: bool = False,
    min_count: int = 1,
    max_vocabulary: int = 0,
    keep_newline: bool = False,
    must_know: bool = False,
) -> Tokenizer:
    r"""Builds a tokenizer of the tokens that occur at least `min_count` times in the joined `chunks`.

    max_vocabulary: the number of ids, the unknown token (and for words those that encode spaces) included, the most
    frequent tokens first; 0: no limit. keep_newline: "\\n" gets an id even if it does not occur. must_know: raises
    InputError if a text that is not blank would consist of unknown tokens and newlines only.
    """
    if kind == "word":
        words = WordCounter(lowercase)
        words.count(chunks)
        return words.tokenizer(min_count, max_vocabulary, must_know)
    characters = CharCounter(lowercase)
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
    reserved = (UNKNOWN,) if saved.kind == "char" else RESERVED
    pieces = saved.tokens[len(reserved) :]
    if tuple(saved.tokens[: len(reserved)]) != reserved or len(set(pieces)) != len(pieces):
        raise _damaged()
    if saved.kind == "char":
        if any(len(piece) != 1 for piece in pieces):
            raise _damaged()
        return CharTokenizer(pieces, saved.lowercase)
    if any(tokens_in(piece) != [piece] or piece in ("\n", " ", UNKNOWN) for piece in pieces):
        raise _damaged()
    return WordTokenizer(pieces, SpacingRule.from_rows(saved.marks, saved.spaces), saved.lowercase)


def _damaged() -> InputError:
    return InputError("The vocabulary is damaged (its tokens are invalid); restore vocabulary.json or train again.")
