"""Hostile and broken archives: each is refused in a sentence that names it, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from rnnplay.errors import EncodingError, InputError
from rnnplay.text.corpora import unpacking
from rnnplay.text.corpora.reading import iter_text
from rnnplay.text.corpora.unpacking import unpacked

TEXT = b"the old mill by the river\n" * 100


def archive(*names: str, content: bytes = TEXT) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, content)
    return stream.getvalue()


def changed(data: bytes, *changes: tuple[int, int]) -> bytes:
    """An archive of one file with other values at places of its two headers, local and central."""
    new = bytearray(data)
    central = data.index(b"PK\x01\x02")
    for at, value in changes:
        new[at] = value
        new[central + at + 2] = value
    return bytes(new)


HOSTILE = {
    "two.zip": (archive("a.txt", "b.txt"), "has 2 files in it"),
    "none.zip": (archive(), "has no file in it"),
    "folder.zip": (archive("d/", content=b""), "has no file in it"),
    "hidden.zip": (archive(".a.txt"), "has no file in it"),
    "locked.zip": (changed(archive("a.txt"), (6, 1)), "is locked with a password"),
    "method.zip": (changed(archive("a.txt"), (8, 99)), "cannot be unpacked"),
    "cut.zip": (archive("a.txt", "b.txt")[:-30], "cannot be unpacked"),
    "cut.txt.gz": (gzip.compress(TEXT)[:-12], "cannot be unpacked"),
    "more.gz": (gzip.compress(TEXT) + b"garbage", "cannot be unpacked"),
    "cut.xz": (lzma.compress(TEXT)[:-40], "cannot be unpacked"),
    "empty.zip": (archive("a.txt", content=b""), "is empty"),
    "empty.gz": (b"", "is empty|cannot be unpacked"),
    "text.gz": (TEXT, r"is no \.gz file"),
    "text.zip": (gzip.compress(TEXT), r"is no \.zip file"),
    "other.bz2": (archive("a.txt"), r"is no \.bz2 file"),
    "nested.zip": (archive("a.txt.gz", content=gzip.compress(TEXT)), "another compressed file"),
    "zips.zip": (archive("a.zip", content=archive("a.txt")), "another compressed file"),
    "bomb.gz": (gzip.compress(bytes(300_000)), "more than 50 times its size"),
    "bomb.zip": (archive("zeros.txt", content=bytes(300_000)), "more than 50 times its size"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 100_000)
    data, expected = HOSTILE[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=expected) as refused:
        unpacked(tmp_path / name, tmp_path / "cache")
    assert name in str(refused.value) and "\n" not in str(refused.value)
    assert not list((tmp_path / "cache").glob("*unpacked*"))


@pytest.mark.parametrize("inside", ["../../evil.txt", "/evil.txt", "a\x1b[31m.txt", "a" * 5000])
def test_the_name_in_an_archive_decides_nothing(inside: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.zip").write_bytes(archive(inside))
    found = unpacked(tmp_path / "in" / "a.zip", tmp_path / "in" / "cache")
    assert found.read_bytes() == TEXT and found.parent == tmp_path / "in" / "cache"
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", ["words.zip", "words.txt.gz"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a" * 99 + b"\0" + b"b" * 99, "is not text: it has a zero byte at offset 99; give a text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "is an image, not a text; give a text file"),
        (b"%PDF-1.7\n\0" * 9, "is a PDF, not a text; unpack it, and make a text of what is in it"),
        ("Grüße, Öl und Äpfel\n".encode("cp1252") * 99, "is not valid UTF-8: the byte 0xFC at offset 2"),
        ("Grüße\n".encode() * 999 + b"\xff", "unpack it, and leave out what does not fit"),
    ],
    ids=["zeros", "image", "pdf", "encoding", "almost"],
)
def test_what_is_wrong_inside_is_said_of_the_file_that_was_given(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    """Not of its copy in the cache, which nobody has seen."""
    packed, cache = tmp_path / name, tmp_path / "cache"
    packed.write_bytes(gzip.compress(content) if name.endswith("gz") else archive("words.txt", content=content))
    cache.mkdir()
    with pytest.raises(InputError) as refused:
        list(iter_text(unpacked(packed, cache)))
    assert str(refused.value).startswith(str(packed)) and said in str(refused.value)
    assert str(cache) not in str(refused.value)
    if isinstance(refused.value, EncodingError):
        assert refused.value.path == str(packed)
