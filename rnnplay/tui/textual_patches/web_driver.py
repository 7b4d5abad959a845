"""The driver of an interface in a browser: packets on stdin and stdout, as textual-serve speaks them.

Textual's own leaves without closing the app's engines when it is told to quit, does not notice that its server is gone,
and ends with the first packet that it cannot read.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual.drivers._byte_stream import ByteStream
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size
from textual.message import Message

from rnnplay.common.signals import ending_signals
from rnnplay.tui.textual_patches.input import TerminalInput

assert sys.platform != "win32"  # nothing below is for Windows; type checkers skip it there
from rnnplay.tui.textual_patches.driver import (  # noqa: E402
    LARGEST,
    LEAST_COLUMNS,
    LEAST_ROWS,
    READ_BYTES,
    BoundedDriver,
)

if TYPE_CHECKING:
    from textual.app import App


class BrowserDriver(BoundedDriver, WebDriver):
    """Draws to a browser; the end of its input, or a signal, ends the interface as a closed terminal would."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._size = _sensible(*(self._size or (80, 24)))
        self._write = self._write_all  # type: ignore[assignment]
        self._gone = False

    def start_application_mode(self) -> None:
        super().start_application_mode()
        # Textual's begins without the focus. A page just opened has it, and may have said so before this began.
        self._app.call_later(self._app.post_message, events.AppFocus())
        for number in ending_signals():
            with contextlib.suppress(ValueError, RuntimeError, OSError):  # SIGKILL and its like
                self._loop.add_signal_handler(number, self._leave, number)

    # --- output ---------------------------------------------------------------------------------------------

    def _write_all(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest and not self._gone:
            try:
                rest = rest[os.write(self.fileno, rest) :]
            except BlockingIOError:
                select.select([], [self.fileno], [], 1.0)
            except OSError:
                self._gone = True
        return len(data)

    # --- input ----------------------------------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """Reads packets until told to end, or until the server is gone or sends what is no packet."""
        assert sys.__stdin__ is not None
        descriptor = sys.__stdin__.fileno()
        keys, stream = TerminalInput(), ByteStream()
        while not self.exit_event.is_set():
            self.let_it_catch_up(self.exit_event)
            if select.select([descriptor], [], [], 0.1)[0]:
                data = os.read(descriptor, READ_BYTES)
                if not data:
                    self._loop.call_soon_threadsafe(self._leave, signal.SIGHUP)
                    return
                for kind, payload in stream.feed(data):
                    if kind == "D":
                        for message in keys.feed(payload):
                            self.let_it_catch_up(self.exit_event)
                            self.process_message(message)
                    elif kind == "M":
                        with contextlib.suppress(
                            ValueError, TypeError, KeyError, RecursionError
                        ):  # it is no message of ours
                            given = json.loads(payload)
                            if isinstance(given, dict):
                                self.on_meta(str(given.get("type")), given)
            for message in keys.tick():
                self.process_message(message)

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Takes what the server says; unlike Textual's, a size may be anything, and quitting closes the engines."""
        match packet_type:
            case "quit" | "exit":
                self._loop.call_soon_threadsafe(self._leave, signal.SIGHUP)
            case "resize":
                self._size = size = _sensible(payload["width"], payload["height"])
                self.send_message(events.Resize(Size(*size), Size(*size)))
            case "say":
                self._loop.call_soon_threadsafe(self._say, str(payload["text"]))
            case "full":
                self._loop.call_soon_threadsafe(self._stop, str(payload["text"]), bool(payload["again"]))
            case _:
                super().on_meta(packet_type, payload)

    def process_message(self, message: Message) -> None:
        if not isinstance(message, events.Resize):  # the size comes from the server, not from what looks like keys
            super().process_message(message)

    def _leave(self, number: int) -> None:
        app: Any = self._app  # ours
        app.leave_by_signal(number)

    def _stop(self, text: str, again: bool) -> None:
        """Ends all runs under way with a checkpoint; says why, unless it was said and there is none."""
        app: Any = self._app  # ours
        running = app.controllers.running
        for controller in running:
            controller.stop()
        if running or not again:
            self._say(text)

    def _say(self, text: str) -> None:
        self._app.notify(text, severity="warning", timeout=30, markup=False)


def download(app: App[Any], files: Sequence[Path], cache: Path) -> None:
    """Offers files of the workspace to the browser, several as one archive that is put into `cache`."""
    app.run_worker(partial(_hand_over, app, files, cache), thread=True, exit_on_error=False)


def _hand_over(app: App[Any], files: Sequence[Path], cache: Path) -> None:
    path = files[0]
    if len(files) > 1:
        from zipfile import ZipFile

        folder = Path(os.path.commonpath([file.parent for file in files]))
        path = cache / f"{files[0].stem if folder == Path.cwd() else folder.name}.zip"
        with ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
    # Its kind is named: looking it up would read files of the system.
    app.call_from_thread(partial(app.deliver_binary, path, mime_type="application/octet-stream"))


def _sensible(width: object, height: object) -> tuple[int, int]:
    """A size that can be laid out, of whatever a browser says."""
    columns, rows = (value if isinstance(value, int) else least for value, least in ((width, 80), (height, 24)))
    return max(LEAST_COLUMNS, min(columns, LARGEST)), max(LEAST_ROWS, min(rows, LARGEST))
