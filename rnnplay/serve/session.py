"""One visit: the process that draws, and the websocket that it draws to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any

import msgspec
import psutil
from aiohttp import WSMsgType
from aiohttp.web import WebSocketResponse
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from rnnplay.engine.client import LEAVING_SECONDS
from rnnplay.serve.visitors import Visitor

ENDING_SECONDS = LEAVING_SECONDS + 5
"""How long an interface whose visitor is gone may take: its engines write their checkpoints meanwhile."""
VISIT = (sys.executable, "-m", "rnnplay.serve.visit")

log = logging.getLogger("rnnplay.serve")


class Screen:
    """The browser's end: shows words until there is an interface, and hands on what is typed."""

    def __init__(self, socket: WebSocketResponse, columns: int, rows: int) -> None:
        self.socket = socket
        self.columns, self.rows = columns, rows
        self.last_key = time.monotonic()
        """When something was last typed or clicked."""
        self.service: VisitorService | None = None

    async def show(self, text: str) -> None:
        """Shows lines of text in place of what is on the screen."""
        lines = text.replace("\n", "\r\n  ")
        with contextlib.suppress(ConnectionError):
            await self.socket.send_bytes(f"\x1b[2J\x1b[H\x1b[?25l\r\n  {lines}\r\n".encode())

    async def read(self) -> None:
        """Hands on what the browser sends until it is gone; what is no message of textual-serve's page is ignored."""
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                try:
                    kind, *rest = msgspec.json.decode(message.data, type=list)
                except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
                    continue
                await self._take(kind, rest[0] if rest else None)

    async def _take(self, kind: object, given: object) -> None:
        service = self.service
        match kind, given:
            case "ping", str() | int() | float():
                with contextlib.suppress(ConnectionError):
                    await self.socket.send_json(["pong", given])
            case "resize", {"width": int(columns), "height": int(rows)}:
                self.columns, self.rows = columns, rows
                if service is not None:
                    await service.set_terminal_size(columns, rows)
            case "stdin", str(typed):
                self.last_key = time.monotonic()
                if service is not None:
                    await service.send_bytes(typed.encode("utf-8", "replace"))
            case "focus" | "blur", _ if service is not None:
                await service.send_meta({"type": str(kind)})


class VisitorService(AppService):
    """textual-serve's link between a process and a websocket, for a process that is confined to a workspace."""

    def __init__(
        self,
        visitor: Visitor,
        screen: Screen,
        downloads: DownloadManager,
        command: Sequence[str],
    ) -> None:
        """`command` starts the process."""
        socket = screen.socket
        super().__init__(
            "",
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=self._closed_by_the_app,
            download_manager=downloads,
        )
        self._visitor, self._command = visitor, command
        self._deaf = asyncio.Event()
        """Set once the browser is gone. What the process still draws is read, or it could not go on, and dropped."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self._visitor.workspace.root,
            env=self._visitor.environment(width, height),
            start_new_session=True,  # ctrl-C in the server's terminal is for the server, which ends this in order
        )
        self._stdin = process.stdin
        return process

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    async def ended(self) -> None:
        """Returns once the process has ended, by itself or not."""
        if self._process is not None:
            await self._process.wait()

    async def say(self, text: str) -> None:
        """Shows a notice in the interface."""
        await self.send_meta({"type": "say", "text": text})

    async def send_bytes(self, data: bytes) -> bool:
        return not self._deaf.is_set() and await super().send_bytes(data)

    async def on_data(self, payload: bytes) -> None:
        await self._send(payload)

    async def on_meta(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await super().on_meta(data)

    async def _send(self, payload: bytes) -> None:
        """Sends what was drawn; waits for a browser that does not read, but no longer than the visit goes on."""
        if self._deaf.is_set():
            return
        sending = asyncio.ensure_future(self.remote_write_bytes(payload))
        deaf = asyncio.create_task(self._deaf.wait())
        ends: set[asyncio.Future[Any]] = {sending, deaf}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        deaf.cancel()
        if not sending.done():
            sending.cancel()
        elif sending.exception() is not None:  # the connection is gone
            self._deaf.set()

    async def _closed_by_the_app(self) -> None:
        """The process says that it ends; the websocket is closed once it has."""

    async def stop(self) -> None:
        """Ends the process as a closed terminal would, and returns when nothing of it runs any more."""
        self._deaf.set()
        process = self._process
        if process is None:
            return
        await self._download_manager.cancel_app_downloads(self.app_service_id)
        below = _processes_below(process.pid)
        self.stdin.close()
        if not await _ends(process, ENDING_SECONDS):
            log.warning("The interface of visitor %s did not end in time and is killed.", self._visitor.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await _end_all(below)
        if self._task is not None:
            with contextlib.suppress(Exception):
                await self._task
            self._task = None


async def _ends(process: Process, seconds: float) -> bool:
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _processes_below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


async def _end_all(processes: list[psutil.Process]) -> None:
    """Waits for engines that are still at their checkpoints, and kills what stays."""
    deadline = time.monotonic() + ENDING_SECONDS
    while any(map(_runs, processes)) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    for process in filter(_runs, processes):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
