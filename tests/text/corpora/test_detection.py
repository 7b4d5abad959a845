"""What a file that is not UTF-8 looks like is said, with what would make text of it; nothing is converted unasked."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnplay.cli.main import program
from rnnplay.errors import EncodingError, InputError
from rnnplay.text.corpora.adding import add_corpus, add_stream
from rnnplay.text.corpora.catalogue import card_problems, find_corpus
from rnnplay.text.corpora.detection import SAMPLE, encoding_name, guess
from rnnplay.text.corpora.reading import iter_text
from rnnplay.workspace import Workspace

RUSSIAN = "Привет, мир! Это простой русский текст о погоде.\n"
QUOTES = "“Don’t,” she said — it’s €5.\n"
TEXTS = {
    "cp1252": QUOTES,
    "cp1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "cp866": RUSSIAN,
    "gb18030": "今天天气很好，我们去公园里玩，他说这是一个很大的地方。\n",
    "big5": "今天天氣很好，我們去公園裡玩，他說這是一個很大的地方。\n",
    "shift_jis": "今日はとても良い天気です。公園で遊びました。\n",
    "euc_jp": "今日はとても良い天気です。公園で遊びました。\n",
    "euc_kr": "오늘은 날씨가 매우 좋습니다. 우리는 공원에 갔습니다.\n",
    "cp1250": "Zażółć gęślą jaźń, proszę bardzo, święta\n",
    "iso8859-2": "Zażółć gęślą jaźń, proszę bardzo, święta\n",
    "cp1254": "Bugün hava çok güzel, ağaçların altında oturduk, ışık\n",
    "cp1253": "Καλημέρα κόσμε, σήμερα είναι ωραία μέρα\n",
    "cp1255": "שלום עולם היום יום יפה\n",
    "mac-roman": "“Don’t,” l'été à la campagne\n",
    "cp437": "L'été dernier à la campagne\n",
    "utf-16-le": "hello there\nworld\n",
    "utf-16-be": RUSSIAN,
}


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        list(iter_text(path))
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_is_named_and_shown(encoding: str, tmp_path: Path) -> None:
    """With how the text reads in it, by which the user sees whether it is the right one."""
    path = tmp_path / "a.txt"
    path.write_bytes((TEXTS[encoding] * 40).encode(encoding))
    error = refusal(path)
    assert isinstance(error, EncodingError)
    assert encoding_name(error.encoding) == encoding_name(encoding)
    excerpt = error.seems.partition("would read: ")[2].removesuffix(" […]")
    assert len(excerpt) >= 10
    assert excerpt in " ".join((TEXTS[encoding] * 40).split())


def test_the_place_may_be_far_into_the_file(tmp_path: Path) -> None:
    """A curly quote after a megabyte of ASCII."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain text, and more of it\n" * 40_000 + QUOTES.encode("cp1252"))
    error = refusal(path)
    assert isinstance(error, EncodingError)
    assert "byte 0x93 at offset 1,080,000 does not fit; it looks like Windows-1252 (Western European)" in str(error)
    assert "“Don’t,” she said" in error.seems


def archive(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, "text")
    return made.getvalue()


UNPACKED = {
    "a b.pdf": (b"%PDF-1.7\n\xe2\xe3", "is a PDF, not a text; make a text of it with `pdftotext 'a b.pdf' 'a b.txt'`."),
    "a.txt": (b"%PDF-1.7\n\xe2\xe3", "make a text of it with `pdftotext a.txt a-text.txt`."),
    "a.txt.gz": (
        gzip.compress(b"text"),
        "is compressed with gzip, not a text; unpack it with `gzip -dc a.txt.gz > a.txt`.",
    ),
    "-a.docx": (
        archive("word/document.xml"),
        "(.docx), not a text; make a text of it with `pandoc -t plain -o ./-a.txt ./-a",
    ),
    "a.zip": (archive("story.txt"), "is a ZIP archive, not a text; unpack it with `unzip a.zip`."),
    "a.png": (b"\x89PNG\r\n\x1a\n\0", "is an image, not a text; give a text file, or train on its bytes"),
    "a.parquet": (b"PAR1\x15\x04\x15\0", "is a Parquet table"),
    "a.bin": (
        bytes(range(256)),
        "is not text: it has a zero byte at offset 0; give a text file, or train on its bytes",
    ),
    "damaged": ("Zażółć jaźń\n".encode() * 9 + b"\xc5\n", "though most of it is UTF-8; leave out what does not fit"),
    "unknown": (bytes(range(128, 256)) + b"\n", "if it is text, name its encoding: `corpora add` has --encoding"),
}


@pytest.mark.parametrize("name", UNPACKED)
def test_what_is_no_text_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a command that makes text of it, which a shell takes as it stands."""
    monkeypatch.chdir(tmp_path)
    content, what = UNPACKED[name]
    Path(name).write_bytes(content)
    error = refusal(Path(name))
    assert what in str(error)
    assert not isinstance(error, EncodingError)


def call(workspace: Workspace, *arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(program, ["--workspace", str(workspace.root), *arguments], input=stdin)


def test_the_command_that_is_suggested_keeps_every_quote(tmp_path: Path) -> None:
    """Curly quotes are the very characters that a conversion by `iconv -c` drops."""
    import shlex

    workspace = Workspace(tmp_path / "work space").create()
    for folder, name in ((tmp_path, "it's"), (workspace.corpora, "here-utf-8"), (tmp_path, "text-1")):
        path = folder / {"it's": "it's.txt", "here-utf-8": "here.txt", "text-1": "a*b.txt"}[name]
        path.write_bytes(QUOTES.encode("cp1252") * 50)
        refused = call(workspace, "train", "--corpus", str(path))
        assert refused.exit_code == 2
        added = CliRunner().invoke(program, shlex.split(refused.stderr.partition("as UTF-8: rnnplay ")[2]))
        assert added.exit_code == 0, added.stderr
        assert f"Added {name}. It begins: {QUOTES.strip()}" in added.stdout
        assert find_corpus(name, workspace).materialise(workspace.cache).read_text(encoding="utf-8") == QUOTES * 50


def test_a_card_may_name_the_encoding(tmp_path: Path) -> None:
    """What is trained on, shown and hashed is the text in UTF-8; the file stays as it is."""
    workspace = Workspace(tmp_path).create()
    (workspace.corpora / "t.txt").write_bytes(QUOTES.encode("cp1252") * 50)
    card = workspace.corpora / "quotes.toml"
    card.write_text('file = "t.txt"\nencoding = "Windows-1252"\n', encoding="utf-8-sig")
    corpus = find_corpus("quotes", workspace)
    made = corpus.materialise(workspace.cache)
    assert made.read_text(encoding="utf-8") == QUOTES * 50
    assert corpus.materialise(workspace.cache) == made
    shown = json.loads(call(workspace, "corpora", "show", "quotes", "--json").stdout)
    assert shown["excerpt"].startswith(QUOTES)
    assert shown["encoding"] == "Windows-1252"
    card.write_text('file = "t.txt"\nencoding = "cp1251"\n', encoding="utf-8")
    assert find_corpus("quotes", workspace).materialise(workspace.cache) != made
    for wrong in ("cp9999", "base64", "utf-7", "unicode_escape", "a\x1bb"):
        card.write_text(f"file = 't.txt'\nencoding = {json.dumps(wrong)}\n", encoding="utf-8")
        (problem,) = card_problems(workspace)
        assert "has something wrong in the field encoding. There is no encoding" in problem
        assert problem.isprintable()


def test_a_wrong_encoding_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace").create()
    source = tmp_path / "a.txt"
    source.write_bytes(b"caf\x81\n" * 9)
    with pytest.raises(InputError, match="is not valid CP1252: the byte 0x81 at offset 3 does not fit"):
        add_corpus(source, workspace, encoding="cp1252")
    with pytest.raises(InputError, match="There is no encoding 'nonsense'"):
        add_corpus(source, workspace, encoding="nonsense")
    with pytest.raises(InputError, match=r"^Standard input is not valid UTF-8: the byte 0x81 at offset 3"):
        add_stream(io.BytesIO(source.read_bytes()), workspace)
    assert not list(workspace.corpora.iterdir())


def test_a_text_from_standard_input(tmp_path: Path) -> None:
    """Kept under a name; the same text again is the same corpus."""
    workspace = Workspace(tmp_path).create()
    assert add_stream(io.BytesIO(b"one\n"), workspace).name == "stdin"
    assert add_stream(io.BytesIO(b"two\n"), workspace).name == "stdin-2"
    assert add_stream(io.BytesIO(b"one\n"), workspace).name == "stdin"
    quotes = QUOTES.encode("cp1252")
    told = call(workspace, "corpora", "add", "-", "--name", "quotes", stdin=quotes)
    assert told.exit_code == 2
    assert "Standard input is not valid UTF-8" in told.stderr
    assert "`corpora add -` reads it so with --encoding cp1252" in told.stderr
    assert (
        call(workspace, "corpora", "add", "-", "--name", "quotes", "--encoding", "cp1252", stdin=quotes).exit_code == 0
    )
    assert (workspace.corpora / "quotes.txt").read_text(encoding="utf-8") == QUOTES
    taken = call(workspace, "corpora", "add", "-", "--name", "quotes", stdin=b"other\n")
    assert "There is already a corpus 'quotes'" in taken.stderr
    assert "is empty" in call(workspace, "corpora", "add", "-", stdin=b"").stderr
    (tmp_path / "out.txt").write_text("out\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be a corpus's name"):
        add_stream(io.BytesIO(b"out\n"), workspace, "../out")
    assert sorted(path.name for path in workspace.corpora.iterdir()) == ["quotes.txt", "stdin-2.txt", "stdin.txt"]


def guessed(data: bytes, folder: Path) -> str:
    """What the file is said to be; "" if it is not known, or is text."""
    path = folder / "a.dat"
    path.write_bytes(data)
    try:
        data.decode()
        at = data.find(0)
    except UnicodeDecodeError as error:
        at = error.start
    found = guess(path, at) if at >= 0 else None
    return found.what if found is not None else ""


@pytest.mark.parametrize("zero", [False, True], ids=["any bytes", "a zero byte"])
@pytest.mark.parametrize("size", [*range(1, 20), 40, 200])
def test_short_binary_files_are_not_taken_for_utf16(size: int, zero: bool, tmp_path: Path) -> None:
    draw = random.Random(size)
    files = [bytearray(draw.randbytes(size)) for _ in range(200)]
    for data in files:
        if zero:
            data[draw.randrange(size)] = 0
    assert sum("UTF-16" in guessed(bytes(data), tmp_path) for data in files) <= 2


@pytest.mark.parametrize("data", [b"abc\0def", b"a\0", b"\0a", b"x\0y\0z", b"\xba\xca\0S", b"<\0\x1c\xb8"])
def test_too_little_for_utf16_is_said_to_be_no_text(data: bytes, tmp_path: Path) -> None:
    assert not guessed(data, tmp_path)
    with pytest.raises(InputError, match=r"(zero byte at offset \d; give a text file, or train on|does not fit)"):
        list(iter_text(tmp_path / "a.dat"))


@given(
    text=st.text(st.sampled_from("abcdefgh ,.\nавитео的一是こんに"), min_size=3, max_size=40),
    encoding=st.sampled_from(["utf-16-le", "utf-16-be"]),
)
def test_short_texts_in_utf16_are_known(text: str, encoding: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assume(any(letter.isascii() for letter in text))  # without one, the bytes may be text in another encoding
    folder = tmp_path_factory.getbasetemp()
    assert "UTF-16" in guessed(text.encode(encoding), folder)


def test_a_character_at_the_end_of_what_is_examined_may_be_cut(tmp_path: Path) -> None:
    text = "a" * (SAMPLE // 2 - 1) + "😀" + "b" * 10
    assert "UTF-16 (little" in guessed(text.encode("utf-16-le"), tmp_path)


def test_binary_data_without_a_zero_byte_is_no_text_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(b"\x01\x02\xe9t\xe9" * 9)
    with pytest.raises(InputError, match=r"a\.dat is binary data, not a text; give a text file, or train on its bytes"):
        list(iter_text(tmp_path / "a.dat"))
    dos = ("L'\xe9t\xe9 \xe0 la campagne\r\n" * 9).encode("cp1252") + b"\x1a"
    assert "Windows-1252" in guessed(dos, tmp_path), "DOS ended files with a control character"
