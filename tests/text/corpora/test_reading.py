"""Reading must give the same text whatever the encoding, newlines and chunks, and say in a sentence what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnplay.errors import InputError
from rnnplay.text.corpora.reading import iter_text

texts = st.text(
    st.one_of(st.sampled_from("ab \r\n\t\x1b\x85\u2028é€😀\ufeff"), st.characters(exclude_categories=["Cs"]))
)


def read(path: Path, chunk_bytes: int = 1 << 20) -> str:
    return "".join(iter_text(path, chunk_bytes))


def complaint(path: Path, chunk_bytes: int = 8) -> str:
    with pytest.raises(InputError) as caught:
        read(path, chunk_bytes)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert message.endswith(".")
    return message


@settings(max_examples=150)
@given(
    text=texts.filter(lambda text: text and "\0" not in text and not text.startswith("\ufeff")),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"]),
    chunk_bytes=st.integers(4, 12),
)
@example(text="a\r\nb\rc\n", encoding="utf-8", chunk_bytes=4)
@example(text="aaa\r\n\r\r\nb\r", encoding="utf-8", chunk_bytes=4)
@example(text="xyz😀é", encoding="utf-8", chunk_bytes=4)
def test_every_encoding_newline_and_chunk_size_gives_the_same_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str, chunk_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("reading") / "text.txt"
    data = text.encode(encoding)
    path.write_bytes(b"\xfe\xff" + data if encoding == "utf-16-be" else data)
    pieces = list(iter_text(path, chunk_bytes))
    assert "".join(pieces) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert all(pieces)


def test_control_characters_are_data(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"a\x1b[31mb\x07\x7f")
    assert read(path) == "a\x1b[31mb\x07\x7f"


@pytest.mark.parametrize("before", [0, 1, 3, 6, 7, 8, 9, 1000, 1_234_567])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_bad_byte_is_named_with_its_offset_in_bytes(tmp_path: Path, before: int, mark: bytes) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(mark + ("é" * before).encode()[:before] + b"x\xe9 and more")
    # Of "é" cut in two, its first half is the bad byte.
    offset = len(mark) + before + (-1 if before % 2 else 1)
    byte = "0xC3" if before % 2 else "0xE9"
    message = complaint(path, 8 if before < 2000 else 1 << 20)
    assert f"byte {byte} at offset {offset:,}" in message
    assert any(advice in message for advice in ("looks like Windows-1252", "most of it is UTF-8", "name its encoding"))


@pytest.mark.parametrize("tail", ["é".encode()[:1], "😀".encode()[:3]])
def test_a_character_cut_off_by_the_end_is_a_bad_byte(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "cut.txt"
    path.write_bytes(b"0123456" + tail)
    assert "at offset 7 " in complaint(path)


def test_utf16_with_a_byte_too_few(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes("héllo".encode("utf-16")[:-1])
    assert "UTF-16" in complaint(path)
    assert "offset 10 " in complaint(path)


def test_zero_bytes_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "binary.txt"
    path.write_bytes(b"abc def ghi\0\x01\x02")
    assert "zero byte at offset 11" in complaint(path)
    path.write_bytes("no mark".encode("utf-16-le"))
    assert "UTF-16" in complaint(path)
    path.write_bytes("a\0b".encode("utf-16"))
    assert "zero byte" in complaint(path)


def test_what_is_no_readable_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    assert "no file" in complaint(tmp_path / "missing.txt")
    assert "folder" in complaint(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "pipe" in complaint(pipe)  # and does not wait for a writer
    for content in (b"", b"\xef\xbb\xbf", b"\xff\xfe"):
        empty = tmp_path / "empty.txt"
        empty.write_bytes(content)
        assert "empty" in complaint(empty)
    with pytest.raises(InputError):
        read(tmp_path / "zero\0byte")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("x")
    path.chmod(0)
    assert "permission" in complaint(path)


def test_progress_comes_with_every_chunk_and_ends_with_the_size(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes("é\r\n".encode() * 1000)
    seen: list[int] = []
    list(iter_text(path, 512, seen.append))
    assert seen == [*range(512, 4000, 512), 4000]
