"""`rnnplay corpora`: lists, shows and adds texts to train on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import builtins, note, note_missing, pairs, printable, table, write_json, written
from rnnplay.cli.support.session import NearGroup, Session, json_option, pass_session, workspace_option
from rnnplay.cli.support.working import working
from rnnplay.common.formatting import size_text

if TYPE_CHECKING:
    from rnnplay.text.corpora.catalogue import Corpus

UNITS = {"char": "characters", "byte": "bytes", "bpe": "byte pairs (BPE)", "word": "words"}
EXCERPT = 300
"""Characters of the text that `show` quotes."""


@click.group("corpora", cls=NearGroup, invoke_without_command=True, short_help="List, show or add texts to train on.")
@workspace_option
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, show or add texts to train on. Alone, it lists them."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


@command.command("list", short_help="List the texts.")
@workspace_option
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the texts that come with rnnplay, and your own in the workspace's corpora/."""
    _list(session, as_json)


@command.command("show", short_help="Describe a text and show how it begins.")
@click.argument("name", metavar="NAME|PATH")
@workspace_option
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Describe a text and show how it begins."""
    from rnnplay.text.corpora.catalogue import find_corpus

    note_missing(session.workspace)
    corpus = find_corpus(name, session.workspace)
    excerpt = _excerpt(corpus, session)
    if as_json:
        write_json({**_described(corpus), "excerpt": excerpt})
        return
    pairs((key, value) for key, value in _lines(corpus) if value)
    click.echo("\n" + written(excerpt))


@command.command("add", short_help="Copy a text into the workspace.")
@click.argument("path", metavar="PATH|-", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="The name of the corpus.  [default: the file's name]")
@click.option(
    "--encoding",
    metavar="NAME",
    default="",
    help="The encoding of the text, if not UTF-8: cp1252, gb18030, koi8_r, … The copy is UTF-8.",
)
@workspace_option
@json_option
@pass_session
def add(session: Session, path: Path, name: str | None, encoding: str, as_json: bool) -> None:
    """Copy a text into the workspace's corpora/, so that it can be used by name. - reads standard input."""
    from rnnplay.cli.support.text_input import standard_input
    from rnnplay.text.corpora.adding import add_corpus, add_stream

    if str(path) == "-":
        corpus = add_stream(standard_input("the text"), session.workspace, name, encoding)
    else:
        with working("copying the text"):
            corpus = add_corpus(path, session.workspace, name, encoding)
    if as_json:
        write_json(_described(corpus))
    else:
        train = session.workspace.command("train", corpus=corpus.name)
        excerpt = f" It begins: {' '.join(_excerpt(corpus, session)[:60].split())} …" if encoding else ""
        click.echo(printable(f"Added {corpus.name}.{excerpt} Train on it: {train}"))


@command.command("fetch", short_help="Download a text into the workspace.")
@click.argument("wanted", metavar="[NAME|URL]", required=False)
@click.option("--name", metavar="NAME", help="The name of the corpus.  [default: the text's own]")
@click.option("--encoding", metavar="NAME", default="", help="The encoding of the text, if not UTF-8.")
@workspace_option
@json_option
@pass_session
def fetch(session: Session, wanted: str | None, name: str | None, encoding: str, as_json: bool) -> None:
    """Download a text into the workspace's corpora/: one by name, or the file at a web address.

    Without a name, lists the texts that are known. Those with a SHA-256 are checked by it, the others by their size.
    The SHA-256 of what came is kept in corpora/fetched.json, and it is said if the same address gives another file
    later. A download that was interrupted goes on where it was; .gz, .bz2, .xz and .zip are unpacked.
    """
    from rnnplay.text.corpora.downloads import downloads

    if wanted is None:
        if as_json:
            write_json([builtins(one) for one in downloads()])
            return
        rows = [
            (one.name, size_text(one.bytes), "by SHA-256" if one.sha256 else "by size, about", one.summary)
            for one in downloads()
        ]
        table(("name", "download", "verified", "what"), rows, numbers=("download",))
        return
    from rnnplay.cli.support.download import shown_progress
    from rnnplay.text.corpora.fetching import fetch

    with shown_progress(wanted) as progress:
        corpus = fetch(wanted, session.workspace, name, progress, encoding, note)
    if as_json:
        write_json(_described(corpus))
    else:
        options = {} if corpus.card.tokens == "char" else {"tokens": corpus.card.tokens}
        train = session.workspace.command("train", corpus=corpus.name, **options)
        licence = f" Licence: {corpus.card.licence}." if corpus.card.licence else ""
        click.echo(printable(f"Fetched {corpus.name}, {_size(corpus)}.{licence} Train on it: {train}"))


def _list(session: Session, as_json: bool) -> None:
    from rnnplay.text.corpora.catalogue import card_problems, list_corpora

    note_missing(session.workspace)
    corpora = list_corpora(session.workspace)
    for problem in card_problems(session.workspace):
        note(problem)
    if as_json:
        write_json([_described(corpus) for corpus in corpora])
        return
    rows = [
        (corpus.name, _size(corpus), corpus.card.feed, corpus.card.summary or corpus.card.title) for corpus in corpora
    ]
    table(("name", "size", "read as", "what"), rows, numbers=("size",))


def _described(corpus: Corpus) -> dict[str, Any]:
    card = builtins(corpus.card)
    return {**card, "name": corpus.name, "path": str(corpus.path) if corpus.path else None, "bytes": _bytes(corpus)}


def _lines(corpus: Corpus) -> list[tuple[str, str]]:
    card = corpus.card
    return [
        ("name", corpus.name),
        ("title", card.title),
        ("what", card.summary),
        ("read as", "one stream" if card.feed == "stream" else "lines, each its own sequence"),
        ("tokens", f"{UNITS[card.tokens]} suit it"),
        ("encoding", corpus.card.encoding),
        ("size", _size(corpus)),
        ("path", _place(corpus)),
        ("licence", card.licence),
    ]


def _place(corpus: Corpus) -> str:
    if corpus.parts:
        return f"{len(corpus.parts):,} files, from {corpus.parts[0]} on"
    return str(corpus.path) if corpus.path else "generated from the running Python when first used"


def _excerpt(corpus: Corpus, session: Session) -> str:
    from rnnplay.text.corpora.reading import iter_text

    text = ""
    as_it_is = None if corpus.made else corpus.path
    path = as_it_is or corpus.materialise(session.workspace.for_reading().cache)
    for piece in iter_text(path, encoding=corpus.card.encoding if as_it_is else ""):
        text += piece
        if len(text) >= EXCERPT:
            break
    return text[:EXCERPT]


def _bytes(corpus: Corpus) -> int | None:
    try:
        if corpus.parts:
            return sum(part.stat().st_size for part in corpus.parts)
        return corpus.path.stat().st_size if corpus.path else None
    except OSError:
        return None


def _size(corpus: Corpus) -> str:
    size = _bytes(corpus)
    return "" if size is None else size_text(size)
