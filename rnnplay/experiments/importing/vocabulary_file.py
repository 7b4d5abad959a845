"""Reads the vocabulary of an imported model, and orders its rows as rnnplay's tokenizers order their ids.

Ours begin with `<unk>`, those of words also with newline and spaces. What a model has no row for gets one that is next
to never predicted, so that all other probabilities are the model's own. Tokens such as `<pad>`, which no text has, are
left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec

from rnnplay.common.files import read_small
from rnnplay.common.limits import reason
from rnnplay.common.terminal_text import sanitize_line
from rnnplay.config import TokenKind, WordBoundary
from rnnplay.errors import InputError
from rnnplay.experiments.importing.subword_vocabulary import bpe_rows, byte_rows, is_tokenizer_file
from rnnplay.text.tokenizers.build import UNKNOWN, CharTokenizer, Tokenizer, WordTokenizer, load_tokenizer
from rnnplay.text.tokenizers.spacing import SpacingCounter
from rnnplay.text.tokenizers.units import tokens_in
from rnnplay.text.tokenizers.words import RESERVED, WordCounter

LIMIT = 1 << 28
UNKNOWN_NAMES = ("<unk>", "<UNK>", "[UNK]", "<unknown>", "<oov>", "<OOV>", "UNK")
NEWLINE_NAMES = ("\n", "<eos>", "<EOS>", "</s>", "<nl>", "<newline>", "\\n")
"""Names of the token at the end of a line."""
WITHIN = (
    "stoi",
    "itos",
    "token_to_id",
    "char_to_ix",
    "ix_to_char",
    "char2idx",
    "word2idx",
    "idx2word",
    "vocab",
    "tokens",
)
"""Keys under which programs keep the vocabulary beside other things."""

_SPECIAL = re.compile(r"<[^<>\s]*>|\[[A-Z_]+\]")


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer, and where its rows are in the model."""

    tokenizer: Tokenizer
    rows: list[int | None]
    """By our id, the row in the model; None for a token that the model has not."""
    left_out: list[str]
    """Tokens of the model that the tokenizer cannot read."""


def read_vocabulary(
    path: Path | None, size: int, kind: TokenKind | None, text: Iterable[str], leave_out: bool = False
) -> Vocabulary:
    """Reads a JSON file: a list of tokens, {token: id}, {id: token}, a run's vocabulary.json, or a tokenizer.json.

    path: None for bytes whose ids are their numbers. size: rows of the model. kind: None to tell by the tokens. text:
    from which it is learned where spaces stand between words. Unless `leave_out`, tokens that no text can have are
    refused, other than such as `<pad>`. Raises InputError.
    """
    if path is None:
        if kind != "byte":
            raise InputError("The model's tokens are not known; name the file that has them with --vocabulary.")
        return Vocabulary(*byte_rows(None, size, path))
    data = _data(path)
    if is_tokenizer_file(data):
        if kind not in ("bpe", None):
            raise InputError(f"{path} is a tokenizer of byte pairs; leave --tokens out, or give --tokens bpe.")
        pairs, pair_rows, unused, count = bpe_rows(data, path)
        _check_size(count, size, path)
        return Vocabulary(pairs, pair_rows, unused)
    if isinstance(data, Mapping) and {"format", "kind", "tokens"} <= data.keys():
        tokenizer = load_tokenizer(msgspec.json.encode(data))
        _check_size(tokenizer.size, size, path)
        return Vocabulary(tokenizer, list(range(size)), [])
    if kind == "bpe":
        raise InputError(f"{path} has no merges; byte pairs need the tokenizer.json or the run's vocabulary.json.")
    tokens = _tokens(data, path, numbers=kind == "byte")
    _check_size(len(tokens), size, path)
    if kind == "byte":
        return Vocabulary(*byte_rows(tokens, size, path))
    found: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token in found:
            raise InputError(
                f"{path} has {_shown([token])} twice, with ids {found[token]} and {at}; each needs its own."
            )
        found[token] = at
    unknown = next((found.pop(name) for name in UNKNOWN_NAMES if name in found), None)
    newline = next((found.pop(name) for name in NEWLINE_NAMES if name in found), None)
    specials = [token for token in found if len(token) > 1 and _SPECIAL.fullmatch(token)]
    others = {token: at for token, at in found.items() if token not in specials}
    if kind is None:
        kind = "char" if all(len(token) == 1 for token in others) else "word"
    boundary: WordBoundary = "punctuation"
    if kind == "char":
        unreadable = [token for token in others if len(token) != 1 or 0xD800 <= ord(token) < 0xE000]
    else:
        boundary, unreadable = _boundary([token for token in others if token != " "])
    if unreadable and not leave_out:
        raise InputError(
            f"{len(unreadable):,} of the {size:,} tokens in {path}, such as {_shown(unreadable[:4])}, are no "
            f"{'characters' if kind == 'char' else 'words as rnnplay splits a text'}; to import the model without "
            "them, add --leave-out."
        )
    readable = {token: at for token, at in others.items() if token not in set(unreadable)}
    left_out = [*specials, *unreadable]
    if kind == "char":
        if newline is not None:
            readable["\n"] = newline
        characters = sorted(readable)
        return Vocabulary(CharTokenizer(characters), [unknown, *(readable[one] for one in characters)], left_out)
    space = readable.pop(" ", None)
    words = sorted(readable, key=readable.__getitem__)
    rows = [unknown, newline, space, *[None] * (len(RESERVED) - 3), *(readable[word] for word in words)]
    return Vocabulary(_word_tokenizer(words, text, boundary), rows, left_out)


def _boundary(words: Sequence[str]) -> tuple[WordBoundary, list[str]]:
    """Where a text must be cut for all `words`, else most of them, to be tokens; and those that are none."""
    unread: dict[WordBoundary, list[str]] = {
        boundary: [word for word in words if tokens_in(word, boundary) != [word]] for boundary in get_args(WordBoundary)
    }
    # In a text divided into tokens a mark stands alone, so a word that has one inside tells it from any other.
    boundary: WordBoundary = "whitespace" if unread["punctuation"] and not unread["whitespace"] else "punctuation"
    return boundary, unread[boundary]


def _word_tokenizer(words: Sequence[str], text: Iterable[str], boundary: WordBoundary) -> WordTokenizer:
    """With the spaces of `text`; those of marks that it has not are as customary in English."""
    counter = WordCounter(boundary=boundary)
    counter.count(text)
    rule = counter.tokenizer().rule
    if not rule.marks:
        customary = SpacingCounter(boundary)
        for word in words:
            customary.class_of(word)
        rule = customary.rule(set(words).__contains__)
    return WordTokenizer(words, rule)


def _data(path: Path) -> Any:
    try:
        return msgspec.json.decode(read_small(path, LIMIT).removeprefix(b"\xef\xbb\xbf"))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}; check its name.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({reason(error)}); name a plain file that can be.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not a JSON file of tokens ({str(error)[:100]}); save the list of tokens."
        ) from error


def _tokens(data: Any, path: Path, numbers: bool) -> list[str]:
    """The tokens by id; with `numbers`, which stand for bytes, they may be numbers."""
    if isinstance(data, list) and all(isinstance(token, (str, int) if numbers else str) for token in data):
        return data
    if isinstance(data, Mapping):
        if data and all(isinstance(value, int) and not isinstance(value, bool) for value in data.values()):
            return _by_id({int(at): str(token) for token, at in data.items()}, len(data), path)
        if data and all(isinstance(value, str) for value in data.values()) and all(key.isdigit() for key in data):
            return _by_id({int(at): token for at, token in data.items()}, len(data), path)
        for name in WITHIN:
            if isinstance(data.get(name), list | Mapping):
                return _tokens(data[name], path, numbers)
    raise InputError(f"{path} is neither a list of tokens nor an object of tokens and their ids; save one of them.")


def _by_id(tokens: Mapping[int, str], count: int, path: Path) -> list[str]:
    lacking = next((at for at in range(count) if at not in tokens), None)
    if lacking is not None:
        raise InputError(
            f"{path} has {count:,} tokens, but none with id {lacking}; ids are from 0 to {count - 1}, each once."
        )
    return [tokens[at] for at in range(count)]


def _check_size(tokens: int, rows: int, path: Path) -> None:
    if tokens != rows:
        raise InputError(
            f"{path} has {tokens:,} tokens, but the model has a row for each of {rows:,}; give the vocabulary that it "
            "was trained with."
        )


def _shown(tokens: Sequence[str]) -> str:
    return ", ".join(repr(sanitize_line(token[:40])) for token in tokens)


__all__ = ["UNKNOWN", "Vocabulary", "read_vocabulary"]
