"""The HTTP side: who may come in, the page, the websocket that the interface draws to, downloads, texts sent."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath

from aiohttp import web
from textual_serve.download_manager import DownloadManager

from rnnplay.errors import InputError
from rnnplay.serve.page import HEADERS, STATIC, page, policy, static_file
from rnnplay.serve.session import VISIT, Screen
from rnnplay.serve.storage import taken
from rnnplay.serve.texts import check_size, receive
from rnnplay.serve.visitors import Visitor, Visitors
from rnnplay.serve.visits import Settings, Visit, Visits
from rnnplay.workspace import Workspace

HEARTBEAT_SECONDS = 15.0
"""A browser that does not answer for that long is gone."""
LARGEST_MESSAGE = 1 << 22
"""Bytes of one message of a browser: a paste."""
FOREVER = 365 * 24 * 3600

log = logging.getLogger("rnnplay.serve")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """The playground of one workspace, served to many."""

    def __init__(self, workspace: Workspace, settings: Settings, command: Sequence[str] = VISIT) -> None:
        """`command` starts a visitor's interface."""
        self.settings = settings
        self._visitors = Visitors(workspace)
        self._downloads = DownloadManager()
        self.visits = Visits(workspace, settings, self._downloads, command)
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
        return web.Response(
            text=self.visits.last_words.get(visitor.name, "The connection has ended. Your runs are kept.")
        )

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Sends what the visitor's own interface has offered."""
        visitor = self._visitor(request)
        visit = self.visits.here.get(visitor.name)
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
        visit = self.visits.here.get(visitor.name)
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
            await self.visits.receive(visit)
        finally:
            visit.over.set()
            with contextlib.suppress(Exception):
                await socket.close()
            reading.cancel()
        return socket

    async def _shut_down(self, _app: web.Application) -> None:
        await self.visits.end_all()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
