"""Opens the playground to a class: memory a visitor, and what is left of visitors whose connection drops.

    python -m benchmarks.reliability.serve [--visitors 20] [--drop 10] [--browsers 2] [--screenshots FOLDER]

Starts `rnnplay serve` with a workspace of its own. First, where there is a Chromium, --browsers of its pages train at
once for some seconds, and are photographed. Then --visitors connections are opened, each of a visitor of its own who
presses t; once all train, memory is measured (PSS: pages that processes share count once). Then --drop of them break
off without a word. Nothing of theirs may be left running, each must have a checkpoint of its very last step, and the
others train on; then the server is stopped, and the same holds for all. Exit code 1 if any of that fails.
"""

from __future__ import annotations

import asyncio
import re
import signal
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path

import aiohttp
import psutil

from benchmarks import options_of
from benchmarks.reliability.browser import browser, chromium
from rnnplay.model.hardware import describe_machine
from rnnplay.runs.folder import RunFolder, list_runs
from rnnplay.serve.visitors import Visitors
from rnnplay.workspace import Workspace

ALL_TRAIN_SECONDS = 400.0
ENOUGH_STEPS = 5


class Connection:
    """A visitor without a browser: the websocket, and cookies."""

    def __init__(self, link: str, served: Workspace) -> None:
        self._link, self._served = link, served
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self.drawn = ""

    async def open(self) -> None:
        async with self._http.get(self._link) as page:
            page.raise_for_status()
        origin = self._link.partition("/?")[0]
        self._socket = await self._http.ws_connect(f"{origin}/ws?width=100&height=30", headers={"Origin": origin})
        self._reading = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.drawn = (self.drawn + message.data.decode())[-20_000:]

    async def press(self, keys: str) -> None:
        assert self._socket is not None
        await self._socket.send_json(["stdin", keys])

    @property
    def folder(self) -> Path:
        """The visitor's workspace."""
        secret = next(cookie.value for cookie in self._http.cookie_jar if cookie.key.startswith("rnnplay-visitor"))
        visitor = Visitors(self._served).find(secret)
        assert visitor is not None
        return visitor.workspace.root

    @property
    def run(self) -> RunFolder | None:
        found = list_runs(Workspace(self.folder))
        return found[0] if found else None

    @property
    def steps(self) -> int:
        return last_step(self.run) if self.run is not None else 0

    def drop(self) -> None:
        """Breaks the connection, as a network does that is gone."""
        assert self._socket is not None
        connection = self._socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def close(self) -> None:
        await self._http.close()


def last_step(run: RunFolder) -> int:
    """The last step in the run's metrics.jsonl."""
    try:
        with run.log.path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 20_000))
            found = re.findall(rb'"step":(\d+)', file.read())
    except OSError:
        return 0
    return max(map(int, found), default=0)


def kept_step(run: RunFolder | None) -> int:
    """The step of the run's newest checkpoint."""
    return max((int(path.name[5:]) for path in run.path.glob("step-*")), default=0) if run is not None else 0


def pss(pid: int) -> float:
    """Proportional set size, in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)[0]) / 1000


def processes_in(folder: Path) -> list[psutil.Process]:
    """The processes that a visitor's workspace belongs to."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("RNNPLAY_CONFINED") == str(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


async def until_all_train(connections: list[Connection]) -> None:
    """Presses t where the engine is ready, until every visitor's run has some steps."""
    deadline = time.monotonic() + ALL_TRAIN_SECONDS
    pressed: set[Connection] = set()
    while any(one.steps < ENOUGH_STEPS for one in connections):
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {sum(one.steps >= ENOUGH_STEPS for one in connections)} visitors train")
        for one in connections:
            if one not in pressed and "shipped model" in one.drawn:
                pressed.add(one)
                await one.press("t")
        await asyncio.sleep(1)


async def browsers(link: str, count: int, folder: Path | None) -> None:
    """Lets `count` pages of Chromium train at once."""
    async with browser() as chrome:
        pages = [await chrome.visit(link) for _ in range(count)]
        for page in pages:
            await page.until("document.body.classList.contains('-first-byte')", 60)
        await asyncio.sleep(15)  # the engines start
        for page in pages:
            await page.press("t")
        await asyncio.sleep(25)
        for number, page in enumerate(pages, 1):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                await page.screenshot(folder / f"visitor-{number}.png")
            await page.close()
        for error in chrome.console:
            print("in the page:", error)


def report(what: str, value: str) -> None:
    print(f"{what:<58} {value}", flush=True)


async def measure(link: str, served: Workspace, server: int, visitors: int, drop: int) -> bool:
    """Opens the connections, measures, and drops some; returns whether everything was kept and nothing left."""
    connections = [Connection(link, served) for _ in range(visitors)]
    began = time.monotonic()
    for one in connections:
        await one.open()
    await until_all_train(connections)
    report(f"{visitors} visitors train after", f"{time.monotonic() - began:.0f} s")
    interfaces: list[float] = []
    engines: list[float] = []
    for one in connections:
        for process in processes_in(one.folder):
            kind = engines if "rnnplay.engine" in process.cmdline() else interfaces
            kind.append(pss(process.pid))
    report("server, PSS", f"{pss(server):.0f} MB")
    for name, kind in (("interface", interfaces), ("engine that trains `quick`", engines)):
        report(f"{name}, PSS: mean, most, number", f"{statistics.fmean(kind):.0f} {max(kind):.0f} MB {len(kind)}")
    report("a visitor, PSS", f"{(sum(interfaces) + sum(engines)) / visitors:.0f} MB")

    dropped, staying = connections[:drop], connections[drop:]
    before = [one.steps for one in staying]
    for one in dropped:
        one.drop()
    began = time.monotonic()
    while any(processes_in(one.folder) for one in dropped) and time.monotonic() - began < 90:
        await asyncio.sleep(0.2)
    report(f"{drop} dropped; the last of their processes is gone after", f"{time.monotonic() - began:.1f} s")
    sound = judged("dropped", dropped)
    await asyncio.sleep(5)
    ahead = sum(one.steps > steps for one, steps in zip(staying, before, strict=True))
    report("of the others train on", f"{ahead} of {len(staying)}")
    psutil.Process(server).send_signal(signal.SIGINT)
    began = time.monotonic()
    while any(processes_in(one.folder) for one in staying) and time.monotonic() - began < 90:
        await asyncio.sleep(0.2)
    report("server stopped; the last process is gone after", f"{time.monotonic() - began:.1f} s")
    sound = judged("ended by the server", staying) and sound
    for one in connections:
        await one.close()
    return sound and ahead == len(staying)


def judged(what: str, connections: list[Connection]) -> bool:
    left = sum(len(processes_in(one.folder)) for one in connections)
    lost = [one.steps - kept_step(one.run) for one in connections]
    report(
        f"{what}: processes left; runs with a checkpoint; steps lost",
        f"{left}; {lost.count(0)}; {max(lost, default=0)}",
    )
    return left == 0 and not any(lost)


def main() -> int:
    parser = options_of("benchmarks.reliability.serve", __doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--drop", type=int, default=10)
    parser.add_argument("--browsers", type=int, default=2, help="pages of Chromium that train at once")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    return asyncio.run(serve(parser.parse_args()))


async def serve(given: Namespace) -> int:
    """Serves a class and measures it; returns the exit code."""
    print(describe_machine())
    with tempfile.TemporaryDirectory(prefix="rnnplay-class-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rnnplay", "serve", "--workspace", folder, "--port", "0"),
            *("--sessions", str(max(given.visitors, given.browsers))),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            link = (await process.stdout.readline()).decode().strip()
            if given.browsers and chromium():
                await browsers(link, given.browsers, given.screenshots)
            sound = await measure(link, Workspace(Path(folder)), process.pid, given.visitors, given.drop)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
    print("nothing was left, nothing was lost" if sound else "FAILED")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
