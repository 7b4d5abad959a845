"""The HTTP side: who may in, the page, the websocket that the interface draws to, and downloads."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from aiohttp import web
from textual_serve.download_manager import DownloadManager

from rnnplay.common.processors import processors
from rnnplay.errors import InputError, RnnplayError
from rnnplay.serve.page import HEADERS, STATIC, page, policy, queue_text, static_file
from rnnplay.serve.places import Place, Places
from rnnplay.serve.session import VISIT, Screen, VisitorService
from rnnplay.serve.storage import full_text, taken
from rnnplay.serve.texts import check_size, receive
from rnnplay.serve.visitors import Visitor, Visitors
from rnnplay.workspace import Workspace

HEARTBEAT_SECONDS = 15.0
"""A browser that does not answer for that long is gone."""
LOOK_SECONDS = 1.0
STORAGE_SECONDS = 5.0
"""How often a visitor's files are added up."""
WARNED_SECONDS = 60.0
WHILE_OTHERS_WAIT = 1 / 3
"""The fraction of the idle time after which a session ends while others wait for its place."""
LARGEST_MESSAGE = 1 << 22
"""Bytes of one message of a browser: a paste."""
FOREVER = 365 * 24 * 3600

log = logging.getLogger("rnnplay.serve")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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

    def end(self, words: str, last_words: dict[str, str]) -> None:
        """Ends the visit; the page then says `words`."""
        last_words[self.visitor.name] = words
        self.told_to_end.set()


class Server:
    """The playground of one workspace, served to many."""

    def __init__(self, workspace: Workspace, settings: Settings, command: Sequence[str] = VISIT) -> None:
        """`command` starts a visitor's interface."""
        self.settings = settings
        self._command = command
        self._workspace = workspace
        self._visitors = Visitors(workspace)
        self._downloads = DownloadManager()
        self.places = Places(settings.sessions, settings.threads, processors())
        self.visits: dict[str, Visit] = {}
        """Who is here, by the name of the visitor."""
        self._last_words: dict[str, str] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._closing = False
        self._suffix = secrets.token_hex(4)

    def app(self, port: int) -> web.Application:
        """The application. `port` tells its cookies from those of another one on the same host."""
        self._suffix = str(port)
        app = web.Application(middlewares=[self._guarded])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._websocket),
                web.get("/ended", self._ended),
                web.get("/download/{key}", self._download),
                web.get("/static/{name}", self._static),
                web.post("/texts", self._receive_text),
            ]
        )
        app.on_shutdown.append(self._shut_down)
        return app

    # --- who may in -----------------------------------------------------------------------------------------

    @property
    def _access_cookie(self) -> str:
        return f"rnnplay-access-{self._suffix}"

    @property
    def _visitor_cookie(self) -> str:
        return f"rnnplay-visitor-{self._suffix}"

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses, whatever the route, who has neither the link nor the cookie that it leaves."""
        try:
            if "token" in request.query:
                response: web.StreamResponse = self._let_in(request)
            elif not self._is_token(request.cookies.get(self._access_cookie, "")):
                raise web.HTTPForbidden(text="Open the link that you were given.\n")
            else:
                response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.settings.token.encode())

    def _let_in(self, request: web.Request) -> web.Response:
        """Answers the link: the token, and perhaps a visitor's secret, go into cookies and out of the address."""
        if request.path != "/" or not self._is_token(request.query["token"]):
            raise web.HTTPForbidden(text="This is not the link that was given out.\n")
        response = web.Response(status=303, headers={"Location": "/"})
        self._set_cookie(response, self._access_cookie, self.settings.token, None)
        if (visitor := self._visitors.find(request.query.get("visitor", ""))) is not None:
            self._set_cookie(response, self._visitor_cookie, visitor.secret, FOREVER)
        return response

    def _set_cookie(self, response: web.Response, name: str, value: str, seconds: int | None) -> None:
        secure = self.settings.public_url.startswith("https:")
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=secure)

    def _visitor(self, request: web.Request) -> Visitor:
        visitor = self._visitors.find(request.cookies.get(self._visitor_cookie, ""))
        if visitor is None:
            raise web.HTTPForbidden(text="Open the page first.\n")
        return visitor

    def _check_origin(self, request: web.Request) -> None:
        """Refuses what another site's page opens or sends: browsers send cookies with it."""
        origin = urllib.parse.urlsplit(request.headers.get("Origin", "")).netloc
        own = {request.host, urllib.parse.urlsplit(self.settings.public_url).netloc} - {""}
        if origin not in own:
            raise web.HTTPForbidden(text="The page belongs to another site.\n")

    # --- pages ----------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        visitor = self._visitors.find(request.cookies.get(self._visitor_cookie, "")) or self._visitors.new()
        base = self.settings.public_url or f"{request.scheme}://{request.host}"
        given = urllib.parse.urlencode({"token": self.settings.token, "visitor": visitor.secret})
        nonce = secrets.token_urlsafe(16)
        text = page(nonce, f"{base}/?{given}")
        response = web.Response(text=text, content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = policy(nonce, request.host)
        self._set_cookie(response, self._visitor_cookie, visitor.secret, FOREVER)
        return response

    async def _static(self, request: web.Request) -> web.Response:
        named = STATIC.get(request.match_info["name"])
        if named is None:
            raise web.HTTPNotFound
        path, kind = named
        headers = {"Cache-Control": "private, max-age=86400"}
        return web.Response(body=static_file(path), content_type=kind, headers=headers)

    async def _ended(self, request: web.Request) -> web.Response:
        """Says why the visitor's last session ended."""
        visitor = self._visitor(request)
        return web.Response(text=self._last_words.get(visitor.name, "The connection has ended. Your runs are kept."))

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Sends what the visitor's own interface has offered."""
        visitor = self._visitor(request)
        visit = self.visits.get(visitor.name)
        key = request.match_info["key"]
        with contextlib.suppress(KeyError):
            offered = await self._downloads.get_download_metadata(key)
            if visit is not None and offered.app_service is visit.screen.service:
                name = urllib.parse.quote(PurePath(offered.file_name).name, safe="")
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                    **HEADERS,
                }
                response = web.StreamResponse(headers=headers)
                await response.prepare(request)
                async for chunk in self._downloads.download(key):
                    await response.write(chunk)
                await response.write_eof()
                return response
        raise web.HTTPNotFound

    async def _receive_text(self, request: web.Request) -> web.Response:
        """Puts a file that the visitor chose among their texts."""
        visitor = self._visitor(request)
        self._check_origin(request)
        visit = self.visits.get(visitor.name)
        if visit is None or visit.screen.service is None:
            raise web.HTTPConflict(text="The playground is not open; open it first.")
        if visit.receives:
            raise web.HTTPConflict(text="Another text is on its way; wait until it is there.")
        visit.receives = True
        try:
            most = self.settings.disk_mb * 1_000_000
            room = most - await asyncio.to_thread(taken, visitor.workspace, most)
            check_size(request.content_length or 0, room)
            sent = request.content.iter_any()
            path = await receive(sent, request.query.get("name", ""), visitor.workspace, room)
        except InputError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        finally:
            visit.receives = False
        visit.screen.last_key = time.monotonic()
        return web.Response(text=f"{path.name} is among your texts: choose {path.stem} as the corpus.")

    # --- visits ---------------------------------------------------------------------------------------------

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        visitor = self._visitor(request)
        self._check_origin(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=LARGEST_MESSAGE, compress=False)
        await socket.prepare(request)
        columns, rows = (_number(request.query.get(name, "")) for name in ("width", "height"))
        screen = Screen(socket, columns or 80, rows or 24)
        visit = Visit(visitor, screen)
        reading = asyncio.create_task(screen.read())
        reading.add_done_callback(lambda _: visit.told_to_end.set())
        try:
            await self._receive(visit)
        finally:
            visit.over.set()
            with contextlib.suppress(Exception):
                await socket.close()
            reading.cancel()
        return socket

    async def _receive(self, visit: Visit) -> None:
        """A visit from its first to its last moment."""
        former = self.visits.get(visit.visitor.name)
        self.visits[visit.visitor.name] = visit
        self._last_words.pop(visit.visitor.name, None)
        place = None
        try:
            if former is not None:
                former.end("The playground was opened in another window of yours.", self._last_words)
                await visit.screen.show("Ending your session in the other window, with a checkpoint …")
                await former.over.wait()
                self._last_words.pop(visit.visitor.name, None)
            place = self.places.ask()
            await self._wait_for(place, visit)
            if place.free.done() and not visit.told_to_end.is_set() and not self._closing:
                await self._run(visit, place.free.result())
        except (RnnplayError, OSError) as error:
            log.error("Visitor %s: %s", visit.visitor.name, error)
            visit.end("The playground could not be started; tell whoever serves it.", self._last_words)
        finally:
            if place is not None:
                self.places.give_back(place)
            if self.visits.get(visit.visitor.name) is visit:
                del self.visits[visit.visitor.name]

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
        settings = self.settings
        limits = ("--processors", ",".join(map(str, numbers)), "--memory", str(settings.memory_mb))
        command = (*self._command, *limits, "--models", str(settings.models))
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
                now, patience = time.monotonic(), self.settings.idle_seconds
                if self.places.waiting:
                    patience *= WHILE_OTHERS_WAIT
                left = screen.last_key + patience - now
                if left <= 0 and now >= spared_until and (warned or self.settings.idle_seconds <= WARNED_SECONDS):
                    minutes = patience / 60
                    words = (
                        f"Nothing was typed for {minutes:g} minutes. Your run is kept, with a checkpoint: t resumes it."
                    )
                    visit.end(words, self._last_words)
                    return
                if left > WARNED_SECONDS:
                    warned = False
                elif not warned and self.settings.idle_seconds > WARNED_SECONDS:
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
                self._last_words.setdefault(visit.visitor.name, words)
        finally:
            for task in (ended, told, storage):
                task.cancel()

    async def _watch_storage(self, visitor: Visitor, service: VisitorService) -> None:
        """Lets training stop, with its checkpoint, for as long as the visitor has taken too much of the disk."""
        most, full = self.settings.disk_mb * 1_000_000, False
        while True:
            before, full = full, await asyncio.to_thread(taken, visitor.workspace, most) > most
            if full:
                await service.send_meta({"type": "full", "text": full_text(most), "again": before})
            await asyncio.sleep(STORAGE_SECONDS)

    async def _shut_down(self, _app: web.Application) -> None:
        """Ends all visits, each with its checkpoints."""
        self._closing = True
        for visit in list(self.visits.values()):
            visit.end("The server was stopped. Your runs are kept, each with a checkpoint.", self._last_words)
        await asyncio.gather(*(visit.over.wait() for visit in self.visits.values()), *self._endings)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
