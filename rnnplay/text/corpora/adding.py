"""Copies a text into the workspace's corpora/: from a file in any encoding, or from standard input."""

from __future__ import annotations

import filecmp
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from rnnplay.common.confinement import check_reachable
from rnnplay.common.files import composed, name_beside
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import EncodingError, InputError
from rnnplay.text.corpora.cards import Card, card_title, clean
from rnnplay.text.corpora.catalogue import Corpus, expanded, list_corpora
from rnnplay.text.corpora.detection import encoding_name
from rnnplay.text.corpora.joining import files_of_folder, joined, own_parts
from rnnplay.text.corpora.reading import changed, check_text_file, iter_text, reading
from rnnplay.text.corpora.unpacking import is_packed, text_name, unpacked
from rnnplay.workspace import Workspace

LONGEST_NAME = 80
NOT_IN_NAMES = '/\\:*?"<>|'
STDIN = "Standard input"
_BLOCK = 1 << 20


def add_corpus(path: Path, workspace: Workspace, name: str | None = None, encoding: str = "") -> Corpus:
    """Copies the text at `path` into the workspace's corpora/ as `name`.txt (default: the file's own name).

    The texts of a folder are joined, and a packed one is unpacked. With an `encoding` it is decoded from that and
    written as UTF-8. Raises InputError if it is not readable text, if the name is taken, or if it cannot be a file's.
    """
    source = expanded(str(path))
    check_reachable(source)
    with reading(source):
        is_folder = source.is_dir()
    if is_folder:
        if own_parts(source.absolute()):
            raise InputError(
                f"{clean(str(path))} has files of its own for training and validation, which one text would not "
                "keep apart; give the folder itself wherever a corpus is asked for."
            )
        parts = files_of_folder(source.absolute())
        corpus, target = _new(name if name is not None else source.absolute().name, workspace)
        source = joined(parts, workspace.cache)
    else:
        check_text_file(source)
        corpus, target = _new(name if name is not None else text_name(source), workspace)
    if is_packed(source):
        source = unpacked(source, workspace.cache)
    encoding = encoding and encoding_name(encoding)
    _check_readable(source, encoding)
    workspace.create()
    with _placing(source, target) as beside:
        if encoding:
            _write_utf8(source, encoding, beside)
        else:
            _copy(source, beside)
        _put(beside, target)
    return corpus


def add_stream(stream: BinaryIO, workspace: Workspace, name: str | None = None, encoding: str = "") -> Corpus:
    """Copies the text from `stream` into the workspace's corpora/ as `name`.txt (default: stdin, stdin-2, …).

    If that corpus, or without a name an earlier stdin, holds the same text already, it is kept. Raises InputError as
    `add_corpus` does.
    """
    encoding = encoding and encoding_name(encoding)
    name = None if name is None else _checked(name)
    workspace.create()
    with _placing(Path(STDIN), workspace.corpora / "stdin.txt") as beside:
        with beside.open("wb") as file:
            while block := stream.read(_BLOCK):
                file.write(block)
        with _called_stdin(beside):
            _check_readable(beside, encoding)
            if encoding:
                converted = beside.with_name(f"{beside.name}-utf8")
                _write_utf8(beside, encoding, converted)
                converted.replace(beside)
        for number in itertools.count(1):
            wanted = name if name is not None else "stdin" if number == 1 else f"stdin-{number}"
            place = workspace.corpora / f"{wanted}.txt"
            if place.is_file() and filecmp.cmp(beside, place, shallow=False):
                return Corpus(wanted, Card(name=wanted, title=card_title(wanted), file=place.name), place)
            if name is not None or not os.path.lexists(place):
                corpus, target = _new(wanted, workspace)
                _put(beside, target)
                return corpus
    raise AssertionError


def check_new(name: str, workspace: Workspace) -> None:
    """Raises InputError unless a new corpus can have that name."""
    _new(name, workspace)


def free_name(path: Path, workspace: Workspace) -> str:
    """Returns a free name for the text at `path`, or "" if its own name is free."""
    for name in (path.stem, f"{path.stem}-utf-8", *(f"text-{number}" for number in range(1, 100))):
        try:
            _new(name, workspace)
        except InputError:
            continue
        return "" if name == path.stem else name
    return ""


def _checked(name: str) -> str:
    """Returns `name` if a corpus can have it; raises InputError otherwise."""
    name = composed(name.strip().removesuffix(".txt"))
    if (
        not name
        or len(name) > LONGEST_NAME
        or name[0] in ".-~"
        or name != clean(name)
        or any(character in NOT_IN_NAMES for character in name)
    ):
        raise InputError(
            f"'{clean(name)}' cannot be a corpus's name; use up to {LONGEST_NAME} letters, digits, spaces or . _ -, "
            "a letter or digit first."
        )
    return name


def _new(name: str, workspace: Workspace) -> tuple[Corpus, Path]:
    """Returns the new corpus and its path; raises InputError if the name is taken or cannot be used."""
    name = _checked(name)
    target = workspace.corpora / f"{name}.txt"
    if os.path.lexists(target) or name.casefold() in {known.name.casefold() for known in list_corpora(workspace)}:
        raise InputError(f"There is already a corpus '{name}'; give this one another name.")
    return Corpus(name, Card(name=name, title=card_title(name), file=target.name), target), target


def _check_readable(source: Path, encoding: str) -> None:
    has_text = False
    for piece in iter_text(source, encoding=encoding):  # to its end: raises InputError at a byte that is not text
        has_text = has_text or not piece.isspace()
    if not has_text:
        raise InputError(f"{clean(str(source))} has nothing but white space in it; give a file with text in it.")


def _copy(source: Path, beside: Path) -> None:
    before = check_text_file(source)
    shutil.copyfile(source, beside)
    after = check_text_file(source)
    copied = beside.stat().st_size
    if (before.st_size, before.st_mtime_ns, after.st_size) != (after.st_size, after.st_mtime_ns, copied):
        raise changed(source)


def _write_utf8(source: Path, encoding: str, beside: Path) -> None:
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(iter_text(source, encoding=encoding))


def _put(beside: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError
    beside.replace(target)


@contextmanager
def _placing(source: Path, target: Path) -> Iterator[Path]:
    """Opens a temporary file that replaces `target` at the end; raises InputError where that is not allowed.

    Overwrites nothing, and leaves nothing behind on failure.
    """
    beside = name_beside(target)
    try:
        yield beside
    except FileExistsError as error:
        raise InputError(f"{clean(str(target))} is already there; give this corpus another name.") from error
    except OSError as error:
        raise InputError(
            f"{clean(str(source))} cannot be copied to {clean(str(target))} ({reason(error)}); {way_out(error)}, "
            "or name another workspace with --workspace."
        ) from error
    finally:
        with suppress(OSError):  # what prevented writing it may also prevent removing it
            beside.unlink(missing_ok=True)
            beside.with_name(f"{beside.name}-utf8").unlink(missing_ok=True)


@contextmanager
def _called_stdin(path: Path) -> Iterator[None]:
    """Errors about the copy at `path` name standard input instead."""
    try:
        yield
    except InputError as error:
        told = str(error).replace(clean(str(path)), STDIN)
        if isinstance(error, EncodingError):
            told += f" `corpora add -` reads it so with --encoding {error.encoding}."
        raise InputError(told) from error
