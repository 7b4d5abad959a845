"""A client that keeps all events of an engine and waits for some; engines of one test, and one shared by many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.engine.client import EngineClient, EngineExit
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics import records
from rnnplay.runs.metrics.records import Step
from rnnplay.workspace import Workspace

SHARED = pytest.mark.asyncio(loop_scope="session")
"""Of tests that use the fixture `driver`: its process is watched by one event loop."""

E = TypeVar("E")
TINY = RunConfig(
    corpus="small",
    hidden=16,
    embedding=8,
    batch_size=4,
    bptt=16,
    eval_every=20,
    checkpoint_seconds=0,
    precision="float32",
    threads=1,
    clip_threshold=0.1,
)


class Driver:
    """A client that keeps all events and lets a test wait for one."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.events: list[messages.Event] = []
        self.prefix = ""
        self.ended: EngineExit | None = None
        self._changed = asyncio.Event()
        self.client = EngineClient(workspace.root, self._event, self._exit)

    def _event(self, event: messages.Event) -> None:
        self.events.append(event)
        self._changed.set()

    def _exit(self, ended: EngineExit) -> None:
        self.ended = ended
        self._changed.set()

    def name(self, run: str) -> str:
        """The name of a run of this test; other tests that share the engine have runs of their own."""
        return self.prefix + run

    def folder(self, run: str) -> RunFolder:
        return RunFolder(self.workspace.checkpoints / self.name(run))

    async def settle(self) -> None:
        """Ends what a test has left running, so that the next begins without it."""
        self.events.clear()
        self.client.send(messages.Cancel())
        self.client.send(messages.WhatIf())
        self.client.send(messages.Allow())
        self.client.send(messages.Stop())
        self.client.send(messages.Open(run="settled"))
        await self.until(lambda: [e for e in self.events if isinstance(e, messages.Failed) and "settled" in e.message])
        self.events.clear()

    @property
    def records(self) -> list[records.Record]:
        return [record for event in self.events if isinstance(event, messages.Progress) for record in event.records]

    def steps(self) -> list[Step]:
        return [record for record in self.records if isinstance(record, Step)]

    async def until(self, condition: Callable[[], E | None], timeout: float = 60) -> E:
        async with asyncio.timeout(timeout):
            while not (found := condition()):
                self._changed.clear()
                await self._changed.wait()
        return found

    async def event(self, kind: type[E]) -> E:
        return await self.until(lambda: next((event for event in self.events if isinstance(event, kind)), None))

    async def record(self, kind: type[E]) -> E:
        return await self.until(lambda: next((record for record in self.records if isinstance(record, kind)), None))

    async def exit(self) -> EngineExit:
        return await self.until(lambda: self.ended)


@asynccontextmanager
async def engine(workspace: Workspace) -> AsyncIterator[Driver]:
    driver = Driver(workspace)
    await driver.client.start()
    try:
        await driver.event(messages.Ready)
        yield driver
    finally:
        driver.client.kill()
        await driver.exit()
