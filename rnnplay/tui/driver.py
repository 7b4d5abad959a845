"""The terminal on POSIX systems: any bytes may come in, it may go away, and it is left in order however all ends.

Textual's own driver is the base. What it does otherwise: it ends with a traceback on a byte that is not UTF-8 and on a
key code that is no character, it hears of a terminal's end and reads on, and it works on the terminal inside of signal
handlers, in the middle of whatever is being drawn. Tried with Textual 8.2.8; tests/tui/test_driver.py fails where a
later one has changed what is used here.
"""

from __future__ import annotations

import codecs
import os
import re
import selectors
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual import events
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from rnnplay.tui.paste import END, Parser

if TYPE_CHECKING:
    from textual.app import App

READ_BYTES = 4096
WAIT_SECONDS = 0.1
PASTE_SECONDS = 5.0
"""A paste whose end has not come after a pause this long is over: its end was lost, or its beginning was none."""
LARGEST = 5_000
"""Columns or rows; what says that it has more is no terminal."""
LEAST_COLUMNS, LEAST_ROWS = 32, 10
"""What is always laid out; of a smaller window one sees the upper left part. Widgets of no width end a layout."""

_X10_MOUSE = re.compile(rb"\x1b\[M([\x20-\xff])([\x20-\xff])([\x20-\xff])")
_X10_BEGUN = re.compile(rb"\x1b\[(M[\x20-\xff]{0,2})?$")


class Writer(WriterThread):
    """Textual's writing thread, which goes on taking what is to be written when the terminal is gone."""

    def run(self) -> None:
        try:
            super().run()
        except OSError:
            while self._queue.get() is not None:
                pass


class Input:
    """Bytes of a terminal as messages, whatever the bytes are."""

    def __init__(self, encoding: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.parser = Parser()
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode
        self._clock = clock
        self._came = clock()
        self._held = b""
        """The beginning of what may be a mouse report."""

    def take(self, data: bytes) -> list[Message]:
        """What these bytes say."""
        self._came = self._clock()
        data = self._held + data
        begun = _X10_BEGUN.search(data)
        self._held = data[begun.start() :] if begun else b""
        data = _X10_MOUSE.sub(_as_sgr, data.removesuffix(self._held))
        text = self._decode(data)
        return list(self.parser.feed(text)) if text else []

    def tick(self) -> list[Message]:
        """What follows from nothing coming: an escape character that stays alone is the key."""
        held, self._held = self._held, b""
        found = list(self.parser.feed(self._decode(held))) if held else []
        found += self.parser.tick()
        if self.parser.pasting and self._clock() - self._came > PASTE_SECONDS:
            found += self.parser.feed(END)
        return found


def _as_sgr(report: re.Match[bytes]) -> bytes:
    """A mouse report of X10 in the form that Textual reads; what stands in it may be no UTF-8."""
    buttons, column, row = (group[0] - 32 for group in report.groups())
    released = buttons & 0b1100011 == 3
    return b"\x1b[<%d;%d;%d%s" % (buttons & ~3 if released else buttons, column, row, b"m" if released else b"M")


class TerminalDriver(LinuxDriver):
    """Textual's driver, for a terminal that may send anything and end at any time."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        self._suspended = False
        super().__init__(app, **options)
        # It has no other way to be told.
        linux_driver.WriterThread = Writer  # type: ignore[attr-defined]

    def _get_terminal_size(self) -> tuple[int, int]:
        # Not shutil's: COLUMNS and LINES, if they are exported, stay as they are when the window changes.
        for descriptor in (self.fileno, 2):  # Textual draws on stderr
            try:
                width, height = os.get_terminal_size(descriptor)
            except OSError:
                continue
            if width > 0 and height > 0:
                return max(LEAST_COLUMNS, min(width, LARGEST)), max(LEAST_ROWS, min(height, LARGEST))
        return 80, 24

    # --- input ----------------------------------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """Hands on what comes in until the app ends, or the terminal does."""
        source = Input(sys.__stdin__.encoding if sys.__stdin__ else "utf-8")
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = b""
                if selector.select(WAIT_SECONDS):
                    try:
                        data = os.read(self.fileno, READ_BYTES)
                    except InterruptedError:
                        continue
                    except OSError:
                        pass
                    if not data:  # hung up: a shell that ignores SIGHUP (nohup) does not tell in any other way
                        self._loop.call_soon_threadsafe(self._leave, signal.SIGHUP)
                        return
                for message in source.take(data) if data else source.tick():
                    self.process_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Resize):  # any bytes can say how large the window is
            size = Size(*self._get_terminal_size())
            message = events.Resize(size, size, pixel_size=message.pixel_size)
        super().process_message(message)

    # --- signals --------------------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        for number in ending_signals():
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                self._loop.add_signal_handler(number, self._leave, number)

    def _leave(self, number: int) -> None:
        app: Any = self._app  # ours
        app.leave_by_signal(number)

    def _sigtstp_application(self, *_: object) -> None:
        # Not here, in the middle of who knows what: a frame may be half written, and a lock of the writer's taken.
        self._loop.call_soon_threadsafe(self._suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._resume)

    def _suspend(self) -> None:
        if self._auto_restart and not self._suspended:
            self._suspended = self._must_signal_resume = True
            self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _resume(self) -> None:
        """After ctrl+z and fg, or after a stop that nobody was told of and in which a shell set its own modes."""
        if not self._auto_restart:
            return
        if not self._in_foreground():  # bg: there is no terminal to draw on
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if self._suspended:
            self._suspended = False
            self.start_application_mode()
        else:
            self._set_modes()
        self._app.screen.refresh(layout=True)
        size = Size(*self._get_terminal_size())  # it may have changed meanwhile
        self.send_message(events.Resize(size, size))

    def _in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:  # no job control here
            return True

    def _set_modes(self) -> None:
        """What `start_application_mode` tells the terminal, without what it starts."""
        try:
            modes = termios.tcgetattr(self.fileno)
            modes[tty.LFLAG] = self._patch_lflag(modes[tty.LFLAG])
            modes[tty.IFLAG] = self._patch_iflag(modes[tty.IFLAG])
            modes[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, modes)
        except termios.error:
            return
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h")
        self._enable_mouse_support()
        self._enable_bracketed_paste()
        self._disable_line_wrap()


def ending_signals() -> list[signal.Signals]:
    """Those that end a program that does not say otherwise, and that can be caught."""
    names = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGXCPU")
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]
