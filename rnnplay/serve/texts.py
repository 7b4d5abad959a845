"""A text that a visitor brings: the file that the browser sends lands in corpora/ of the visitor's workspace."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterable
from pathlib import Path

from rnnplay.common.files import as_name, name_beside
from rnnplay.common.formatting import size_text
from rnnplay.errors import InputError
from rnnplay.workspace import Workspace

LARGEST_TEXT = 50_000_000
"""Bytes of a text; more than a visitor trains on in a lesson."""
_LONGEST_NAME = 60
_NO_TEXTS = {b"%PDF-": "a PDF", b"PK\x03\x04": "an archive or an office document", b"\xd0\xcf\x11\xe0": "a document"}
"""How files begin that are often taken for texts."""


async def receive(sent: AsyncIterable[bytes], name: str, workspace: Workspace, room: int) -> Path:
    """Writes what is `sent` to corpora/, under a name made of `name`, and returns its path; replaces no file.

    Nothing is left of a text that is refused or breaks off. Raises InputError for one of more than LARGEST_TEXT bytes,
    or than there is `room` for, and for what is no text; OSError if it cannot be written.
    """
    folder = workspace.corpora
    if folder.resolve() != workspace.root.resolve() / folder.name:
        raise InputError("The folder of your texts leads out of your workspace; tell whoever serves it.")
    path = _reserved(folder, as_name(name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0], _LONGEST_NAME))
    beside = name_beside(path)
    try:
        with beside.open("xb") as file:
            beginning = b""
            async for piece in sent:
                beginning = beginning or piece[:8]
                file.write(piece)
                check_size(file.tell(), room)
        if not beginning:
            raise InputError("The file is empty; choose another.")
        for magic, what in _NO_TEXTS.items():
            if beginning.startswith(magic):
                raise InputError(f"The file is {what}; save it as plain text (.txt) first.")
        beside.replace(path)
    except BaseException:  # a connection that ends, too
        for one in (beside, path):
            with contextlib.suppress(OSError):
                one.unlink(missing_ok=True)
        raise
    return path


def check_size(size: int, room: int) -> None:
    """Raises InputError for a text of `size` bytes or more, of which `room` may still be stored."""
    if size > LARGEST_TEXT:
        raise InputError(f"The text is larger than {size_text(LARGEST_TEXT)}; choose a smaller one, or a part of it.")
    if size > room:
        raise InputError("There is no room for this text; remove runs that you no longer need.")


def _reserved(folder: Path, stem: str) -> Path:
    """A new, empty file, with a number in its name if the name is taken."""
    for number in itertools.count(1):
        path = folder / f"{stem or 'text'}{f'-{number}' if number > 1 else ''}.txt"
        with contextlib.suppress(FileExistsError):
            path.open("xb").close()
            return path
    raise AssertionError
