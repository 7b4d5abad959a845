"""What a command is working on is shown in a terminal, on one line that leaves nothing behind."""

from __future__ import annotations

import io
import threading
import time
from contextlib import redirect_stderr

import pytest

from rnnplay.cli.support import working as module
from rnnplay.cli.support.working import working


class Terminal(io.StringIO):
    """A stderr that is a terminal; `written` is set with each write."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.01)
    return stream


def test_long_work_is_shown_with_what_is_done_and_erased(terminal: Terminal) -> None:
    with redirect_stderr(terminal), working("reading the text", lambda: 0.25):
        assert terminal.written.wait(30)
    first, *_, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert (first, last) == ("reading the text: 25%, 0 s", "")


def test_the_line_is_erased_before_an_error_is_told(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), redirect_stderr(terminal), working("reading the text"):
        assert terminal.written.wait(30)
        raise KeyboardInterrupt
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_short_work_is_silent(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 30)
    begun = time.monotonic()
    with redirect_stderr(terminal), working("reading the text"):
        pass
    assert terminal.getvalue() == "" and time.monotonic() - begun < 30, "it is not waited for either"


@pytest.mark.parametrize("why", ["a pipe", "a terminal without control codes"])
def test_elsewhere_nothing_is_shown(why: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    if why == "a pipe":
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    else:
        monkeypatch.setenv("TERM", "dumb")
    before = threading.active_count()
    with redirect_stderr(terminal), working("reading the text"):
        assert threading.active_count() == before
    assert terminal.getvalue() == ""
