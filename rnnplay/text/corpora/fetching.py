"""Fetches a text into the workspace: one that is known by name, or the file at an address."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePosixPath

import msgspec

from rnnplay.common.confinement import check_online
from rnnplay.common.files import as_name, read_small, replacing
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError, RnnplayError
from rnnplay.text.corpora.adding import LONGEST_NAME, add_corpus, check_new
from rnnplay.text.corpora.cards import Card, clean
from rnnplay.text.corpora.catalogue import Corpus
from rnnplay.text.corpora.content_hash import content_hash
from rnnplay.text.corpora.downloads import Download, downloads, find_download, is_url
from rnnplay.text.corpora.transfer import Progress, UnreachableError, check_url, discard, transfer
from rnnplay.text.corpora.unpacking import is_packed, text_name, unpacked
from rnnplay.workspace import Workspace

_ABOUT, _REMARKED = 0.2, 0.01
"""How far the size of a text without a checksum may be from that in its card, and from where on that is said."""
FETCHED = "fetched.json"
"""In corpora/: what came from each address the last time."""
_LARGEST_FETCHED = 1 << 22


class _Fetched(msgspec.Struct, frozen=True):
    sha256: str
    bytes: int
    date: str


def fetch(
    wanted: str,
    workspace: Workspace,
    name: str | None = None,
    progress: Progress | None = None,
    encoding: str = "",
    say: Callable[[str], None] | None = None,
) -> Corpus:
    """Downloads the text `wanted`, a name or a web address, into the workspace's corpora/, and checks and unpacks it.

    `say` is told what is not as expected, but no reason to refuse the text: another size than the card has where that
    is only about right, and other bytes than the same address gave before. A transfer that broke off goes on where it
    was. Raises InputError if there is no such text, if it cannot be reached or is not what its card says, or if the
    name is taken; RnnplayError if it cannot be written.
    """
    wanted = wanted.strip()
    check_online(clean(wanted)[:200])
    known = find_download(wanted)
    if known is None and not is_url(wanted):
        names = ", ".join(one.name for one in downloads())
        raise InputError(f"There is no text '{clean(wanted)}' to download; give a web address, or one of: {names}.")
    url = known.url if known is not None else wanted
    check_url(url)
    name = name or (known.name if known is not None else _name_of(url))
    check_new(name, workspace)
    place = _place(url, workspace.cache)
    try:
        transfer(url, place, progress, round(known.bytes * (1 + _ABOUT)) if known is not None else 0)
    except UnreachableError as error:
        add = workspace.command("corpora", "add", place.name.partition("-")[2] or "FILE", name=name)
        raise UnreachableError(f"{error} Or get {clean(url)} elsewhere, and add it: {add}") from error
    remarks = [_verify(known, place, workspace.cache)] if known is not None else []
    source = unpacked(place, workspace.cache, at=clean(url)) if is_packed(place) else place
    corpus = add_corpus(source, workspace, name, encoding)
    remarks.append(_compared(url, place, workspace))
    if source != place:
        source.unlink(missing_ok=True)
    discard(place)
    for remark in remarks:
        if remark and say is not None:
            say(remark)
    return _with_card(corpus, known) if known is not None else corpus


def _compared(url: str, place: Path, workspace: Workspace) -> str:
    """Keeps what came from `url`, and says so if it is not what came the last time."""
    file = workspace.corpora / FETCHED
    now = _Fetched(
        content_hash(place, workspace.cache), place.stat().st_size, f"{datetime.now().astimezone():%Y-%m-%d}"
    )
    try:
        before = msgspec.json.decode(read_small(file, _LARGEST_FETCHED), type=dict[str, _Fetched])
    except (OSError, ValueError, RecursionError):
        before = {}
    last = before.get(url)
    try:
        with replacing(file) as writing:
            writing.write(msgspec.json.format(msgspec.json.encode({**before, url: now})))
    except OSError as error:
        raise RnnplayError(f"{file} cannot be written ({reason(error)}); {way_out(error)}.") from error
    if last is None or last.sha256 == now.sha256:
        return ""
    return (
        f"{clean(url)} gave another file than on {clean(last.date)} ({now.bytes:,} bytes, then {last.bytes:,}): it was "
        "revised, so that figures on the one do not hold for the other."
    )


def _verify(known: Download, place: Path, cache: Path) -> str:
    """Returns how the size differs from that of a card without a checksum; raises InputError for another text."""
    size = place.stat().st_size
    if known.sha256:
        fits = size == known.bytes and content_hash(place, cache) == known.sha256
        what = f"its SHA-256 or size ({size:,} bytes instead of {known.bytes:,}) differs"
    else:
        fits = abs(size - known.bytes) <= _ABOUT * known.bytes
        what = f"it has {size:,} bytes instead of about {known.bytes:,}"
    if not fits:
        discard(place)
        raise InputError(
            f"What {clean(known.url)} gave is not the text that the card of {known.name} describes: {what}; it was "
            "removed. Try again, or look at the address in a browser."
        )
    if abs(size - known.bytes) > _REMARKED * known.bytes:
        return f"{known.name} has {size:,} bytes; the card says about {known.bytes:,}."
    return ""


def _with_card(corpus: Corpus, known: Download) -> Corpus:
    import tomli_w

    assert corpus.path is not None
    card = Card(
        name=corpus.name,
        title=known.title,
        summary=known.summary,
        feed=known.feed,
        tokens=known.tokens,
        file=corpus.path.name,
        licence=known.licence,
    )
    fields = {name: value for name, value in msgspec.structs.asdict(card).items() if value}
    with replacing(corpus.path.with_suffix(".toml")) as file:
        file.write(tomli_w.dumps(fields).encode())
    return Corpus(corpus.name, card, corpus.path)


def _name_of(url: str) -> str:
    file = PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name
    path = Path(file or "text")
    return as_name(text_name(path), LONGEST_NAME) or "text"


def _place(url: str, cache: Path) -> Path:
    """Where the file is downloaded to: named for the whole address, so that two of one name do not meet."""
    file = re.sub("[^A-Za-z0-9._-]", "-", PurePosixPath(urllib.parse.urlsplit(url).path).name)[-60:] or "text"
    return cache / "downloads" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{file}"
