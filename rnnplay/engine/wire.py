"""The engine's end of the pipes: a thread reads commands, another writes events.

Training never waits for either. The writer sends the trainer's records at most `PROGRESS_HZ` times a second, and
answers to prompts at once. While the reader is behind (a suspended interface, a slow terminal) it holds a bounded
amount: step records are thinned out, pieces of a sample joined, outdated answers dropped. All steps are in
metrics.jsonl.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

import msgspec

from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.engine import messages
from rnnplay.engine.output import redirect_output
from rnnplay.errors import InputError
from rnnplay.runs.metrics import records

PROGRESS_HZ = 10.0
MAX_RECORDS = 2_000
"""Step records held while the reader is behind; beyond that, every second one is dropped."""
MAX_SAMPLE_TEXT = 1_000_000
"""Characters of one sample held while the reader is behind."""
MAX_EVENTS = 500
MAX_INSPECTED = 12
"""Results of inspections, which may be large, held while the reader is behind."""


def take_over_standard_streams(log: Path) -> tuple[BinaryIO, BinaryIO]:
    """Moves the pipes to private descriptors and fd 1 and 2 to `log`, so that no print can break the stream.

    Returns (commands, events), both binary and unbuffered.
    """
    commands = os.fdopen(os.dup(0), "rb", buffering=0)
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    try:
        redirect_output(log)
    except (OSError, InputError):  # runs can be inspected even in a read-only workspace
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
    return commands, events


class Inbox:
    """Commands in the order of arrival. The end of the pipe arrives as Quit."""

    def __init__(
        self, pipe: BinaryIO, on_bad_line: Callable[[str], None], on_ping: Callable[[], object] = lambda: None
    ) -> None:
        """Calls `on_ping` on the reader's thread for each Ping, which `take` never returns."""
        self._queue: SimpleQueue[messages.Command] = SimpleQueue()
        self._pipe = pipe
        self._on_bad_line = on_bad_line
        self._on_ping = on_ping
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def put(self, command: messages.Command) -> None:
        self._queue.put(command)

    def take(self, timeout: float | None = 0.0) -> messages.Command | None:
        """Returns the next command, or None if none arrives within `timeout` seconds (None: wait forever)."""
        try:
            return self._queue.get(block=timeout != 0.0, timeout=timeout)
        except Empty:
            return None

    def _read(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while chunk := self._pipe.read(65_536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if not line.strip():
                        continue
                    try:
                        command: messages.Command = decode_line(line, messages.Command)
                        if isinstance(command, messages.Ping):
                            self._on_ping()
                        else:
                            self._queue.put(command)
                    except Exception as error:  # whatever a bad line contains, the engine continues
                        self._on_bad_line(f"The engine did not understand a command ({error}).")
        self._queue.put(messages.Quit())


class Outbox:
    """Events to the parent, in order, except that the newest completion replaces one not yet sent."""

    def __init__(self, pipe: BinaryIO, on_closed: Callable[[], None]) -> None:
        self._pipe = pipe
        self._on_closed = on_closed
        self._wake = threading.Condition()
        self._events: list[messages.Event] = []
        self._records: list[records.Record] = []
        self._fraction = 0.0
        self._seconds_left: float | None = None
        self._seconds = 0.0
        self._dropped = 0
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="events", daemon=True)
        self._thread.start()

    def post(self, event: messages.Event) -> None:
        """Sends `event` as soon as the pipe accepts it, after any records posted before it."""
        with self._wake:
            self._flush_records()
            self._replace_or_append(event)
            self._wake.notify()

    def record(self, record: records.Record, fraction: float, seconds_left: float | None, seconds: float = 0.0) -> None:
        """Adds a record to the next Progress; `seconds`: training time so far."""
        with self._wake:
            self._records.append(record)
            self._fraction, self._seconds_left, self._seconds = fraction, seconds_left, seconds
            if len(self._records) > MAX_RECORDS:
                self._records, dropped = thin(self._records)
                self._dropped += dropped
            self._wake.notify()

    def close(self, timeout: float = 2.0) -> None:
        """Sends what is waiting, taking at most `timeout` seconds."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout)

    def _flush_records(self) -> None:
        if self._records:
            last = self._events[-1] if self._events else None
            held = self._records
            if isinstance(last, messages.Progress):  # the reader is behind: keep one Progress, not many
                held = last.records + held
                self._dropped += last.dropped
                self._events.pop()
                if len(held) > MAX_RECORDS:
                    held, dropped = thin(held)
                    self._dropped += dropped
            self._events.append(
                messages.Progress(
                    records=held,
                    fraction=self._fraction,
                    seconds_left=self._seconds_left,
                    dropped=self._dropped,
                    seconds=self._seconds,
                )
            )
            self._records, self._dropped = [], 0

    def _replace_or_append(self, event: messages.Event) -> None:
        last = self._events[-1] if self._events else None
        if isinstance(event, messages.SampleText) and isinstance(last, messages.SampleText):
            joined = last.text + event.text
            if last.request == event.request and not last.done and len(joined) <= MAX_SAMPLE_TEXT:
                self._events[-1] = msgspec.structs.replace(event, text=joined)
                return
        if isinstance(event, messages.Completion | messages.Preparing | messages.Pong):
            self._events = [waiting for waiting in self._events if type(waiting) is not type(event)]
        if isinstance(event, messages.Inspected):
            held = [waiting for waiting in self._events if isinstance(waiting, messages.Inspected)]
            if len(held) >= MAX_INSPECTED:
                self._events.remove(held[0])
        self._events.append(event)
        if len(self._events) > MAX_EVENTS:
            del self._events[0]

    def _write(self) -> None:
        try:
            self._write_on()
        finally:  # the parent is gone, or nothing more can be sent to it
            if not self._closing:
                self._on_closed()

    def _write_on(self) -> None:
        next_progress = 0.0
        while True:
            with self._wake:
                while not self._events and not self._closing:
                    if not self._records:
                        self._wake.wait()
                    elif (wait := next_progress - time.monotonic()) > 0:
                        self._wake.wait(wait)
                    else:
                        break
                if self._records and (self._closing or not self._events):
                    self._flush_records()
                    next_progress = time.monotonic() + 1 / PROGRESS_HZ
                events, self._events = self._events, []
                if not events and self._closing:
                    return
            if not self._send(b"".join(map(encode_line, events))):
                return

    def _send(self, data: bytes) -> bool:
        view = memoryview(data)
        try:
            while view:
                view = view[self._pipe.write(view) :]
        except OSError:
            return False
        return True


def thin(held: list[records.Record]) -> tuple[list[records.Record], int]:
    """Drops every second step record and keeps all other records; returns the rest and the number dropped."""
    kept: list[records.Record] = []
    odd = False
    for record in held:
        if isinstance(record, records.Step):
            odd = not odd
            if not odd:
                continue
        kept.append(record)
    return kept, len(held) - len(kept)
