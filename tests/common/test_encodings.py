"""What stands in for a character that the output's encoding lacks: ASCII, and as wide as it."""

from __future__ import annotations

import io
import sys

import pytest
from rich.cells import cell_len

from rnnplay.common.encodings import HANDLER, ascii_alike, register, soften_streams


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("┌─┬│┼╌└", "+-+|+-+"),
        ("█▌▁ ⠀⣿", "##_  #"),
        ("←→↑↓", "<>^v"),
        ("…·●✕", "..*x"),
        ("“a” – ‘b’", "\"a\" - 'b'"),
        ("é², Σ", "e2, ?"),
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
    err.write("水é⣿🙂")
    err.flush()
    assert err.buffer.getvalue() == "水é".encode("gbk") + b"#??"
