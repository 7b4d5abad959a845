"""Sizes that are told, a terminal that takes nothing more, and what comes once all is over."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("another driver", allow_module_level=True)

from rnnplay.tui.textual_patches.driver import TerminalDriver
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
    from threading import Thread

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
