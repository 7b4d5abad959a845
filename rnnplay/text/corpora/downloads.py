"""Texts that can be downloaded: cards with an address, a checksum, a size and a licence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from rnnplay.common.toml.text import parse_toml
from rnnplay.config import TokenKind
from rnnplay.errors import InputError
from rnnplay.workspace import bundled_corpora


class Download(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text that can be downloaded."""

    name: str = ""
    title: str
    summary: str
    url: str
    bytes: int
    """Size of the download; only approximate without a checksum."""
    sha256: str = ""
    """Checksum of the download; "" where it is not known or the text is revised now and then."""
    tokens: TokenKind = "char"
    feed: Literal["stream", "lines"] = "stream"
    licence: str
    checked: str
    """How bytes and sha256 are known, and what was not tried."""


def downloads() -> list[Download]:
    """All texts that can be downloaded, by name."""
    return [_read(place) for place in sorted((bundled_corpora() / "downloads").glob("*.toml"))]


def find_download(name: str) -> Download | None:
    """The text of that name."""
    return next((one for one in downloads() if one.name == name.strip()), None)


def is_url(text: str) -> bool:
    """Whether `text` looks like a web address rather than a path."""
    return text.strip().lower().startswith(("http://", "https://"))


def _read(place: Path) -> Download:
    try:
        card = msgspec.convert(parse_toml(place.read_bytes(), f"The card {place}"), Download)
    except (OSError, msgspec.ValidationError) as error:
        raise InputError(f"The card {place} cannot be read ({error}); install rnnplay again.") from error
    if card.sha256 and not re.fullmatch("[0-9a-f]{64}", card.sha256):
        raise InputError(f"The card {place} has something wrong in the field sha256; install rnnplay again.")
    return msgspec.structs.replace(card, name=place.stem)
