"""The parent's side of the engine process: starts it, sends commands, receives events, reports its exit. No torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rnnplay.common.commands import shell_command
from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.common.limits import limit_in, limit_met, limit_sentence, small_stack
from rnnplay.common.signals import signal_name
from rnnplay.engine import messages
from rnnplay.engine.output import last_lines

LEAVING_SECONDS = 30.0
"""How long an engine asked to quit may take to finish its work and write a checkpoint."""

SILENT_SECONDS = 2.0
"""The same for an engine that does not respond, or whose parent cannot wait."""

FAULT_SIGNALS = ("SIGKILL", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS")
"""Signals caused by the engine's own work: a fault in a library, or too much memory."""

MOST_VARIABLE = "RNNPLAY_MOST_ENGINES"
"""The environment variable with the number of engines that a process may have at once; without it any number."""

MAX_LINE_BYTES = 2**25
"""Limit in bytes; a Progress with a few thousand records stays well below it."""


@dataclass(frozen=True, slots=True)
class EngineExit:
    """How an engine process ended."""

    code: int
    """The exit code; negative if a signal killed it."""
    log: Path
    last_lines: tuple[str, ...]
    """The end of its log."""
    asked: bool
    """Whether the engine was asked to quit and did so with exit code 0, or had not even begun."""
    ended: bool = False
    """Whether the interface killed it."""

    @property
    def cause(self) -> str:
        """The cause in a few words, for the user."""
        if self.ended:
            return "it did not respond and was killed"
        if self.code < 0:
            name = signal_name(-self.code)
            if name not in FAULT_SIGNALS:
                return f"another program ended it with {name}"
            hint = {"SIGKILL": "out of memory?", "SIGSEGV": small_stack(), "SIGBUS": small_stack()}.get(name, "")
            return f"it was killed by {name}{hint and f' ({hint})'}"
        if limit := limit_in("\n".join(self.last_lines)):
            return f"it ended with exit code {self.code}. {limit_sentence(limit)}"
        if self.code == 0:
            return "it ended on its own, without being asked to"
        if self.last_lines:
            return f"it ended with exit code {self.code}: {self.last_lines[-1]}"
        return f"it ended with exit code {self.code}"


class TooManyEnginesError(OSError):
    """This process has as many engines as it may have."""


def engines_left() -> int:
    """How many engines this process may still start."""
    most = os.environ.get(MOST_VARIABLE, "")
    return max(0, int(most) - len(_running)) if most.isdecimal() else sys.maxsize


class EngineClient:
    """One engine process. The callbacks run on the event loop that called `start`."""

    def __init__(
        self,
        workspace: Path,
        on_event: Callable[[messages.Event], None],
        on_exit: Callable[[EngineExit], None],
        command: Sequence[str] | None = None,
    ) -> None:
        self._command = list(command or (sys.executable, "-m", "rnnplay.engine", "--workspace", str(workspace)))
        self._on_event = on_event
        self._on_exit = on_exit
        self._asked = self._ended = self._spoken = False
        self._heard = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.log = workspace / ".cache" / "engine.log"
        """The engine's log file; the one in the run's folder once there is one."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts the process. Raises OSError if that is impossible, TooManyEnginesError if it is not allowed."""
        if not engines_left():
            raise TooManyEnginesError
        _running.add(self)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=MAX_LINE_BYTES,
                # A session of its own, so that ctrl+c and ctrl+z in the terminal reach only the interface.
                start_new_session=True,
            )
        except BaseException:
            _running.discard(self)
            raise
        self._reader = asyncio.create_task(self._read(), name="engine events")

    def send(self, command: messages.Command) -> bool:
        """Sends `command` without waiting; returns False if there is no engine to send it to."""
        if not self.alive or self._asked:
            return False
        assert self._process is not None
        assert self._process.stdin is not None
        if isinstance(command, messages.Quit):
            self._asked = True
        try:
            self._process.stdin.write(encode_line(command))
        except (OSError, RuntimeError):
            return False
        return True

    async def quit(self, timeout: float = LEAVING_SECONDS, hurry: asyncio.Event | None = None) -> None:
        """Asks the engine to write a checkpoint and exit, and kills it after `timeout` seconds.

        An engine suspended by a signal is woken first. It gets only SILENT_SECONDS if it does not respond, or once
        `hurry` is set.
        """
        if self._process is None:
            return
        self._heard.clear()
        self.wake()
        self.send(messages.Ping())
        self.send(messages.Quit())
        self._asked = True
        with contextlib.suppress(OSError, RuntimeError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        ended = asyncio.create_task(self._process.wait())
        if not await self._ended_or(ended, self._heard, SILENT_SECONDS):
            self.kill()
        else:
            await self._ended_or(ended, hurry or asyncio.Event(), timeout - SILENT_SECONDS)
            await asyncio.wait({ended}, timeout=SILENT_SECONDS)
            self.kill()
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=0.5)

    @staticmethod
    async def _ended_or(ended: asyncio.Task[int], event: asyncio.Event, timeout: float) -> bool:
        """Returns whether the process ended or `event` was set within `timeout` seconds."""
        waiting = asyncio.create_task(event.wait())
        done, _ = await asyncio.wait({ended, waiting}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return bool(done)

    def wake(self) -> None:
        """Wakes an engine suspended by a signal; a running one does not notice."""
        if self._process is not None and self._process.returncode is None and hasattr(signal, "SIGCONT"):
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kills the engine at once; everything after the last checkpoint is lost."""
        if self._process is not None and self._process.returncode is None:
            self._ended = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        stream = self._process.stdout
        while line := await self._next_line(stream):
            try:
                event = decode_line(line, messages.Event)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # half a line from an engine that was killed
            self._spoken = True
            self._heard.set()
            self._on_event(event)
        code = await self._process.wait()
        _running.discard(self)
        asked = self._asked and (code == 0 or not self._spoken)
        self._on_exit(EngineExit(code, self.log, last_lines(self.log), asked, self._ended))

    @staticmethod
    async def _next_line(stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except (ValueError, ConnectionError):  # the line is too long, or the pipe broke
            return b""


_running: set[EngineClient] = set()
"""The clients whose process is running or being started."""


def start_trouble(error: OSError) -> str:
    """Explains why no engine process could be started, and what to do."""
    if isinstance(error, TooManyEnginesError):
        return (
            f"Here {os.environ[MOST_VARIABLE]} models may be open at once; stop a run, or drop a variant of the race."
        )
    what = limit_sentence(limit_met(error)) or f"{error}; see `{shell_command('doctor')}`."
    return f"The engine could not be started. {what}"
