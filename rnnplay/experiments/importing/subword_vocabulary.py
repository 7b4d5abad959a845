"""Reads the tokenizers of imported models whose tokens are bytes or byte pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnplay.config import NormalForm
from rnnplay.errors import InputError
from rnnplay.text.tokenizers.bpe import SMALLEST, BpeTokenizer, written_bytes
from rnnplay.text.tokenizers.byte_values import ByteTokenizer

NORMAL_FORMS: dict[str, NormalForm] = {"NFC": "nfc", "NFKC": "nfkc"}
UNUSED = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
"""Settings of a BPE model with which a text is divided in another way."""

_HEXADECIMAL = re.compile(r"<0x([0-9A-Fa-f]{2})>")

Rows = list[int | None]


def byte_rows(tokens: Sequence[object] | None, size: int, path: Path | None) -> tuple[ByteTokenizer, Rows, list[str]]:
    """The rows of a model of `size` tokens that are bytes, and the tokens that are none.

    tokens: by id, a byte's number, the character of that number, or "<0x0A>"; None if the ids of the model are the
    bytes' numbers and what follows them is never used. Raises InputError.
    """
    if tokens is None:
        if size < 256:
            raise InputError(
                f"The model has {size:,} tokens, fewer than there are bytes; say with --vocabulary which each one is."
            )
        return ByteTokenizer(), [None, *range(256)], [f"<{row}>" for row in range(256, size)]
    found: dict[int, int] = {}
    left_out: list[str] = []
    for at, token in enumerate(tokens):
        value = _byte(token)
        if value is None:
            left_out.append(str(token))
        elif value in found:
            raise InputError(f"{path} has the byte {value} twice, with ids {found[value]} and {at}; give each once.")
        else:
            found[value] = at
    if not found:
        raise InputError(f"{path} has no bytes; they are numbers from 0 to 255, or tokens such as <0x0A>.")
    return ByteTokenizer(), [None, *map(found.get, range(256))], left_out


def _byte(token: object) -> int | None:
    if isinstance(token, int):
        return token if 0 <= token < 256 and not isinstance(token, bool) else None
    text = str(token)
    if match := _HEXADECIMAL.fullmatch(text):
        return int(match[1], 16)
    return ord(text) if len(text) == 1 and ord(text) < 256 else None


def is_tokenizer_file(data: object) -> bool:
    """Whether this is a tokenizer.json of the package tokenizers (Hugging Face)."""
    return isinstance(data, Mapping) and isinstance(data.get("model"), Mapping) and "pre_tokenizer" in data


def bpe_rows(data: Mapping[str, Any], path: Path) -> tuple[BpeTokenizer, Rows, list[str], int]:
    """The byte pairs of a tokenizer.json, their rows in the model, tokens that no text has, and the number of all.

    Raises InputError for a tokenizer that divides a text otherwise than rnnplay's does.
    """
    model = data["model"]
    if model.get("type", "BPE") != "BPE" or not isinstance(model.get("vocab"), Mapping):
        raise InputError(
            f"{path} is a tokenizer of the kind {str(model.get('type'))[:40]}; only BPE over bytes can be imported."
        )
    if other := [name for name in UNUSED if model.get(name)]:
        raise InputError(f"{path} is BPE with {other[0]}, which rnnplay has not; only BPE over bytes can be imported.")
    _check_division(data["pre_tokenizer"], path)
    lowercase, normal_form = _normalizer(data.get("normalizer"), path)
    vocabulary: dict[str, int] = dict(model["vocab"])
    for added in data.get("added_tokens") or ():
        if isinstance(added, Mapping):
            vocabulary.setdefault(str(added.get("content")), added.get("id", -1))
    if sorted(map(str, vocabulary.values())) != sorted(map(str, range(len(vocabulary)))):
        raise InputError(f"{path} does not give its {len(vocabulary):,} tokens the ids from 0 on, each once.")
    if crossing := next((piece for piece in vocabulary if len(piece) > 1 and _NEWLINE in piece), None):
        raise InputError(
            f"{path} has the token {crossing!r}, which joins a newline (Ċ) to others; rnnplay reads a newline as a "
            "token by itself, so such a model cannot be imported."
        )
    tokenizer = BpeTokenizer([_merge(one) for one in model.get("merges") or ()], lowercase, normal_form)
    known = set(tokenizer.written[1:])
    left_out = [piece for piece in vocabulary if piece not in known]
    rows: Rows = [None, *map(vocabulary.get, tokenizer.written[1:])]
    if all(row is None for row in rows[:SMALLEST]):
        raise InputError(f"{path} has no bytes among its tokens; only BPE over bytes can be imported.")
    return tokenizer, rows, left_out, len(vocabulary)


_NEWLINE = written_bytes(b"\n")


def _merge(merge: object) -> str:
    return merge if isinstance(merge, str) else " ".join(merge) if isinstance(merge, list) else ""


def _parts(setting: object, key: str) -> list[Mapping[str, Any]]:
    """The steps of a setting of tokenizer.json, which is one step, several in a Sequence, or none."""
    if not isinstance(setting, Mapping):
        return []
    if setting.get("type") == "Sequence":
        steps: Iterable[object] = setting.get(key) or ()
        return [step for step in steps if isinstance(step, Mapping)]
    return [setting]


def _check_division(setting: object, path: Path) -> None:
    """Raises InputError unless a text is divided as GPT-2's, at newlines or not."""
    *before, last = _parts(setting, "pretokenizers") or [{}]
    at_newlines = all(step.get("type") == "Split" and step.get("pattern") == {"String": "\n"} for step in before)
    if (
        not at_newlines
        or last.get("type") != "ByteLevel"
        or last.get("add_prefix_space")
        or not last.get("use_regex", True)
    ):
        raise InputError(
            f"{path} divides a text otherwise than rnnplay does; only the pre-tokenizer ByteLevel, with its regular "
            "expression and without a space put before the text, can be imported."
        )


def _normalizer(setting: object, path: Path) -> tuple[bool, NormalForm]:
    lowercase = False
    form: NormalForm = "none"
    for step in _parts(setting, "normalizers"):
        kind = str(step.get("type"))
        if kind == "Lowercase":
            lowercase = True
        elif kind in NORMAL_FORMS:
            form = NORMAL_FORMS[kind]
        else:
            raise InputError(
                f"{path} normalizes a text with {kind[:40]}; only Lowercase, NFC and NFKC can be imported."
            )
    return lowercase, form
