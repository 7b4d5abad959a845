"""Downloads from a server that is slow, breaks off, redirects, or sends something else: nothing is mixed up or lost."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rnnplay.errors import InputError
from rnnplay.text.corpora import fetching
from rnnplay.text.corpora.catalogue import find_corpus, list_corpora
from rnnplay.text.corpora.downloads import Download, downloads
from rnnplay.text.corpora.fetching import FETCHED, fetch
from rnnplay.text.corpora.transfer import transfer
from rnnplay.workspace import Workspace

TEXT = "".join(f"line {number} of the text\n" for number in range(5_000)).encode()


class Server(ThreadingHTTPServer):
    """Serves `files`; `/slow` in pieces, `/broken` half of it once, `/moved` from elsewhere."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/text.txt": TEXT}
        self.version = '"one"'
        self.ranges: list[str] = []
        self.broken = 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        if self.path == "/moved":
            self._redirect("/text.txt")
        elif self.path == "/to-a-file":
            self._redirect("file:///etc/passwd")
        elif self.path == "/in-circles":
            self._redirect("/in-circles")
        elif self.path not in self.server.files:
            self.send_error(404)
        else:
            self._send(self.server.files[self.path])

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def _send(self, data: bytes) -> None:
        wanted = self.headers.get("Range", "")
        self.server.ranges.append(wanted)
        start = 0
        if wanted and self.headers.get("If-Range") == self.server.version:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("ETag", self.server.version)
        self.send_header("Content-Type", "text/html" if data.startswith(b"<html") else "text/plain")
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        stop = len(data)
        if self.server.broken:
            self.server.broken -= 1
            stop = start + (len(data) - start) // 2
        for at in range(start, stop, 30_000):
            self.wfile.write(data[at : min(at + 30_000, stop)])
            self.wfile.flush()
        self.close_connection = True


@contextmanager
def serving() -> Iterator[Server]:
    """A server on this machine until the end of the context."""
    running = Server()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def known(monkeypatch: pytest.MonkeyPatch, url: str, **fields: Any) -> None:
    about = {
        "name": "known",
        "title": "A text",
        "summary": "",
        "url": url,
        "bytes": len(TEXT),
        "licence": "CC0",
        "checked": "",
    }
    card = Download(**{**about, **fields})
    monkeypatch.setattr(fetching, "find_download", lambda name: card if name == card.name else None)


def left(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in (workspace.cache / "downloads").glob("*"))


def test_a_known_text_is_fetched_with_its_card(
    server: Server, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, server.url("/moved"), sha256=hashlib.sha256(TEXT).hexdigest(), feed="lines")
    seen: list[tuple[int, int]] = []
    corpus = fetch("known", workspace, progress=lambda done, total: seen.append((done, total)))
    assert corpus.path is not None
    assert corpus.path.read_bytes() == TEXT
    assert seen[-1] == (len(TEXT), len(TEXT)) and len(seen) > 1
    card = find_corpus("known", workspace).card
    assert (card.feed, card.title, card.licence) == ("lines", "A text", "CC0")
    assert left(workspace) == []
    with pytest.raises(InputError, match="already a corpus"):
        fetch("known", workspace)


def test_a_broken_transfer_goes_on_where_it_was(server: Server, workspace: Workspace) -> None:
    server.broken = 2
    first = len(TEXT) // 2
    second = first + (len(TEXT) - first) // 2
    for have in (first, second):
        with pytest.raises(InputError, match=f"broke off after {have:,} of"):
            fetch(server.url("/text.txt"), workspace)
    corpus = fetch(server.url("/text.txt"), workspace)
    assert corpus.path is not None
    assert corpus.path.read_bytes() == TEXT
    assert server.ranges == ["", f"bytes={first}-", f"bytes={second}-"]


def test_two_versions_are_never_mixed(server: Server, workspace: Workspace) -> None:
    server.broken = 1
    with pytest.raises(InputError, match="broke off"):
        fetch(server.url("/text.txt"), workspace)
    server.version, server.files["/text.txt"] = '"two"', TEXT.upper()
    corpus = fetch(server.url("/text.txt"), workspace)
    assert corpus.path is not None
    assert corpus.path.read_bytes() == TEXT.upper()


def test_a_whole_file_that_is_there_is_taken_again(server: Server, tmp_path: Path) -> None:
    """As after an interruption between the transfer and the copy: the server refuses to send nothing."""
    target = tmp_path / "file"
    for _ in range(2):
        transfer(server.url("/text.txt"), target)
        assert target.read_bytes() == TEXT


def test_what_is_not_the_text_is_refused(server: Server, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["/page"] = b"<html><body>Log in first</body></html>"
    server.files["/other"] = TEXT.replace(b"line 7 ", b"line 8 ")
    server.files["/long"] = TEXT * 3
    with pytest.raises(InputError, match="is a web page"):
        fetch(server.url("/page"), workspace)
    for path, checksum in (("/other", "0" * 64), ("/long", "0" * 64), ("/long", "")):
        known(monkeypatch, server.url(path), sha256=checksum)
        with pytest.raises(InputError, match="not the text"):
            fetch("known", workspace)
    assert not list(workspace.corpora.glob("*"))


@pytest.mark.parametrize(
    ("path", "says"),
    [("/none.txt", "answered 404"), ("/to-a-file", "answered 302"), ("/in-circles", "answered 302")],
)
def test_a_server_that_refuses_is_named(server: Server, workspace: Workspace, path: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fetch(server.url(path), workspace)


def test_offline_it_says_what_to_do(workspace: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = server.url("/text.txt")
    server.shutdown()
    server.server_close()
    known(monkeypatch, gone)
    with pytest.raises(InputError, match=r"cannot be reached .*rnnplay corpora add .*text.txt"):
        fetch("known", workspace)


@pytest.mark.parametrize("wanted", ["nowhere", "ftp://example.org/a.txt", "https://", "http://exa mple.org/a"])
def test_wrong_names_and_addresses_are_refused(wanted: str, workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"no text|no web address"):
        fetch(wanted, workspace)


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_another_size_and_another_text_than_before_are_said(
    server: Server, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text without a checksum is trusted the first time; later it is known what came then."""
    known(monkeypatch, server.url("/text.txt"), bytes=round(1.1 * len(TEXT)))
    said: list[str] = []
    fetch("known", workspace, "one", say=said.append)
    about = f"known has {len(TEXT):,} bytes; the card says about {round(1.1 * len(TEXT)):,}."
    assert said == [about]
    kept = json.loads((workspace.corpora / FETCHED).read_text())
    assert kept[server.url("/text.txt")]["sha256"] == hashlib.sha256(TEXT).hexdigest()
    fetch("known", workspace, "two", say=said.append)
    assert said == [about, about], "the same file again"
    server.version, server.files["/text.txt"] = '"two"', TEXT[:-100]
    fetch("known", workspace, "three", say=said.append)
    assert "gave another file than on" in said[-1] and f"then {len(TEXT):,}" in said[-1]
    (workspace.corpora / FETCHED).write_text("[broken")
    fetch("known", workspace, "four", say=said.append)
    assert len(said) == 5, "a broken record is begun anew"
    assert {one.name for one in list_corpora(workspace)} >= {"one", "two", "three", "four"}


def test_packed_texts_are_unpacked(server: Server, workspace: Workspace, tmp_path: Path) -> None:
    server.files["/book.txt.gz"] = gzip.compress(TEXT)
    server.files["/words.zip"] = zipped(words=TEXT, **{"__MACOSX/words": b"?"})
    server.files["/two.zip"] = zipped(one=TEXT, two=TEXT)
    server.files["/cut.gz"] = gzip.compress(TEXT)[:2_000]
    for path, name in (("/book.txt.gz", "book"), ("/words.zip", "words")):
        corpus = fetch(server.url(path), workspace)
        assert corpus.name == name
        assert corpus.path is not None
        assert corpus.path.read_bytes() == TEXT
    with pytest.raises(InputError, match="2 files"):
        fetch(server.url("/two.zip"), workspace)
    with pytest.raises(InputError, match="cannot be unpacked"):
        fetch(server.url("/cut.gz"), workspace)
    local = tmp_path / "local.txt.gz"
    local.write_bytes(gzip.compress(TEXT))
    corpus = find_corpus(str(local), workspace)
    assert corpus.name == "local"
    assert corpus.materialise(tmp_path / "cache").read_bytes() == TEXT


def test_folders_and_patterns_are_texts(workspace: Workspace, tmp_path: Path) -> None:
    """In the order of their paths, each file on lines of its own; hidden and other files are left out."""
    folder = tmp_path / "notes"
    (folder / "b").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name, text in {
        "c.md": "# C",
        "b/a.srt": "1\n00:01\nHi",
        "a.txt": "a\n",
        ".git/x.txt": "x",
        "p.png": "p",
    }.items():
        (folder / name).write_text(text)
    corpus = find_corpus(str(folder), workspace)
    assert corpus.materialise(tmp_path / "cache").read_text() == "a\n1\n00:01\nHi\n# C\n"
    os.utime(folder / "a.txt", (1, 1))
    assert corpus.materialise(tmp_path / "cache").read_text().startswith("a\n")
    matched = find_corpus(f"{folder}/*.*d", workspace)
    assert (matched.name, matched.materialise(tmp_path / "cache").read_text()) == ("notes", "# C\n")
    for nothing in (f"{folder}/*.none", f"{folder}/.git/empty*"):
        with pytest.raises(InputError, match="No file matches"):
            find_corpus(nothing, workspace)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no file in it"):
        find_corpus(str(tmp_path / "empty"), workspace)


def test_several_named_texts_are_one(workspace: Workspace, tmp_path: Path) -> None:
    """In the order in which they are named, none twice; names, folders, patterns and packed texts, too."""
    (tmp_path / "notes").mkdir()
    for name in ("b.txt", "a.txt", "notes/c.md", "with,comma.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"d\n"))
    workspace.create()
    (workspace.corpora / "own.txt").write_text("own\n")
    several = f"{tmp_path}/b.txt,{tmp_path}/?.txt, {tmp_path}/notes ,own,{tmp_path}/d.txt.gz"
    corpus = find_corpus(several, workspace)
    assert corpus.materialise(tmp_path / "cache").read_text() == "b.txt\na.txt\nnotes/c.md\nown\nd\n"
    assert (corpus.name, corpus.several) == ("b and 4 more", True)
    assert find_corpus(f"{tmp_path}/with,comma.txt", workspace).name == "with,comma"
    with pytest.raises(InputError, match="'recall' is generated"):
        find_corpus("own,recall", workspace)
    with pytest.raises(InputError, match=r"There is no file .*missing"):
        find_corpus(f"own,{tmp_path}/missing.txt", workspace)


def test_the_corpus_knob_says_how_to_fetch(workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"rnnplay corpora fetch .*text8"):
        find_corpus("text8", workspace)
    with pytest.raises(InputError, match=r"rnnplay corpora fetch .*https://example.org/a.txt"):
        find_corpus("https://example.org/a.txt", workspace)


def test_cards_of_downloads_are_whole() -> None:
    cards = downloads()
    assert {"tinyshakespeare", "text8", "enwik8", "wikitext-2", "war-and-peace", "alice"} <= {one.name for one in cards}
    for one in cards:
        assert one.url.startswith("https://")
        assert one.licence and one.summary and one.checked and one.bytes > 10_000
        assert one.sha256 or "about" in one.checked or "size" in one.checked, "what is not pinned is said"
