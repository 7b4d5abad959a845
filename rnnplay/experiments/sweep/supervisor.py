"""Runs workers of a study as child processes until it is done, and starts another where one was killed."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

import msgspec

from rnnplay.common.jsonl import decode_line
from rnnplay.common.limits import limit_met, limit_sentence
from rnnplay.common.signals import signal_name
from rnnplay.common.terminal_text import sanitize_message
from rnnplay.errors import RnnplayError
from rnnplay.experiments.sweep.study import Study
from rnnplay.experiments.sweep.table import Table
from rnnplay.experiments.sweep.worker import Progress

TICK_SECONDS = 0.2
LOOK_SECONDS = 1.0
"""Seconds between two looks at the study, which others may work on, too."""
MOST_KILLED = 25
"""Workers that may be killed, one after the other, before any trial comes to its end."""


class Supervisor:
    """Starts up to `jobs` workers with `command`, and follows them and the study.

    `show` is called a few times a second with the study as it stands and the progress of the trials in training here,
    `say` with sentences for the user.
    """

    def __init__(
        self,
        study: Study,
        command: Sequence[str],
        environment: Mapping[str, str],
        jobs: int,
        show: Callable[[Table, Mapping[int, Progress]], None],
        say: Callable[[str], None],
    ) -> None:
        self._study, self._command, self._environment = study, command, environment
        self._jobs = jobs
        self._show, self._say = show, say
        self._children: list[_Child] = []
        self._events: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        self._progress: dict[int, Progress] = {}
        self._killed = 0
        self._asked = False
        self._failure = ""

    @property
    def _stopped(self) -> bool:
        return self._asked or bool(self._failure)

    def run(self, stopping: Callable[[], bool]) -> Table:
        """Works until the study is done, by these workers or others, or until it is to stop; returns the table.

        Raises RnnplayError if the workers cannot go on.
        """
        table = self._study.table()
        looked = time.monotonic()
        try:
            while True:
                ended = self._take_events() | self._reap()
                if stopping() and not self._asked:
                    self._asked = True
                    for child in self._children:
                        child.stop()
                if ended or time.monotonic() - looked >= LOOK_SECONDS:
                    table, looked = self._study.table(), time.monotonic()
                if not self._stopped and len(self._children) < self._jobs and self._study.has_next():
                    self._children.append(_Child(self._command, self._environment, self._events))
                self._show(table, self._progress)
                if not self._children and (self._stopped or table.over):
                    break
                time.sleep(TICK_SECONDS)
        finally:
            for child in self._children:
                child.stop()
            for child in self._children:
                child.wait()
        table = self._study.table()
        self._show(table, {})
        if self._failure and not table.over:
            raise RnnplayError(self._failure)
        return table

    def _take_events(self) -> bool:
        ended = False
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                self._progress[event.number] = event
                if event.ended:
                    ended = True
                    self._killed = 0
                    del self._progress[event.number]
        return ended

    def _reap(self) -> bool:
        gone = [child for child in self._children if child.code() is not None]
        for child in gone:
            self._children.remove(child)
            code = child.code() or 0
            self._progress.pop(child.number, None)
            if code < 0 and not self._asked:
                self._killed += 1
                self._say(f"A worker was ended by {signal_name(-code)}; its trial is taken up again.")
                if self._killed > MOST_KILLED:
                    self._failure = (
                        "Workers are killed one after the other, perhaps for want of memory; give fewer --jobs."
                    )
            elif code > 0:
                self._failure = child.last_words() or f"A worker ended with exit code {code}."
        return bool(gone)


class _Child:
    """A worker's process."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], events: queue.SimpleQueue[Progress]
    ) -> None:
        self.number = -1
        """Its trial's."""
        self._events = events
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **environment},
                process_group=0 if sys.platform != "win32" else None,  # ctrl-C reaches it through the supervisor alone
            )
        except OSError as error:
            self._errors.close()
            what = limit_sentence(limit_met(error)) or f"{error}; check the installation."
            raise RnnplayError(f"A worker could not be started. {what}") from error
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def code(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        """Asks it to stop after the step under way, with a checkpoint."""
        if self.code() is None:
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        self._process.wait()
        self._thread.join()
        self._errors.close()

    def last_words(self) -> str:
        """Returns the last line that it wrote on stderr, without the word Error."""
        self._thread.join()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return sanitize_message(lines[-1]).removeprefix("Error: ")[:500] if lines else ""

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(msgspec.DecodeError, ValueError):
                    event: Progress = decode_line(line, Progress)
                    self.number = event.number
                    self._events.put(event)
