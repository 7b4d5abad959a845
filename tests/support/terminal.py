"""A program in a pseudo-terminal, as a user has it: keys go in, the screen is read by a terminal emulator."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte


class Terminal:
    """Runs `command` with a terminal of `columns` × `rows`; use as a context manager."""

    def __init__(
        self,
        command: list[str],
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.bytes_read = 0
        self._undrawn = bytearray()
        self.transcript = bytearray()
        self.master, slave = pty.openpty()
        self._resize_fd(columns, rows)
        # COLUMNS and LINES would win over the size of the terminal.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment = {**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # the terminal of its session, as a window has it
        )
        os.close(slave)
        os.set_blocking(self.master, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        os.close(self.master)

    @property
    def text(self) -> str:
        """What the screen shows."""
        self._draw()
        # pyte's own `display` looks up the width of each character, which takes longer than all the rest.
        buffer, columns = self.screen.buffer, range(self.screen.columns)
        rows = (buffer[row] for row in range(self.screen.lines))
        return "\n".join("".join(line[column].data for column in columns).rstrip() for line in rows)

    @property
    def cells(self) -> list[list[tuple[object, ...]]]:
        """What each cell looks like."""
        return cells_of(self.screen)

    def send(self, keys: str) -> None:
        """Type `keys` (escape sequences included)."""
        self.send_bytes(keys.encode())

    def send_bytes(self, data: bytes) -> None:
        """Send what may be no text; what a program that does not read has no room for is lost."""
        with contextlib.suppress(BlockingIOError):
            os.write(self.master, data)

    @property
    def is_raw(self) -> bool:
        """Whether the program has taken over the terminal: keys come one by one."""
        return not termios.tcgetattr(self.master)[3] & termios.ICANON

    def cook(self) -> None:
        """Give the terminal a shell's modes, as a shell does whose job has been stopped."""
        modes = termios.tcgetattr(self.master)
        modes[0] |= termios.ICRNL
        modes[3] |= termios.ICANON | termios.ECHO | termios.ISIG
        termios.tcsetattr(self.master, termios.TCSANOW, modes)

    def hang_up(self) -> None:
        """The terminal is gone, as when its window is closed."""
        os.close(self.master)
        self.master = os.open(os.devnull, os.O_RDWR)

    def read(self, timeout: float, draw: bool = True) -> bytes:
        """What comes within `timeout` seconds, as soon as anything does.

        It is drawn on the screen too; with `draw=False` only later, where the emulator's own time would be measured.
        """
        ready, _, _ = select.select([self.master], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # the program is gone
            return b""
        self.bytes_read += len(data)
        self.transcript += data
        self._answer(data)
        # pyte takes the private "CSI ? … $ p" and kitty "CSI > … u" queries for text; a terminal swallows them.
        self._undrawn += data
        if draw:
            self._draw()
        return data

    def _draw(self) -> None:
        if self._undrawn:
            self._stream.feed(without_queries(bytes(self._undrawn)))
            self._undrawn.clear()

    def wait_for(self, condition: str | Callable[[str], bool], timeout: float = 30.0) -> str:
        """Read until the screen holds the text (or fulfils the condition); returns the screen, or raises."""
        fulfilled = condition if callable(condition) else (lambda text: condition in text)
        until = time.monotonic() + timeout
        while not fulfilled(self.text):
            left = until - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not self.read(0.1)):
                raise AssertionError(f"{condition!r} did not come; the screen is:\n{self.text}")
            self.read(min(left, 0.25))
        return self.text

    def wait_for_exit(self, timeout: float = 30.0) -> int:
        """Read until the program ends; returns its exit code."""
        until = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise AssertionError(f"the program did not end; the screen is:\n{self.text}")
            self.read(0.1, draw=False)
        while self.read(0.05, draw=False):  # its last words
            pass
        return int(self.process.returncode)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size."""
        self.screen.resize(rows, columns)
        self._resize_fd(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def _resize_fd(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _answer(self, data: bytes) -> None:
        if b"\x1b[6n" in data:
            os.write(self.master, b"\x1b[1;1R")


def cells_of(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """By row, each cell's character, with the colours and attributes that are seen."""

    def seen(cell: pyte.screens.Char) -> tuple[object, ...]:
        inked = cell.data.strip() or cell.reverse or cell.underscore
        return cell.data, cell.fg if inked else "", cell.bg, cell.bold, cell.reverse, cell.underscore

    return [[seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def without_queries(data: bytes) -> bytes:
    """Leaves out the queries that a terminal answers or swallows, and pyte would print."""
    import re

    return re.sub(rb"\x1b\[\?\d+\$p|\x1b\[[<>=][\d;]*u|\x1b_G[^\x1b]*\x1b\\|\x1b\[\?\d+u", b"", data)


def rnnplay_command(*arguments: str) -> list[str]:
    """The program under test, by this interpreter."""
    return [sys.executable, "-m", "rnnplay", *arguments]
