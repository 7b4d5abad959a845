"""Texts that a command is given in another way than on its line: from standard input, or from a file."""

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
"""Bytes of a prompt: hours of reading."""


prompt_file_option = click.option(
    "--prompt-file",
    metavar="FILE|-",
    type=click.Path(path_type=Path),
    help="Read the prompt from this file; - is standard input.",
)


def standard_input(what: str) -> BinaryIO:
    """Standard input, for bytes; where it is the keyboard, says that `what` is expected there."""
    if sys.stdin.isatty():
        note(f"Type {what}, and end it with ctrl-D at the start of a line.")
    return sys.stdin.buffer


def prompt_text(given: str | None, file: Path | None = None) -> str:
    """The prompt `given` ("" for None); "-": what standard input has; with a `file`, what that has.

    The last line end of an input or a file is left out: editors and `echo` write one that is not meant. Raises
    InputError if both are given, or if it is not text.
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
    """The name of the corpus that standard input was kept as, which is said."""
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
