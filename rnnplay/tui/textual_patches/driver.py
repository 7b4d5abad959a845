"""The driver of a POSIX terminal: its modes are set while the interface runs, and restored whenever it does not.

Textual's own driver ends with the first byte that it cannot read, leaves the terminal modes set when a signal ends the
process, and writes for ever to a terminal that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import selectors
import signal
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from textual import events
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from rnnplay.common.signals import ending_signals
from rnnplay.tui.textual_patches.input import TerminalInput
from rnnplay.tui.textual_patches.output import TerminalOutput

assert sys.platform != "win32"  # nothing below is for Windows; type checkers skip it there

if TYPE_CHECKING:
    from textual.app import App

AGAIN_SECONDS = 1.0
"""A signal this long after the first is a second request; a terminal that is closed sends two or three at once."""
STALLED_SECONDS = 10.0
"""A process that runs this long after a signal waits for a terminal that accepts no output (ctrl+s, a dead line)."""
STOPPING_SECONDS = 0.3
"""A process that ctrl+z has not stopped by then has no shell that could continue it."""
LARGEST = 1_000
"""The most columns and rows; a mistyped `stty cols` must not use all the memory."""
LEAST_COLUMNS, LEAST_ROWS = 32, 10
"""The least size laid out; a smaller window shows its upper left part. Widgets of no width end a layout."""

READ_BYTES = 1 << 16
MOST_WAITING = 256
"""The most events read and not yet handled. Beyond that, the terminal buffers what is typed, and nothing is lost."""
CATCHING_UP_SECONDS = 0.005

_MODES_OFF = (
    "\x1b[?2026l"  # an unfinished update
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[<u\x1b[0m\x1b[?1049l\x1b[?25h\x1b[?1004l"
)


class BoundedDriver(Driver):
    """A driver that reads no faster than the app handles what it has read."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._sent: deque[Future[bool]] = deque()
        """Messages on their way to the app."""

    def send_message(self, message: Message) -> None:
        self._sent.append(asyncio.run_coroutine_threadsafe(self._app._post_message(message), self._loop))

    def let_it_catch_up(self, ended: threading.Event) -> None:
        """Waits, until `ended`, while too much has been read and not been handled."""
        while self._waiting() > MOST_WAITING and not ended.wait(CATCHING_UP_SECONDS):
            pass

    def _waiting(self) -> int:
        """The number of events that wait for the event loop, for the app, or for a key before them."""
        while self._sent and self._sent[0].done():
            self._sent.popleft()
        app: Any = self._app  # ours
        return len(self._sent) + int(app._message_queue.qsize()) + int(app.keyboard.waiting)


class TerminalDriver(BoundedDriver, LinuxDriver):
    """Textual's driver with our own input, output, signals and suspension."""

    class Continued(Message):
        """The process continues after a suspension; `stopped` is false if the system did not stop it."""

        def __init__(self, stopped: bool) -> None:
            super().__init__()
            self.stopped = stopped

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert sys.__stderr__ is not None
        self._output = TerminalOutput(sys.__stderr__.fileno(), sys.__stderr__.encoding)
        self._file = self._output  # type: ignore[assignment]
        self._wanted = False
        """Whether the interface has the terminal while the process runs; false before its start and after its end."""
        self._entered = False
        """Whether the terminal is in the modes of the interface."""
        self._told_size: tuple[int, int] | None = None
        self._size_due = False
        """Whether the event loop has been asked to report the size; many changes at once need one report."""
        self._may_be_stopped = False
        self._told_to_end = 0.0
        for number in ending_signals():
            signal.signal(number, self._told_to)

    # --- modes ----------------------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        self._wanted = True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # In the background nothing was started, and the process has stopped.
        self._entered = self._writing
        if self._entered:
            signal.signal(signal.SIGWINCH, self._size_changed)

    def stop_application_mode(self) -> None:
        self._wanted = False
        if self._entered:
            super().stop_application_mode()
            self.write("\x1b[0m")
            self._entered = False

    def close(self) -> None:
        if self._writing:
            super().close()

    @property
    def _writing(self) -> bool:
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def write(self, data: str) -> None:
        """Writes unless the terminal belongs to the shell at the moment."""
        if self._writing:
            super().write(data)

    def restore_now(self) -> None:
        """Restores the terminal, if necessary, without the event loop and threads."""
        if not self._entered:
            return
        self._entered = False
        with contextlib.suppress(OSError, ValueError):
            if select.select([], [self._output.fileno()], [], 0.2)[1]:
                os.write(self._output.fileno(), _MODES_OFF.encode())
        if self.attrs_before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

    # --- input ----------------------------------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """Reads until told to end, or until the terminal is gone."""
        assert sys.__stdin__ is not None
        keys = TerminalInput(sys.__stdin__.encoding or "utf-8")
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                self.let_it_catch_up(self.exit_event)
                if selector.select(0.1):
                    data = self._read()
                    if not data and self._is_gone():
                        self._soon(self._leave, signal.SIGHUP)
                        return
                    for message in keys.feed(data):
                        self.let_it_catch_up(self.exit_event)
                        self.process_message(message)
                for message in keys.tick():
                    self.process_message(message)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, READ_BYTES)
        except OSError:
            return b""

    def _is_gone(self) -> bool:
        """Whether nothing was read because the terminal is gone; it can also be ctrl+d before its modes are set."""
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            return True
        time.sleep(0.05)
        return False

    def process_message(self, message: Message) -> None:
        # The size comes from the system, not from bytes that anything may have sent.
        if isinstance(message, events.Resize):
            self._soon(self._tell_size, False)
        else:
            super().process_message(message)

    # --- the size -------------------------------------------------------------------------------------------

    def _get_terminal_size(self) -> tuple[int, int]:
        # Not shutil's: exported COLUMNS and LINES do not change with the window.
        for descriptor in (self.fileno, self._output.fileno()):
            with contextlib.suppress(OSError):
                columns, rows = os.get_terminal_size(descriptor)
                if columns > 0 and rows > 0:
                    return max(LEAST_COLUMNS, min(columns, LARGEST)), max(LEAST_ROWS, min(rows, LARGEST))
        return super()._get_terminal_size()  # a terminal of unknown size

    def _size_changed(self, *_: object) -> None:
        if not self._size_due:
            self._size_due = True
            self._soon(self._tell_size)

    def _tell_size(self, always: bool = True) -> None:
        self._size_due = False
        size = self._get_terminal_size()
        if always or size != self._told_size:
            self._told_size = size
            self.send_message(events.Resize(Size(*size), Size(*size)))

    # --- signals --------------------------------------------------------------------------------------------

    def _soon(self, act: Callable[..., None], *arguments: object) -> None:
        """Calls `act` in the event loop: a signal handler may interrupt anything, such as a write that holds a lock."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: everything is over
            self._loop.call_soon_threadsafe(act, *arguments)

    def _told_to(self, number: int, _frame: object) -> None:
        """Asks the event loop to leave at the first signal; at another one a moment later, ends at once."""
        now = time.monotonic()
        if self._loop.is_closed() or (self._told_to_end and now - self._told_to_end > AGAIN_SECONDS):
            self.restore_now()  # the engine notices the end and writes its checkpoint
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif not self._told_to_end:
            self._told_to_end = now
            again = threading.Timer(STALLED_SECONDS, os.kill, (os.getpid(), number))  # its sender may send none
            again.daemon = True
            again.start()
            self._soon(self._leave, number)

    def _leave(self, number: int) -> None:
        app: Any = self._app  # ours
        app.leave_by_signal(number)

    def _sigtstp_application(self, *_: object) -> None:
        self._soon(self._suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._may_be_stopped = False
        self._soon(self._go_on)

    def _suspend(self) -> None:
        """Restores the terminal and stops the whole job of this process, as the terminal would."""
        if self._may_be_stopped:
            return
        self._give_back()
        self._may_be_stopped = True
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        self._loop.call_later(STOPPING_SECONDS, self._not_stopped)

    def _not_stopped(self) -> None:
        """Continues if the system did not stop the process, for want of a shell that could continue it."""
        if self._may_be_stopped:
            self._may_be_stopped = False
            self._start_again(stopped=False)

    def _go_on(self) -> None:
        """Takes the terminal again, whatever modes the shell has left it in."""
        if self._in_background():
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.killpg(os.getpgrp(), signal.SIGTTOU)
            return
        self._give_back()
        self._start_again(stopped=True)

    def _give_back(self) -> None:
        if self._wanted:
            self.suspend_application_mode()
            self._wanted = True

    def _start_again(self, stopped: bool) -> None:
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        if self._wanted:
            self._must_signal_resume = True
            self.resume_application_mode()
            self.send_message(self.Continued(stopped))

    def _in_background(self) -> bool:
        try:
            return os.tcgetpgrp(self.fileno) != os.getpgrp()
        except OSError:  # not the terminal of this session
            return False
