"""What stands in for a character that the output's encoding lacks: ASCII, and as wide as it."""

from __future__ import annotations

import io
import sys

import click
import pytest
from rich.cells import cell_len

from rnnplay.common.encodings import HANDLER, ascii_alike, encodable, encoding_of, register, soften_streams


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("┌─┬│┼╌└", "+-+|+-+"),
        ("█▌▁ ⠀⣿", "##_  #"),
        ("←→↑↓", "<>^v"),
        ("…·●✕", "..*x"),
        ("“a” – ‘b’", "\"a\" - 'b'"),
        ("é², Σ ½ № ⁽ᵗ⁾", "?2, ? ? ? (t)"),
        ("水，🙂", "??????"),
        ("g\u0303\u200b", "g"),
    ],
)
def test_what_is_shown_in_ascii(text: str, shown: str) -> None:
    register()
    assert text.encode("ascii", HANDLER).decode("ascii") == shown


def test_every_character_keeps_its_width() -> None:
    ranges = [
        (0xA1, 0x250),
        (0x370, 0x530),
        (0x2010, 0x2028),
        (0x2190, 0x2300),
        (0x2500, 0x2600),
        (0x2700, 0x2900),
        (0x4E00, 0x4E80),
    ]
    for low, high in ranges:
        for letter in map(chr, range(low, high)):
            alike = ascii_alike(letter)
            assert alike.isascii()
            assert cell_len(alike) == cell_len(letter), hex(ord(letter))


def test_only_streams_that_are_not_utf8_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "gbk")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    soften_streams()
    assert (out.errors, err.errors) == ("strict", HANDLER)
    assert encodable("“é”", out) == "“é”" and encodable("“é€水🙂”", err) == "“é?水?”"
    err.write("水é⣿🙂")
    err.flush()
    assert err.buffer.getvalue() == "水é".encode("gbk") + b"#??"


def test_nothing_is_written_past_a_stream_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """click writes UTF-8 to a stream in ASCII, if it knows that it is one."""
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", out)
    soften_streams()
    soften_streams()
    click.echo("─ é")
    out.flush()
    assert isinstance(out.buffer, io.BytesIO) and out.buffer.getvalue() == b"- ?\n"
    assert encoding_of(out) == "ascii" and encodable("“é”", out) == "???"
