"""The text in the scratchpad, kept in the workspace at all times, and the file that it belongs to. No widgets."""

from __future__ import annotations

import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.errors import InputError

FILE = "draft.json"
MOST_BYTES = 5_000_000
"""Larger files are not opened."""

_HEAD_BYTES = 1 << 16


class Draft(msgspec.Struct, kw_only=True):
    """A text, where the cursor stands in it, and the file to which it is saved."""

    text: str = ""
    cursor: tuple[int, int] = (0, 0)
    """Row and column."""
    file: str = ""
    """The absolute path; "" for a text that was not saved yet."""
    unsaved: bool = False
    """Whether the file lacks something of the text."""
    newline: str = "\n"
    """How lines end in the file; in `text` with a newline."""

    @property
    def name(self) -> str:
        """The file's name; "untitled" without one."""
        return Path(self.file).name if self.file else "untitled"


def load_draft(path: Path) -> Draft:
    """Reads the draft kept in `path`; an empty one if there is none that can be read."""
    try:
        return msgspec.json.decode(read_small(path, 8 * MOST_BYTES), type=Draft)
    except (OSError, ValueError, RecursionError):
        return Draft()


def keep_draft(draft: Draft, path: Path) -> None:
    """Writes the draft to `path` atomically. Raises OSError."""
    with replacing(path) as file:
        file.write(msgspec.json.encode(draft))


def open_draft(path: Path) -> Draft:
    """Reads the text file `path`. Raises InputError if it is not a text, or too large."""
    from rnnplay.text.corpora.reading import iter_text, reading  # not needed before a file is opened

    pieces: list[str] = []
    size = 0
    for piece in iter_text(path):  # its lines end in newlines, whatever they end in there
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise InputError(
                f"{path} has more than {MOST_BYTES:,} characters; open a part of it, or train on it as a corpus."
            )
    with reading(path), path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return Draft(text="".join(pieces), unsaved=True)  # saved as UTF-8, so to another file
    return Draft(text="".join(pieces), file=str(path), newline="\r\n" if b"\r\n" in head else "\n")


def save_draft(draft: Draft, path: Path) -> Draft:
    """Writes the text to `path` atomically, in UTF-8, and returns the draft as saved. Raises InputError."""
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        data = draft.text.replace("\n", draft.newline).encode("utf-8")
        with replacing(target, durable=True, keep_mode=True) as file:
            file.write(data)
    except UnicodeEncodeError as error:
        raise InputError("The text has half of a character (a surrogate), which UTF-8 lacks; remove it.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} was not written ({why}); save under another name.") from error
    return msgspec.structs.replace(draft, file=str(path), unsaved=False)


def typed_path(typed: str) -> Path:
    """The absolute path that a user typed. Raises InputError for an empty one, a folder, or one in a missing folder."""
    if not typed.strip():
        raise InputError("Type the path of the file to write.")
    path = Path(os.path.abspath(os.path.expanduser(typed.strip())))  # noqa: PTH100, PTH111 (these never raise)
    try:
        if "\0" in typed:
            raise ValueError
        if path.is_dir():
            raise InputError(f"{path} is a folder; add the name of a file.")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a plain file; save under another name.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}; create it first, or save elsewhere.")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a path that can be written to; save under another name.") from error
    return path
