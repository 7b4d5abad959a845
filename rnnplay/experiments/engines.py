"""Runs a race: an engine process for each entry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from rnnplay.engine import messages
from rnnplay.engine.client import EngineClient, EngineExit, start_trouble
from rnnplay.experiments.race import Entry, Race
from rnnplay.workspace import Workspace


class RaceEngines:
    """The engines of a race, from their start to their end."""

    def __init__(self, race: Race, workspace: Workspace, on_event: Callable[[Entry, messages.Event], None]) -> None:
        """Calls `on_event` for each event after the race has taken it."""
        self.race = race
        self._workspace = workspace
        self._on_event = on_event
        self._clients: dict[Entry, EngineClient] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Starts the engines and returns when nothing trains any more, the engines of all entries having ended.

        If it is cancelled, engines are asked to write a checkpoint and exit.
        """
        try:
            for entry in self.race.entries:
                if not entry.over:
                    await self._start(entry)
            while not self.race.over:
                self._changed.clear()
                await self._changed.wait()
        finally:
            await asyncio.shield(self.quit())

    @property
    def pids(self) -> list[int]:
        """The process ids of the engines."""
        return [client.pid for client in self._clients.values() if client.pid is not None]

    def send(self, entry: Entry, command: messages.Command) -> None:
        """Sends a command to the engine of `entry`."""
        self._clients[entry].send(command)

    async def quit(self) -> None:
        """Lets all engines write a checkpoint and exit."""
        await asyncio.gather(*(client.quit() for client in self._clients.values()))

    def kill(self) -> None:
        """Ends all engines at once; what came after their last checkpoints is lost."""
        for client in self._clients.values():
            client.kill()

    async def _start(self, entry: Entry) -> None:
        client = EngineClient(self._workspace.root, partial(self._heard, entry), partial(self._gone, entry))
        try:
            await client.start()
        except OSError as error:
            self.race.failed(entry, start_trouble(error))
            self._changed.set()
            return
        self._clients[entry] = client

    def _heard(self, entry: Entry, event: messages.Event) -> None:
        self.race.heard(entry, event)
        self._on_event(entry, event)
        self._tell()

    def _gone(self, entry: Entry, ended: EngineExit) -> None:
        if not ended.asked:
            self.race.failed(entry, f"Its engine has ended: {ended.cause}.")
        self._tell()

    def _tell(self) -> None:
        told: Iterable[tuple[Entry, messages.Command]] = self.race.commands()
        for entry, command in told:
            client = self._clients[entry]
            client.send(command)
            if isinstance(command, messages.Train):
                client.log = self._workspace.checkpoints / entry.run / "engine.log"
        self._changed.set()
