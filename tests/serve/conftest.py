"""A server in this process, whose visitors' interfaces are small programs; and visitors to it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, CookieJar, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from rnnplay.serve.server import Server
from rnnplay.serve.visits import Settings
from rnnplay.workspace import Workspace

TOKEN = "a-token-for-tests"
PROGRAM = Path(__file__).parents[1] / "support" / "visiting_program.py"


class Guest:
    """A browser that was given the link."""

    def __init__(self, server: Server, client: TestClient[Any, Any]) -> None:
        self._server, self.client = server, client
        self.socket: ClientWebSocketResponse | None = None
        self.seen = ""
        """All that was drawn."""
        self.said: list[Any] = []
        """Messages to the page."""
        self.closed = False
        self._reading: asyncio.Task[None] | None = None

    @property
    def origin(self) -> str:
        return f"http://{self.client.host}:{self.client.port}"

    async def open_page(self) -> str:
        async with self.client.get("/", params={"token": TOKEN}) as answer:
            assert answer.status == 200
            return await answer.text()

    async def enter(self, width: int = 100, height: int = 30) -> None:
        """Opens the page and its websocket."""
        await self.open_page()
        await self.connect(width, height)

    async def connect(self, width: int = 100, height: int = 30) -> None:
        where = f"/ws?width={width}&height={height}"
        self.seen, self.closed = "", False
        self.socket = await self.client.ws_connect(where, headers={"Origin": self.origin})
        self._reading = asyncio.create_task(self._read(self.socket))

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                self.seen += message.data.decode()
            elif message.type is WSMsgType.TEXT:
                self.said.append(json.loads(message.data))
        self.closed = True

    async def type(self, text: str) -> None:
        assert self.socket is not None
        await self.socket.send_json(["stdin", text])

    async def sees(self, text: str) -> None:
        """Waits until `text` was drawn."""
        await until(lambda: text in self.seen, lambda: f"{text!r} was not drawn, but {self.seen!r}")

    async def leaves(self) -> None:
        assert self.socket is not None
        await self.socket.close()

    async def vanishes(self) -> None:
        """Breaks the connection without a word."""
        assert self.socket is not None
        connection = self.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def is_told(self) -> str:
        """Waits for the end, and returns what the page then says."""
        await until(lambda: self.closed, lambda: f"the websocket is open still: {self.seen!r}")
        async with self.client.get("/ended") as answer:
            return await answer.text()

    def folder(self) -> Path:
        """The visitor's workspace."""
        return next(visit.visitor.workspace.root for visit in self._server.visits.here.values())


async def until(condition: Any, otherwise: Any, seconds: float = 30.0) -> None:
    """Waits for a condition."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, otherwise()
        await asyncio.sleep(0.01)


class Class:
    """A server, and everybody who visits it."""

    def __init__(
        self, workspace: Workspace, command: Sequence[str] = (sys.executable, str(PROGRAM)), **settings: Any
    ) -> None:
        self.server = Server(workspace, Settings(token=TOKEN, **settings), command)
        self.test_server = TestServer(self.server.app(1))
        self._clients: list[TestClient[Any, Any]] = []

    def guest(self) -> Guest:
        """A browser without cookies."""
        client = TestClient(self.test_server, cookie_jar=CookieJar(unsafe=True))
        self._clients.append(client)
        return Guest(self.server, client)

    async def close(self) -> None:
        for client in self._clients:
            await client.session.close()
        await self.test_server.close()


@pytest.fixture
async def classes(workspace: Workspace) -> AsyncIterator[Any]:
    """Starts servers, with these settings, that are shut down after the test."""
    open_ones: list[Class] = []

    async def start(**settings: Any) -> Class:
        open_ones.append(Class(workspace, **settings))
        await open_ones[-1].test_server.start_server()
        return open_ones[-1]

    yield start
    for one in open_ones:
        await one.close()
