"""What is written to terminals and pipes."""

from __future__ import annotations

import io
import sys

import pytest

from rnnplay.cli.support.console import TextOut, model_name, printable, table
from rnnplay.config import RunConfig


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


def test_nothing_that_a_terminal_obeys_is_left() -> None:
    """Every C0 and C1 control but newline and tab, DEL, and the marks that reorder a line."""
    controls = "".join(map(chr, [*range(32), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028]))
    cleaned = printable(controls)
    assert len(cleaned) == len(controls)
    assert {character for character in cleaned if not character.isprintable()} == {"\n", "\t"}
    assert printable("\x1b]0;title\x07 häß 漢字 🙂\n\t") == "␛]0;title␇ häß 漢字 🙂\n\t"


def test_generated_text_on_a_terminal_is_harmless_and_ends_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a model has learnt to write."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    out = TextOut()
    for piece in ("", "a\x1b[2J", "\rb"):
        out.write(piece)
    out.end()
    assert screen.getvalue() == "a␛[2J␍b\n"


def test_a_terminal_without_unicode_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an error half way through a sample."""
    screen = Terminal("ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    TextOut().write("“é”!")
    assert screen.getvalue() == "???!"  # not another text


def test_generated_text_in_a_pipe_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTF-8 in every locale, nothing replaced; the last line is ended, if the text does not."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    out = TextOut()
    out.write("é\x1b[31m\r\n")
    out.write("x")
    out.end()
    out.end()
    assert raw.getvalue() == "é\x1b[31m\r\nx\n".encode()


def test_a_table_in_a_pipe_is_parted_by_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """So that cut and awk can read it."""
    table(("name", "n"), [("a[b]", "1"), ("c", "\x1b")], numbers=("n",))
    assert capsys.readouterr().out == "name\tn\na[b]\t1\nc\t␛\n"


def test_a_table_on_a_terminal_keeps_names_that_look_like_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    """rich would swallow [b]."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    table(("name", "n"), [("a[b]", "1")], numbers=("n",))
    assert "a[b]" in screen.getvalue()


def test_a_model_is_named_by_its_cell_and_size() -> None:
    assert model_name(RunConfig()) == "LSTM 1×256"
    assert model_name(RunConfig(cell="rnn", nonlinearity="relu", layers=2)) == "ReLU RNN 2×256"
