"""Reads texts from standard input or from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from rnnplay.cli.support.console import note
from rnnplay.errors import EncodingError, InputError

if TYPE_CHECKING:
    from rnnplay.workspace import Workspace

LARGEST_PROMPT = 1 << 20
"""Bytes of a prompt; a longer one would take hours to read."""


prompt_file_option = click.option(
    "--prompt-file",
    metavar="FILE|-",
    type=click.Path(path_type=Path),
    help="Read the prompt from this file; - is standard input.",
)


def standard_input(what: str) -> BinaryIO:
    """Returns standard input as bytes; if it is a terminal, asks the user to type `what`."""
    if sys.stdin.isatty():
        note(f"Type {what}, and end it with ctrl-D at the start of a line.")
    return sys.stdin.buffer


def prompt_text(given: str | None, file: Path | None = None) -> str:
    """Returns the prompt: `given` ("" for None), standard input for "-", or the text of `file`.

    The last newline of an input or a file is dropped, as editors and `echo` add one. Raises InputError if both are
    given, or if the input is not text.
    """
    if file is not None:
        if given is not None:
            raise InputError("A prompt is given and --prompt-file too; leave one out.")
        if str(file) != "-":
            return _file_text(file).removesuffix("\n")
        given = "-"
    if given != "-":
        return given or ""
    data = standard_input("the prompt").read(LARGEST_PROMPT + 1)
    _check_size(len(data), "Standard input")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"Standard input is not UTF-8 text (byte {error.start}); convert it first, as with `iconv -f CP1252`."
        ) from error
    return text.replace("\r\n", "\n").removesuffix("\n")


def corpus_from_stdin(workspace: Workspace) -> str:
    """Saves standard input as a corpus, says so, and returns its name."""
    from rnnplay.text.corpora.adding import add_stream

    corpus = add_stream(standard_input("the text"), workspace)
    note(f"Standard input is kept as the corpus {corpus.name} ({corpus.path}).")
    return corpus.name


def _file_text(file: Path) -> str:
    from rnnplay.text.corpora.reading import check_text_file, iter_text

    _check_size(check_text_file(file).st_size, str(file))
    try:
        return "".join(iter_text(file))
    except EncodingError as error:
        raise InputError(f"{error} Save it as UTF-8.") from error


def _check_size(size: int, name: str) -> None:
    if size > LARGEST_PROMPT:
        raise InputError(f"{name} has more than {LARGEST_PROMPT:,} bytes, too many for a prompt; give its last part.")
