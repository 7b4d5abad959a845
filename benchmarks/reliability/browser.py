"""Drives a headless Chromium over its DevTools protocol: for benchmarks and tests of the playground in a browser."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

KEYS = {"Enter": ("Enter", "\r", 13), "Escape": ("Escape", "", 27), "Tab": ("Tab", "", 9)}


def chromium() -> str | None:
    """The path of a Chromium or Chrome, if one is installed; $CHROMIUM names another."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One Chromium. A page of it is a visitor: it has cookies of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.console: list[str] = []
        """What pages have reported as errors."""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if (waiting := self._answers.pop(said.get("id", 0), None)) is not None and not waiting.done():
                waiting.set_result(said)
            elif said.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.console.append(json.dumps(said["params"])[:400])

    async def call(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        """Calls a method of the protocol. Raises RuntimeError if the browser refuses."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(
            {"id": number, "method": method, "params": given, **({"sessionId": session} if session else {})}
        )
        said = await asyncio.wait_for(answer, 60)
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']}")
        result: dict[str, Any] = said["result"]
        return result

    async def visit(self, url: str, width: int = 1100, height: int = 640) -> Page:
        """Opens `url` as a new visitor."""
        context = (await self.call("Target.createBrowserContext"))["browserContextId"]
        target = await self.call("Target.createTarget", url="about:blank", browserContextId=context)
        return await self._attach(target["targetId"], context, url, width, height)

    async def _attach(self, target: str, context: str, url: str, width: int, height: int) -> Page:
        attached = await self.call("Target.attachToTarget", targetId=target, flatten=True)
        page = Page(self, target, context, attached["sessionId"])
        await page.call("Page.enable")
        await page.call("Runtime.enable")
        await page.call("Log.enable")
        await page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await page.call("Page.navigate", url=url)
        return page


class Page:
    """What one visitor sees."""

    def __init__(self, browser: Browser, target: str, context: str, session: str) -> None:
        self._browser, self._target, self.context, self._session = browser, target, context, session

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        return await self._browser.call(method, self._session, **given)

    async def evaluate(self, script: str) -> Any:
        found = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    async def until(self, script: str, seconds: float = 30.0) -> None:
        """Waits until `script` is true in the page. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not await self.evaluate(script):
                await asyncio.sleep(0.1)

    async def press(self, *keys: str) -> None:
        """Presses keys: a name of KEYS, or a character."""
        for key in keys:
            # Of other signs the code is that of another key: 46, the full stop's, of Delete.
            name, text, code = KEYS.get(key) or (key, key, ord(key.upper()) if key.isalnum() else 0)
            given = {"key": name, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
            await self.call("Input.dispatchKeyEvent", type="keyDown", **given, **({"text": text} if text else {}))
            await self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    async def screenshot(self, file: Path) -> None:
        """Saves what is seen as a PNG."""
        taken = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(taken["data"]))

    async def reload(self) -> None:
        await self.call("Page.reload")

    async def close(self) -> None:
        """Closes it as a user closes a window: without a word to the server. Its cookies go, too."""
        with contextlib.suppress(RuntimeError):
            await self._browser.call("Target.disposeBrowserContext", browserContextId=self.context)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A running Chromium, ended afterwards. Raises RuntimeError if there is none."""
    path = chromium()
    if path is None:
        raise RuntimeError("there is no Chromium here; install one, or name it in $CHROMIUM")
    with tempfile.TemporaryDirectory(prefix="rnnplay-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(path, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio", "--no-first-run"),
            *("--enable-unsafe-swiftshader", "--disable-background-networking", "--disable-extensions"),
            *("--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            address = Path(profile) / "DevToolsActivePort"
            async with asyncio.timeout(30):
                while not address.exists() or len(address.read_text().split()) < 2:
                    await asyncio.sleep(0.05)
            port, path = address.read_text().split()
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
            ):
                yield Browser(socket)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
