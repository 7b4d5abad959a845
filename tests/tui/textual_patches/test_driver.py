"""Sizes that are told, a terminal that takes nothing more, and what comes once all is over."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from pathlib import Path
from threading import Event, Thread

import pytest
from textual import events
from textual.message import Message

if sys.platform == "win32":
    pytest.skip("another driver", allow_module_level=True)

from rnnplay.tui.textual_patches.driver import MOST_WAITING, TerminalDriver
from rnnplay.tui.textual_patches.output import TerminalOutput


def test_exported_sizes_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS and LINES stay as they were exported when the window changes."""
    monkeypatch.setenv("COLUMNS", "33")
    monkeypatch.setenv("LINES", "11")
    driver = object.__new__(TerminalDriver)
    driver.fileno = 0
    driver._output = TerminalOutput(2, "utf-8")
    for told, laid_out in (((120, 40), (120, 40)), ((1, 1), (32, 10)), ((9, 60), (32, 60)), ((10**6, 1), (1_000, 10))):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, size=told: os.terminal_size(size))
        assert driver._get_terminal_size() == laid_out


def test_where_the_terminal_does_not_know_its_size_the_exported_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "133")
    monkeypatch.setenv("LINES", "41")
    driver = object.__new__(TerminalDriver)
    driver.fileno = 0
    driver._output = TerminalOutput(2, "utf-8")
    monkeypatch.setattr(os, "get_terminal_size", lambda _=0: os.terminal_size((0, 0)))
    assert driver._get_terminal_size() == (133, 41)


def test_a_terminal_that_is_gone_holds_nobody_up(tmp_path: Path) -> None:
    """Textual's own thread ends by the error; the next write but thirty would wait for ever."""
    from textual.drivers._writer_thread import WriterThread

    reading, writing = os.pipe()
    os.close(reading)
    output = TerminalOutput(writing, "utf-8")
    writer = WriterThread(output)  # type: ignore[arg-type]
    writer.start()
    for _ in range(100):
        writer.write("x")
    writer.stop()
    assert output.gone
    os.close(writing)


def test_a_terminal_made_non_blocking_by_another_program_gets_all() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    output = TerminalOutput(writing, "utf-8")
    text = "─" * 100_000
    thread = Thread(target=output.write, args=(text,))
    thread.start()
    got = b""
    while len(got) < 300_000:
        got += os.read(reading, 65_536)
    thread.join(10)
    assert got.decode() == text
    os.close(reading)
    os.close(writing)


def test_other_encodings_are_drawn_in_ascii_cell_for_cell() -> None:
    for encoding, drawn in (("gb18030", "+-> 中 *?"), ("iso-8859-1", "+-> ?? *é"), ("ascii", "+-> ?? *?")):
        reading, writing = os.pipe()
        TerminalOutput(writing, encoding).write("╭─▶ 中 ●" + ("é" if encoding != "gb18030" else "?"))
        assert os.read(reading, 100).decode(encoding) == drawn
        os.close(reading)
        os.close(writing)


def test_what_comes_once_all_is_over_enters_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as ctrl+z and fg while a last checkpoint is written: the terminal is the shell's again."""
    entered: list[str] = []
    monkeypatch.setattr(TerminalDriver, "resume_application_mode", lambda _: entered.append("again"))
    monkeypatch.setattr(TerminalDriver, "_in_background", lambda _: False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    driver = object.__new__(TerminalDriver)
    driver._loop, driver._entered = asyncio.new_event_loop(), False
    driver.stop_application_mode()
    driver._go_on()
    assert not entered
    driver._loop.close()
    driver._sigtstp_application()
    driver._sigcont_application()
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: killed.append(number))
    driver._told_to(signal.SIGTERM, None)
    assert killed == [signal.SIGTERM]


class Slow:
    """In place of an app: it is handed events, and has them done when the test says so."""

    def __init__(self) -> None:
        self.came: list[Message] = []
        self.done = 0
        self.keyboard = self._message_queue = self

    @property
    def waiting(self) -> int:
        return len(self.came) - self.done

    def qsize(self) -> int:
        return 0

    async def _post_message(self, message: Message) -> bool:
        self.came.append(message)
        return True


async def test_what_is_typed_faster_than_it_is_handled_waits_in_the_terminal_and_comes_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = "".join(chr(ord("a") + number % 26) for number in range(3_000))
    reading, writing = os.pipe()
    driver, app = object.__new__(TerminalDriver), Slow()
    driver._app, driver._loop = app, asyncio.get_running_loop()  # type: ignore[assignment]
    driver.fileno, driver.exit_event, driver._sent = reading, Event(), deque()
    driver.cursor_origin, driver._down_buttons, driver._last_move_event = None, [], None
    monkeypatch.setattr("rnnplay.tui.textual_patches.driver.READ_BYTES", 512)
    thread = Thread(target=driver.run_input_thread)
    thread.start()
    try:
        os.write(writing, keys.encode() + b"\x1b[200~" + b"pasted" * 100 + b"\x1b[201~")
        most = 0
        while not (app.came and isinstance(app.came[-1], events.Paste)):
            await asyncio.sleep(0.001)
            most = max(most, app.waiting)
            if app.waiting >= MOST_WAITING:  # it has come to rest
                app.done = len(app.came)
        assert MOST_WAITING <= most <= MOST_WAITING + 1
        *typed, paste = app.came
        assert "".join(event.character or "" for event in typed if isinstance(event, events.Key)) == keys
        assert isinstance(paste, events.Paste)
        assert paste.text == "pasted" * 100
        app.came *= 2  # nobody handles anything any more
        os.write(writing, keys.encode())
    finally:
        driver.exit_event.set()
        thread.join(10)
        os.close(reading)
        os.close(writing)
    assert not thread.is_alive()


def test_many_changes_of_size_ask_the_event_loop_once() -> None:
    driver = object.__new__(TerminalDriver)
    driver._loop, driver._size_due = asyncio.new_event_loop(), False
    for _ in range(100):
        driver._size_changed()
    assert len(driver._loop._ready) == 1  # type: ignore[attr-defined]
    driver._loop.close()
