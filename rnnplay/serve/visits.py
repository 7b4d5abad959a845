"""The visits: each waits for a place, has an interface there, and ends with checkpoints."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual_serve.download_manager import DownloadManager

from rnnplay.common.processors import processors
from rnnplay.errors import RnnplayError
from rnnplay.serve.page import queue_text
from rnnplay.serve.places import Place, Places
from rnnplay.serve.session import Screen, VisitorService
from rnnplay.serve.storage import full_text, taken
from rnnplay.serve.visitors import Visitor
from rnnplay.workspace import Workspace

LOOK_SECONDS = 1.0
STORAGE_SECONDS = 5.0
"""How often a visitor's files are added up."""
WARNED_SECONDS = 60.0
WHILE_OTHERS_WAIT = 1 / 3
"""The fraction of the idle time after which a session ends while others wait for its place."""

log = logging.getLogger("rnnplay.serve")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the playground is served."""

    token: str
    sessions: int = 8
    threads: int = 1
    memory_mb: int = 2_000
    """What each of a visitor's processes may allocate."""
    models: int = 5
    """How many a visitor may have open at once, each in a process of its own."""
    disk_mb: int = 1_000
    """What a visitor may store."""
    idle_seconds: float = 1800.0
    public_url: str = ""
    """Its address behind a proxy, such as https://rnn.example.org; "" for the one it is bound to."""


class Visit:
    """A visitor who is in, or who waits for a place."""

    def __init__(self, visitor: Visitor, screen: Screen) -> None:
        self.visitor, self.screen = visitor, screen
        self.told_to_end = asyncio.Event()
        self.over = asyncio.Event()
        """Set once nothing of it runs any more."""
        self.receives = False
        """Whether a text of the visitor is on its way."""


class Visits:
    """The visits to one workspace."""

    def __init__(
        self, workspace: Workspace, settings: Settings, downloads: DownloadManager, command: Sequence[str]
    ) -> None:
        """`command` starts a visitor's interface."""
        self.places = Places(settings.sessions, settings.threads, processors())
        self.here: dict[str, Visit] = {}
        """Who is here, by the name of the visitor."""
        self.last_words: dict[str, str] = {}
        """Why a visitor's last session ended, by name."""
        self._workspace, self._settings, self._downloads, self._command = workspace, settings, downloads, command
        self._endings: set[asyncio.Task[None]] = set()
        self._closing = False

    def _end(self, visit: Visit, words: str) -> None:
        """Ends a visit; the page then says `words`."""
        self.last_words[visit.visitor.name] = words
        visit.told_to_end.set()

    async def end_all(self) -> None:
        """Ends all visits, each with its checkpoints, and lets nobody in any more."""
        self._closing = True
        for visit in list(self.here.values()):
            self._end(visit, "The server was stopped. Your runs are kept, each with a checkpoint.")
        await asyncio.gather(*(visit.over.wait() for visit in self.here.values()), *self._endings)

    async def receive(self, visit: Visit) -> None:
        """A visit from its first to its last moment."""
        former = self.here.get(visit.visitor.name)
        self.here[visit.visitor.name] = visit
        self.last_words.pop(visit.visitor.name, None)
        place = None
        try:
            if former is not None:
                self._end(former, "The playground was opened in another window of yours.")
                await visit.screen.show("Ending your session in the other window, with a checkpoint …")
                await former.over.wait()
                self.last_words.pop(visit.visitor.name, None)
            place = self.places.ask()
            await self._wait_for(place, visit)
            if place.free.done() and not visit.told_to_end.is_set() and not self._closing:
                await self._run(visit, place.free.result())
        except (RnnplayError, OSError) as error:
            log.error("Visitor %s: %s", visit.visitor.name, error)
            self._end(visit, "The playground could not be started; tell whoever serves it.")
        finally:
            if place is not None:
                self.places.give_back(place)
            if self.here.get(visit.visitor.name) is visit:
                del self.here[visit.visitor.name]

    async def _wait_for(self, place: Place, visit: Visit) -> None:
        """Shows how many are before the visitor until there is a place, or the visitor has gone."""
        shown = 0
        while not place.free.done() and not visit.told_to_end.is_set():
            position = self.places.position(place)
            if position != shown:
                shown = position
                await visit.screen.show(queue_text(position, self.places.count))
            ended = asyncio.create_task(visit.told_to_end.wait())
            ends: set[asyncio.Future[Any]] = {place.free, ended}
            await asyncio.wait(ends, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()

    async def _run(self, visit: Visit, numbers: tuple[int, ...]) -> None:
        """Runs the interface until it ends, the visitor has gone, or nothing was typed for long."""
        visitor, screen = visit.visitor, visit.screen
        await screen.show("Opening your playground …")
        await asyncio.to_thread(visitor.prepare, self._workspace)
        limits = ("--processors", ",".join(map(str, numbers)), "--memory", str(self._settings.memory_mb))
        command = (*self._command, *limits, "--models", str(self._settings.models))
        service = VisitorService(visitor, screen, self._downloads, command)
        try:
            await service.start(screen.columns, screen.rows)
            screen.service = service
            screen.last_key = time.monotonic()  # there was nothing to type at while waiting in line
            await service.set_terminal_size(screen.columns, screen.rows)  # it may have changed meanwhile
            log.info("Visitor %s is in: %s of %s places.", visitor.name, self.places.taken, self.places.count)
            await self._watch(visit, service)
        finally:
            # Whatever ends this coroutine, what it has started ends first.
            ending = asyncio.create_task(service.stop())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
            await asyncio.shield(ending)
            log.info("Visitor %s has left.", visitor.name)

    async def _watch(self, visit: Visit, service: VisitorService) -> None:
        screen = visit.screen
        ended = asyncio.create_task(service.ended())
        told = asyncio.create_task(visit.told_to_end.wait())
        storage = asyncio.create_task(self._watch_storage(visit.visitor, service))
        ends: set[asyncio.Task[Any]] = {ended, told}
        warned, spared_until = False, 0.0
        try:
            while not ended.done() and not told.done():
                now, patience = time.monotonic(), self._settings.idle_seconds
                if self.places.waiting:
                    patience *= WHILE_OTHERS_WAIT
                left = screen.last_key + patience - now
                if left <= 0 and now >= spared_until and (warned or self._settings.idle_seconds <= WARNED_SECONDS):
                    minutes = patience / 60
                    words = (
                        f"Nothing was typed for {minutes:g} minutes. Your run is kept, with a checkpoint: t resumes it."
                    )
                    self._end(visit, words)
                    return
                if left > WARNED_SECONDS:
                    warned = False
                elif not warned and self._settings.idle_seconds > WARNED_SECONDS:
                    warned, spared_until = True, now + WARNED_SECONDS
                    await service.say("This session ends in a minute, with a checkpoint, unless you press a key.")
                waiting = min(max(left, 0.05), LOOK_SECONDS)
                await asyncio.wait(ends, timeout=waiting, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                words = "You have left the playground. Your runs are kept."
                if service.exit_code:
                    words = "The playground has failed. Your runs are kept, as of their last checkpoints."
                    log.error(
                        "The interface of visitor %s ended with exit code %s; its .cache/interface.log may say why.",
                        visit.visitor.name,
                        service.exit_code,
                    )
                self.last_words.setdefault(visit.visitor.name, words)
        finally:
            for task in (ended, told, storage):
                task.cancel()

    async def _watch_storage(self, visitor: Visitor, service: VisitorService) -> None:
        """Lets training stop, with its checkpoint, for as long as the visitor has taken too much of the disk."""
        most, full = self._settings.disk_mb * 1_000_000, False
        while True:
            before, full = full, await asyncio.to_thread(taken, visitor.workspace, most) > most
            if full:
                await service.send_meta({"type": "full", "text": full_text(most), "again": before})
            await asyncio.sleep(STORAGE_SECONDS)
