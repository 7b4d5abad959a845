"""The parent's side of the engine process: start it, send commands, receive events, learn how it ended. No torch."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.common.limits import limit_in, limit_sentence, small_stack
from rnnplay.common.signals import signal_name
from rnnplay.engine import messages
from rnnplay.engine.output import last_lines

LEAVING_SECONDS = 30.0
"""An engine that was told to quit has so long to end what it is at and to write a checkpoint."""

SILENT_SECONDS = 2.0
"""One that does not even say that it is there, or whose parent cannot wait, has so long."""

OWN_FAULTS = ("SIGKILL", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS")
"""Signals that come of what the engine does: of a fault in a library, or of too much memory."""

LONGEST_LINE = 2**25
"""Bytes; a Progress of a few thousand records stays well below."""


@dataclass(frozen=True, slots=True)
class EngineExit:
    """How an engine ended."""

    code: int
    """Its exit code; negative: the signal that killed it."""
    log: Path
    last_lines: tuple[str, ...]
    """The end of its log."""
    asked: bool
    """It was told to quit, and did."""
    ended: bool = False
    """The interface ended it."""

    @property
    def cause(self) -> str:
        """In a few words, for the user."""
        if self.ended:
            return "it did not answer, and was ended"
        if self.code < 0:
            name = signal_name(-self.code)
            if name not in OWN_FAULTS:
                return f"another program ended it with {name}"
            hint = {"SIGKILL": "out of memory?", "SIGSEGV": small_stack(), "SIGBUS": small_stack()}.get(name, "")
            return f"it was killed by {name}{hint and f' ({hint})'}"
        if limit := limit_in("\n".join(self.last_lines)):
            return f"it ended with exit code {self.code}. {limit_sentence(limit)}"
        if self.code == 0:
            return "it ended by itself, without being asked to"
        if self.last_lines:
            return f"it ended with exit code {self.code}: {self.last_lines[-1]}"
        return f"it ended with exit code {self.code}"


class EngineClient:
    """One engine process. Callbacks run on the event loop that called `start`."""

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
        self._asked = self._ended = False
        self._heard = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.log = workspace / ".cache" / "engine.log"
        """Where the engine's own output goes; the run's folder once there is one."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the child. Raises OSError if that is impossible."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
            # Its own session: ctrl+c and ctrl+z in the terminal are for the interface alone.
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read(), name="engine events")

    def send(self, command: messages.Command) -> bool:
        """Queue `command`; returns at once. False if there is no engine to send it to."""
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
        """Ask the engine to checkpoint and exit; after `timeout` seconds it is killed.

        One that was stopped is let go on for that. It has only SILENT_SECONDS if it says nothing, or from when `hurry`
        is set on.
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
        if not await self._any_of({ended, asyncio.create_task(self._heard.wait())}, SILENT_SECONDS):
            self.kill()
        else:
            hurried = asyncio.create_task((hurry or asyncio.Event()).wait())
            await self._any_of({ended, hurried}, timeout - SILENT_SECONDS)
            await asyncio.wait({ended}, timeout=SILENT_SECONDS)
            self.kill()
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=0.5)

    @staticmethod
    async def _any_of(tasks: set[asyncio.Task[Any]], timeout: float) -> bool:
        """Whether one of `tasks` was done in time."""
        done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    def wake(self) -> None:
        """Let an engine that was stopped by a signal go on; one that runs does not notice."""
        if self._process is not None and self._process.returncode is None and hasattr(signal, "SIGCONT"):
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the engine at once; what came after the last checkpoint is lost."""
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
                continue  # half a line of an engine that was killed
            self._heard.set()
            self._on_event(event)
        code = await self._process.wait()
        self._on_exit(EngineExit(code, self.log, last_lines(self.log), self._asked and code == 0, self._ended))

    @staticmethod
    async def _next_line(stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except (ValueError, ConnectionError):  # too long a line, or a broken pipe
            return b""
