"""Reads and writes notes.json, what a user noted about a run: a text and tags. Training never touches it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rnnplay.common.files import composed, is_name, read_bounded, replacing
from rnnplay.common.jsonl import UNDECODABLE
from rnnplay.common.limits import reason, way_out
from rnnplay.common.terminal_text import sanitize
from rnnplay.errors import InputError

FILE = "notes.json"
FORMAT = 1
LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 2000, 40, 20
"""Characters of a note, characters of a tag, and tags of a run."""
_LIMIT = 1 << 16


class RunNotes(msgspec.Struct, frozen=True):
    """What a user noted about a run."""

    note: str = ""
    tags: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.note or self.tags)


NO_NOTES = RunNotes()


class _File(msgspec.Struct):
    format: int = FORMAT
    note: str = ""
    tags: list[str] = []


def read_notes(folder: Path) -> RunNotes:
    """Reads the notes of the run in `folder`; raises InputError in one sentence if the file cannot be used."""
    path = folder / FILE
    if not os.path.lexists(path):
        return NO_NOTES
    try:
        found = msgspec.json.decode(read_bounded(path, _LIMIT), type=_File)
    except UNDECODABLE as error:
        raise InputError(f"{path} is broken ({str(error)[:200]}); remove it.") from error
    if found.format > FORMAT:
        raise InputError(f"{path} was written by a later rnnplay (format {found.format}); update rnnplay.")
    tags = dict.fromkeys(tag for tag in found.tags if is_name(tag, LONGEST_TAG))
    return RunNotes(sanitize(found.note)[:LONGEST_NOTE], tuple(tags)[:MOST_TAGS])


def write_notes(folder: Path, notes: RunNotes) -> None:
    """Replaces the notes of the run in `folder`; empty ones remove the file. Raises InputError."""
    path = folder / FILE
    checked = RunNotes(checked_note(notes.note), checked_tags(notes.tags))
    try:
        if not checked:
            path.unlink(missing_ok=True)
            return
        with replacing(path) as file:
            found = msgspec.json.encode(_File(note=checked.note, tags=list(checked.tags)))
            file.write(msgspec.json.format(found, indent=2) + b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({reason(error)}); {way_out(error)}.") from error


def checked_note(text: str) -> str:
    """Returns the text of a note without control characters; raises InputError if it is too long."""
    text = sanitize(text.strip())
    if len(text) > LONGEST_NOTE:
        raise InputError(f"The note has {len(text):,} characters, and may have {LONGEST_NOTE:,}; shorten it.")
    return text


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Returns the tags, each once; raises InputError for one that is invalid, and for too many."""
    found = tuple(dict.fromkeys(composed(tag) for tag in tags))
    for tag in found:
        if not is_name(tag, LONGEST_TAG):
            raise InputError(
                f"A tag cannot be {tag[:60]!r}; use at most {LONGEST_TAG} letters, digits, dots, dashes and "
                "underscores, beginning with a letter or digit."
            )
    if len(found) > MOST_TAGS:
        raise InputError(f"A run may have {MOST_TAGS} tags, and {len(found)} were given; leave some out.")
    return found


def changed_tags(tags: Iterable[str], words: str) -> tuple[str, ...]:
    """Returns `tags` as `words` change them: "good -bad" adds one and removes another. Raises InputError."""
    found = list(tags)
    for word in words.replace(",", " ").split():
        tag = composed(word.lstrip("+-"))
        checked_tags([tag])
        if word.startswith("-"):
            found = [one for one in found if one != tag]
        else:
            found.append(tag)
    return checked_tags(found)
