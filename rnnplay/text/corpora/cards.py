"""Reads corpus cards: small TOML files that say what a text is and how to read it.

Cards may come from anyone, so every field is checked, and nothing in a card can name a file outside its folder or put
escape sequences on a screen.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal, get_args

import msgspec

from rnnplay.common.files import composed
from rnnplay.common.limits import way_out
from rnnplay.common.terminal_text import sanitize_name
from rnnplay.common.toml.text import parse_toml
from rnnplay.config import TokenKind
from rnnplay.errors import InputError

LARGEST_CARD = 65_536
"""In bytes."""

Source = Literal["", "python-docs", "python-source", "recall", "brackets", "agreement", "copy"]
SOURCES = tuple(source for source in get_args(Source) if source)
SOURCES_IN_WORDS = f"{', '.join(SOURCES[:-1])} or {SOURCES[-1]}"


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card's contents. It has either `file` or `source`."""

    name: str = ""
    """The name that a user types; by default the card's file name without .toml."""
    title: str = ""
    summary: str = ""
    """What training on it teaches."""
    feed: Literal["stream", "lines"] = "stream"
    tokens: TokenKind = "char"
    """A hint: the kind of token that suits the text best."""
    file: str = ""
    """The text, relative to the card and in its folder."""
    encoding: str = ""
    """The text's encoding by Python's name for it ("cp1252"), if it is not UTF-8."""
    source: Source = ""
    """For a generated text: its generator."""
    licence: str = ""


def read_card(place: Path) -> Card:
    """Reads the card at `place` and fills in name and title; raises InputError naming the card and the field."""
    where = f"The card {clean(str(place))}"
    try:
        with place.open("rb") as file:
            data = file.read(LARGEST_CARD + 1)
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror}); {way_out(error, reading=True)}.") from error
    if len(data) > LARGEST_CARD:
        raise InputError(f"{where} is larger than {LARGEST_CARD:,} bytes, so it is not a corpus card; remove it.")
    try:
        card = msgspec.convert(parse_toml(data, where), Card)
    except msgspec.ValidationError as error:
        raise InputError(f"{where} {_complaint(str(error))}.") from error
    _check_file(card.file, place, where)
    if bool(card.file) == bool(card.source):
        raise InputError(
            f"{where} needs either the field file (a text beside it) or the field source "
            f"({SOURCES_IN_WORDS}){', not both' if card.file else ''}."
        )
    if card.encoding:
        from rnnplay.text.corpora.detection import encoding_name

        try:
            encoding_name(card.encoding)
        except InputError as error:
            raise InputError(f"{where} has something wrong in the field encoding. {error}") from error
    name = composed(clean(card.name or place.stem))
    if not name or "/" in name or "\\" in name:
        raise InputError(f"{where} has '{name}' in the field name, but a name has no / or \\ in it.")
    return msgspec.structs.replace(
        card,
        name=name,
        title=clean(card.title) or card_title(name),
        summary=clean(card.summary),
        licence=clean(card.licence),
    )


def clean(text: str) -> str:
    """Returns `text` on one line; control characters, escape sequences and direction marks become U+FFFD."""
    return sanitize_name(text)


def card_title(name: str) -> str:
    """Makes a title from a name: its words, separated by spaces."""
    return name.replace("_", " ").replace("-", " ").strip() or name


def _check_file(file: str, place: Path, where: str) -> None:
    if not file:
        return
    parts = (*PurePosixPath(file).parts, *PureWindowsPath(file).parts)
    leaves = ".." in parts or PurePosixPath(file).is_absolute() or bool(PureWindowsPath(file).anchor)
    if not leaves:
        try:
            folder = place.parent.resolve()
            leaves = not (place.parent / file).resolve().is_relative_to(folder)
        except (OSError, ValueError):
            leaves = True
    if leaves:
        raise InputError(
            f"{where} has '{clean(file)}' in the field file, but the text must be in the card's own folder."
        )


def _complaint(message: str) -> str:
    """Rewords msgspec's message about one field."""
    unknown = re.search(r"unknown field `(.*?)`", message)
    if unknown:
        fields = ", ".join(field.name for field in msgspec.structs.fields(Card))
        return f"has the unknown field {clean(unknown[1])}; a card's fields are {fields}"
    field = re.search(r" - at `\$\.?(.*?)`$", message)
    name = clean(field[1]) if field else "?"
    if name in ("feed", "tokens", "source") and "Invalid enum" in message:
        allowed = {"feed": "stream or lines", "tokens": "char, byte, bpe or word", "source": SOURCES_IN_WORDS}[name]
        return f"has an unknown value in the field {name}, which must be {allowed}"
    wrong = re.search(r"Expected `(.*?)`, got `(.*?)`", message)
    if wrong:
        return f"has {_kind(wrong[2])} in the field {name}, but it must be {_kind(wrong[1])}"
    return f"has something wrong in the field {name} ({clean(message).rstrip('.')})"


def _kind(kind: str) -> str:
    return {
        "str": "text in quotes",
        "int": "a number",
        "float": "a number",
        "bool": "true or false",
        "array": "a list",
        "object": "a table",
    }.get(kind, f"a {kind}")
