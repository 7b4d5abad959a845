"""Whatever a user points at as a corpus, and whatever has become of it: it works, or one sentence says why not."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from rnnplay.cli.main import program
from rnnplay.common.terminal_text import sanitize_message
from rnnplay.config import RunConfig
from rnnplay.engine.engine import Engine
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.text.corpora.catalogue import card_problems, find_corpus, list_corpora
from rnnplay.text.corpora.content_hash import content_hash
from rnnplay.text.corpora.reading import iter_text
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_again, encode_corpus
from rnnplay.text.encoding.encoded_cache import Meta
from rnnplay.text.tokenizers import splitting
from rnnplay.text.tokenizers.splitting import without_blank_lines
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace
from tests.conftest import small_text

TINY = ("--hidden", "4", "--embedding", "3", "--batch-size", "4", "--bptt", "8", "--threads", "1", "--device", "cpu")
RIGHT = ""
"""Instead of a complaint."""


@dataclass(frozen=True)
class Case:
    """A thing at a path; the complaints (a part of each) on training, adding and evaluating it."""

    make: Callable[[Path], object]
    train: str = RIGHT
    add: str | None = None
    """None: as for training."""
    file: str | bytes = "thing.txt"


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content.encode(encoding))


def data(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may have no more than about a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def device(original: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(original)


def forbidden(path: Path) -> None:
    path.write_text(small_text())
    path.chmod(0)


GOOD = text(small_text(3_000))
MANY = "".join(chr(0x4E00 + index % 10_000) for index in range(20_000))
CASES = {
    "a folder": Case(lambda path: path.mkdir(), "has no file in it that ends in .txt"),
    "a pipe": Case(pipe, "is a device or a pipe", "is a device or a pipe"),
    "a socket": Case(listening, "is a device or a pipe", "is a device or a pipe"),
    "/dev/zero": Case(device("/dev/zero"), "is a device or a pipe", "is a device or a pipe"),
    "/dev/null": Case(device("/dev/null"), "is a device or a pipe", "is a device or a pipe"),
    "a loop of links": Case(lambda path: path.symlink_to(path.name), "There is no file", "cannot be read"),
    "nothing": Case(lambda _: None, "There is no file"),
    "no right to read": Case(forbidden, "may not be read"),
    "empty": Case(data(b""), "is empty"),
    "a mark only": Case(data(b"\xef\xbb\xbf"), "is empty"),
    "a character": Case(text("a"), "needs at least 33", RIGHT),
    "newlines only": Case(text("\n" * 3_000), RIGHT, "nothing but white space"),
    "binary": Case(data(bytes(range(256)) * 20), "is not text: it has a zero byte at offset 0"),
    "a zero byte": Case(text("ab\n" * 500 + "\0"), "it has a zero byte at offset 1,500"),
    "latin-1": Case(
        text("né\n" * 500, "latin-1"), "the byte 0xE9 at offset 1 does not fit; it looks like Windows-1252 or"
    ),
    "half a surrogate pair": Case(data(b"ab" * 500 + b"\xed\xa0\x80"), "the byte 0xED at offset 1,000"),
    "UTF-16": Case(text("ab\n" * 500, "utf-16"), RIGHT),
    "UTF-16 of odd length": Case(data("ab\n".encode("utf-16") * 500 + b"x"), "not valid UTF-16"),
    "half a pair in UTF-16": Case(data(b"\xff\xfe" + b"a\0" * 500 + b"\0\xd8b\0"), "not valid UTF-16"),
    "UTF-16 without a mark": Case(text("ab\n" * 500, "utf-16-le"), "--encoding utf-16-le"),
    "a mark in the middle": Case(text("ab\ufeffc\n" * 300)),
    "other line ends": Case(text("ab\u2028c\u2029d\x85e\x0bf\x0cg\r" * 200)),
    "controls and sequences": Case(text("\x1b]52;c;QUJD\x07\x9b31m\u202eabc\x7f\n" * 100)),
    "10,000 characters": Case(text(MANY)),
    "combining marks": Case(text("e\u0301a\u0308\u0323 o\u0302\n" * 200)),
    "right to left": Case(text("שלום עולם، مرحبا\n" * 200)),
    "emoji": Case(text("👨‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️\n" * 100)),
    "wide": Case(text("漢字仮名ｆｕｌｌ\n" * 200)),
    "one line": Case(text("abcdefghij" * 300)),
    "name with a newline": Case(GOOD, RIGHT, "cannot be a corpus's name", "new\nline.txt"),
    "name with a sequence": Case(GOOD, RIGHT, "cannot be a corpus's name", "\x1b[31m\x9b1mred\u202e.txt"),
    "name with markup": Case(GOOD, RIGHT, RIGHT, "[red]x[@click=app.quit]y.txt"),
    "name with a dash": Case(GOOD, RIGHT, "cannot be a corpus's name", "-rf.txt"),
    "long name": Case(GOOD, RIGHT, "cannot be a corpus's name", "x" * 240 + ".txt"),
    "name that is no UTF-8": Case(GOOD, "is not valid UTF-8", "cannot be a corpus's name", b"a\xffb.txt"),
    "too long a name": Case(lambda _: None, "There is no", "cannot be read", "x" * 300 + ".txt"),
}
POSIX_ONLY = {"a pipe", "a socket", "/dev/zero", "/dev/null", "a loop of links", "no right to read"} | {
    name for name in CASES if "name" in name
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a run, for all cases."""
    workspace = Workspace(tmp_path_factory.mktemp("trained") / "workspace").create()
    (workspace.corpora / "small.txt").write_text(small_text())
    assert call(workspace, "train", "--corpus", "small", "--run", "run", *TINY, "--steps", "2").exit_code == 0
    return workspace


def call(workspace: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(program, ["--workspace", str(workspace.root), *arguments], prog_name="rnnplay")


def check(result: Result, complaint: str) -> None:
    """Done, or refused in one harmless sentence that holds `complaint`."""
    if complaint == RIGHT:
        assert result.exit_code == 0, result.stderr
        return
    assert result.exit_code == 2, result.stderr
    assert complaint in result.stderr
    assert result.stderr.startswith("Error: ")
    suggests = ": rnnplay " in result.stderr
    assert suggests or result.stderr.endswith((".\n", "? (rnnplay --help)\n"))
    assert sanitize_message(result.stderr.removesuffix("\n")) + "\n" == result.stderr


def placed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the thing; its path."""
    if name in POSIX_ONLY and os.name == "nt":
        pytest.skip("Windows has no such thing")
    case = CASES[name]
    path = folder / os.fsdecode(case.file)
    case.make(path)
    if name == "no right to read" and os.access(path, os.R_OK):  # root may read all
        whole = Path.open

        def refusing(self: Path, *arguments: object, **more: object) -> object:
            if self == path:
                raise PermissionError(13, "Permission denied", str(path))
            return whole(self, *arguments, **more)  # type: ignore[call-overload]

        monkeypatch.setattr(Path, "open", refusing)
    return str(path)


@pytest.mark.parametrize("name", CASES)
def test_it_is_trained_on_or_refused(
    name: str, trained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = placed(name, tmp_path, monkeypatch)
    runs = len(list(trained.checkpoints.iterdir()))
    result = call(trained, "train", "--corpus", path, *TINY, "--steps", "3", "--eval-every", "2", "--json")
    check(result, CASES[name].train)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    if CASES[name].train == RIGHT:
        assert records[-1] == {"type": "finished", "step": 3, "reason": "length"}
    else:
        assert records == []
        assert len(list(trained.checkpoints.iterdir())) == runs  # nothing was begun


@pytest.mark.parametrize("name", CASES)
def test_it_is_evaluated_or_refused(
    name: str, trained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = placed(name, tmp_path, monkeypatch)
    complaint = "needs at least 2" if name == "a character" else CASES[name].train
    check(call(trained, "eval", "run", "--corpus", path, "--json"), complaint)


@pytest.mark.parametrize("name", CASES)
def test_it_is_added_or_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path / "workspace").create()
    case = CASES[name]
    path = placed(name, tmp_path, monkeypatch)
    complaint = case.train if case.add is None else case.add
    check(call(workspace, "corpora", "add", path), complaint)
    added = list(workspace.corpora.iterdir())
    assert len(added) == (complaint == RIGHT)
    if "cannot be a corpus's name" in complaint:
        check(call(workspace, "corpora", "add", path, "--name", "fine"), RIGHT)
        assert find_corpus("fine", workspace).path == workspace.corpora / "fine.txt"


@pytest.mark.skipif(os.name == "nt", reason="Windows allows few names")
def test_any_name_in_the_folder_is_listed_and_can_be_called(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace").create()
    strange = [case.file for name, case in CASES.items() if "name" in name and "too long" not in name]
    names = [os.fsdecode(name) for name in (*strange, "~nobody.txt", "a\u00a0b.txt", "a\\b.txt", "漢字.txt", " .txt")]
    for name in names:
        (workspace.corpora / name).write_text("text")
    os.mkfifo(workspace.corpora / "pipe.txt")
    os.mkfifo(workspace.corpora / "pipe.toml")
    own = [corpus for corpus in list_corpora(workspace) if corpus.path and corpus.path.parent == workspace.corpora]
    assert len(own) == len(names) - 1
    (problem,) = card_problems(workspace)
    assert "no name but white space" in problem
    for corpus in own:
        assert find_corpus(corpus.name, workspace) == corpus
        assert sanitize_message(corpus.name) == corpus.name
    for arguments in (["corpora"], ["corpora", "--json"]):
        check(call(workspace, *arguments), RIGHT)
    assert len(call(workspace, "corpora").stdout.splitlines()) == 1 + len(list_corpora(workspace))
    paths = {corpus["path"] for corpus in json.loads(call(workspace, "corpora", "--json").stdout)}
    assert str(workspace.corpora / os.fsdecode(b"a\xffb.txt")) in paths


def test_a_refusal_does_not_list_ten_thousand_corpora(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    for number in range(200):
        (workspace.corpora / f"{'long' * 20}{number}.txt").touch()
    with pytest.raises(InputError, match=r" and 177 more\.$") as raised:
        find_corpus("nothing", workspace)
    assert len(str(raised.value)) < 2_000


# --- what becomes of a text while it is used -------------------------------------------------------------------


def encoded(workspace: Workspace) -> tuple[RunConfig, EncodedCorpus]:
    config = RunConfig(
        corpus="small", hidden=4, embedding=3, batch_size=4, bptt=8, threads=1, device="cpu", steps=20, eval_every=10
    )
    return config, encode_corpus(find_corpus("small", workspace), config, workspace.cache)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps open files from being deleted")
def test_training_goes_on_when_the_text_and_the_whole_cache_are_deleted(workspace: Workspace) -> None:
    config, corpus = encoded(workspace)
    trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / "run"), emit=lambda _: None)
    trainer.advance()
    (workspace.corpora / "small.txt").write_text("something else")
    (workspace.corpora / "small.txt").unlink()
    shutil.rmtree(workspace.cache)
    for _ in range(30):
        if finished := trainer.advance():
            break
    assert finished is not None
    assert finished.step == 20


@pytest.mark.parametrize("feed", ["stream", "lines"])
def test_a_run_goes_on_from_the_cache_when_its_text_is_gone(workspace: Workspace, feed: str) -> None:
    """And reads the same ids; no second copy is encoded for it while the text is still there, either."""
    arguments = ("train", "--corpus", "small", "--run", "run", *TINY, "--feed", feed)
    check(call(workspace, *arguments, "--steps", "2"), RIGHT)
    cached = folder_of(workspace)
    check(call(workspace, "train", "--resume", "--run", "run", "--steps", "3"), RIGHT)
    assert folder_of(workspace) == cached
    (workspace.corpora / "small.txt").unlink()
    (workspace.cache / "encoded" / "index.json").unlink(missing_ok=True)
    check(call(workspace, "train", "--resume", "--run", "run", "--steps", "4"), RIGHT)
    check(call(workspace, "eval", "run"), RIGHT)
    assert RunFolder(workspace.checkpoints / "run").checkpoint("latest").step == 4
    shutil.rmtree(workspace.cache)
    gone = call(workspace, "train", "--resume", "--run", "run", "--steps", "5")
    check(gone, "is gone, and so is its encoded copy")
    assert "--corpus" in gone.stderr
    check(call(workspace, "eval", "run"), "is gone, and so is its encoded copy")
    # Where it is now may be said.
    elsewhere = workspace.root / "moved.txt"
    elsewhere.write_text(small_text(), encoding="utf-8")
    check(call(workspace, "train", "--resume", "--run", "run", "--steps", "5", "--corpus", str(elsewhere)), RIGHT)


def test_resume_says_that_the_text_is_another(workspace: Workspace) -> None:
    check(call(workspace, "train", "--corpus", "small", "--run", "run", *TINY, "--steps", "2"), RIGHT)
    (workspace.corpora / "small.txt").write_text(small_text() + "one more line\n", encoding="utf-8")
    result = call(workspace, "train", "--resume", "--run", "run", "--steps", "4")
    check(result, RIGHT)
    assert "The text of small has changed since; the run goes on from the encoded copy" in result.stderr
    given = call(workspace, "train", "--resume", "--run", "run", "--steps", "6", "--corpus", "./" + "nowhere.txt")
    check(given, "There is no file")
    shutil.rmtree(workspace.cache)
    check(call(workspace, "train", "--resume", "--run", "run", "--steps", "6"), "is not the one that the run was")


def test_a_path_in_a_foreign_run_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    """A stranger's run.json must not make us read, and tell the hash of, any file it likes."""
    check(call(workspace, "train", "--corpus", "small", "--run", "run", *TINY, "--steps", "2"), RIGHT)
    run = RunFolder(workspace.checkpoints / "run")
    config = msgspec.structs.replace(run.info().config, corpus="../secret.txt")
    run.write_info(msgspec.structs.replace(run.info(), config=config))
    (tmp_path / "secret.txt").write_text(small_text(), encoding="utf-8")
    shutil.rmtree(workspace.cache)
    result = call(workspace, "train", "--resume", "--run", "run", "--steps", "4")
    check(result, "which is not followed; say on the command line, with --corpus, where it is")


def test_the_ids_from_the_cache_are_the_run_s(workspace: Workspace) -> None:
    config, corpus = encoded(workspace)
    (workspace.corpora / "small.txt").unlink()
    config = msgspec.structs.replace(config, feed="stream")
    again = encode_again(config, corpus.sha256, corpus.tokenizer, workspace)
    assert np.array_equal(again.train.ids, corpus.train.ids)
    assert again.sha256 == corpus.sha256
    other = msgspec.structs.replace(config, split="80/10/10")
    with pytest.raises(InputError, match="is gone, and so is its encoded copy"):
        encode_again(other, corpus.sha256, corpus.tokenizer, workspace)


def test_the_engine_finds_a_text_that_is_gone_too(workspace: Workspace) -> None:
    check(call(workspace, "train", "--corpus", "small", "--run", "run", *TINY, "--steps", "2"), RIGHT)
    (workspace.corpora / "small.txt").unlink()
    pipes: Any = SimpleNamespace(take=lambda *_: None, post=lambda _: None)
    folder = RunFolder(workspace.checkpoints / "run")
    found = Engine(workspace, pipes, pipes)._encode(folder.info().config, folder)
    assert found.sha256 == folder.info().corpus_sha256
    assert sum(part.characters for part in (found.train, found.validation, found.test)) == len(small_text())


def test_a_file_that_grows_without_end_is_not_read_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.txt"
    path.write_text("a line\n" * 100)

    def grow(_: int) -> None:
        with path.open("a") as file:
            file.write("a line\n" * 100)

    with pytest.raises(InputError, match="changed while it was being read"):
        for _ in iter_text(path, 64, grow):
            pass
    monkeypatch.setattr("rnnplay.text.corpora.content_hash._BLOCK", 64)
    with pytest.raises(InputError, match="changed while it was being read"):
        content_hash(path, tmp_path / "cache", grow)


def test_white_space_without_end_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "_MOST_WAITING", 1_000)
    pieces = list(without_blank_lines([" " * 400] * 100))
    assert "".join(pieces) == " " * 40_000 + "\n"
    assert max(map(len, pieces)) < 2_000


MEMORY = """
import sys, pathlib
from rnnplay.config import RunConfig
from rnnplay.text.corpora.catalogue import Card, Corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.feeds import make_feed
path = pathlib.Path(sys.argv[1])
with path.open("w") as file:
    for _ in range(100):
        file.write("abcdefghij" * 100_000)
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = peak()
corpus = encode_corpus(Corpus("long", Card(name="long"), path), RunConfig(feed=sys.argv[2]), path.parent)
feed = make_feed(corpus.train, corpus.feed, 32, 64, 1)
for _ in range(20):
    feed.next()
print(corpus.train.tokens, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_line_of_100_mb_takes_little_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "long.txt"), "stream"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    tokens, kilobytes = map(int, done.stdout.split())
    assert tokens == 90_000_000
    assert kilobytes < 70_000


# --- the cache -------------------------------------------------------------------------------------------------


def folder_of(workspace: Workspace) -> Path:
    (folder,) = (place for place in (workspace.cache / "encoded").iterdir() if place.is_dir())
    return folder


def seal(folder: Path, meta: dict[str, Any]) -> None:
    """Writes `meta` with a checksum that says that all is well, if it can be one of a meta.json at all."""
    try:
        decoded = msgspec.convert(meta, Meta)
    except msgspec.ValidationError:
        pass
    else:
        meta = {**meta, "check": decoded.checksum}
    (folder / "meta.json").write_text(json.dumps(meta))


def spoil_ids(folder: Path) -> None:
    """An id beyond the vocabulary, with a check that says that all is well."""
    ids = bytearray((folder / "train.ids").read_bytes())
    ids[len(ids) // 2] = 250
    (folder / "train.ids").write_bytes(ids)
    meta = json.loads((folder / "meta.json").read_bytes())
    meta["parts"][0]["ids_check"] = zlib.crc32(ids)
    seal(folder, meta)


def spoil_lines(folder: Path) -> None:
    starts = np.fromfile(folder / "train.lines", dtype=np.int64)
    starts[1] = 1 << 60
    starts.tofile(folder / "train.lines")
    meta = json.loads((folder / "meta.json").read_bytes())
    meta["parts"][0]["lines_check"] = zlib.crc32(starts.tobytes())
    seal(folder, meta)


def meta_with(**values: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        meta = json.loads((folder / "meta.json").read_bytes())
        part = meta["parts"][0]
        for name, value in values.items():
            (part if name in part else meta)[name] = value
        seal(folder, meta)

    return spoil


def changed_number(folder: Path) -> None:
    path = folder / "meta.json"
    path.write_bytes(path.read_bytes().replace(b'"characters":', b'"characters":1', 1))


def replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return spoil


def dangling(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.parent.parent / "nowhere")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


SPOILT: dict[str, Callable[[Path], None]] = {
    "an id out of range": spoil_ids,
    "lines out of order": spoil_lines,
    "a later format": meta_with(format=3),
    "another's key": meta_with(key="0" * 40),
    "no number of tokens": meta_with(tokens=-1),
    "absurdly many tokens": meta_with(tokens=10**30),
    "absurdly many characters": meta_with(characters=10**18),
    "absurdly much hidden": meta_with(hidden=10**18),
    "more unknown than there is": meta_with(unknown=10**6),
    "a digit more": changed_number,
    "an unknown field": meta_with(more=1),
    "nesting": replaced("meta.json", text("[" * 60_000)),
    "a terabyte of meta": replaced("meta.json", sparse),
    "a terabyte of vocabulary": replaced("vocabulary.json", sparse),
    "a terabyte of ids": replaced("train.ids", sparse),
    "a pipe for meta": replaced("meta.json", pipe),
    "a pipe for ids": replaced("train.ids", pipe),
    "a device for ids": replaced("train.ids", device("/dev/zero")),
    "a link to nowhere": dangling,
}


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices in the file system")
@pytest.mark.parametrize("name", SPOILT)
def test_a_foreign_cache_is_silently_made_again(name: str, workspace: Workspace) -> None:
    corpus = find_corpus("small", workspace)
    config = RunConfig(corpus="small", feed="lines", batch_size=4)
    expected = np.array(encode_corpus(corpus, config, workspace.cache).train.ids)
    folder = folder_of(workspace)
    SPOILT[name](folder)
    again = encode_corpus(corpus, config, workspace.cache)
    assert np.array_equal(again.train.ids, expected)
    assert not folder.is_symlink()
    assert folder_of(workspace) == folder
    assert all(stat.S_ISREG(place.lstat().st_mode) for place in folder.iterdir())


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a": {"size": 1e999}}', b"null"])
def test_a_foreign_index_is_not_believed(content: bytes, workspace: Workspace) -> None:
    path = workspace.corpora / "small.txt"
    os.utime(path, (1_000_000_000, 1_000_000_000))
    expected = content_hash(path, workspace.cache)
    index = workspace.cache / "encoded" / "index.json"
    entry = json.loads(index.read_bytes())
    entry[str(path)]["sha256"] = "\x1b[31m"
    for spoilt in (json.dumps(entry).encode(), content):
        index.write_bytes(spoilt)
        assert content_hash(path, workspace.cache) == expected


@pytest.mark.skipif(os.name == "nt", reason="pipes in the file system")
def test_what_stands_in_the_place_of_a_python_corpus_is_replaced(workspace: Workspace) -> None:
    corpus = find_corpus("python-docs", workspace)
    path = corpus.materialise(workspace.cache)
    size = path.stat().st_size
    for make in (data(b""), pipe):
        path.unlink()
        make(path)
        assert corpus.materialise(workspace.cache).stat().st_size == size


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file")
def test_settings_from_what_is_no_settings(workspace: Workspace, tmp_path: Path) -> None:
    deep = tmp_path / "deep.toml"
    deep.write_text("a=" + "[" * 30_000)
    for path, complaint in (("/dev/zero", "is a folder, a pipe or a device"), (str(deep), "is not valid TOML")):
        check(call(workspace, "train", "--config", path), complaint)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_a_workspace_that_is_no_utf_8_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    folder = str(tmp_path / os.fsdecode(b"w\xff"))
    check(CliRunner().invoke(program, ["--workspace", folder, "train"]), "is not valid UTF-8; use another folder")
    assert not any(tmp_path.iterdir())
