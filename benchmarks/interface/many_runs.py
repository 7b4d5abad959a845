"""Measures the list of runs, the longest run and a comparison in a workspace of thousands of runs.

    python -m benchmarks.interface.many_runs [FOLDER] [--runs 5000] [--steps 10000000]

FOLDER is made unless it is there (2 GB with the defaults). Each figure is the first of its kind in this process. The
limits are: list 1 s, filter 100 ms a key, the longest run 1 s, a comparison of ten 1 s, 200 MB.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from benchmarks import options_of
from benchmarks.interface.many_runs_workspace import LONG, make_workspace
from benchmarks.measures import resident_mb
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.thinned import FILE
from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.loaded_runs import load_run
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screens.runs.compare import CompareScreen
from rnnplay.workspace import Workspace

FILTER = "lr>=0.002 cell=gru valid<1.2"
COMPARED = 10


class ListApp(App[None]):
    """The list of runs alone."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.runs = RunsScreen(workspace, ())

    def on_mount(self) -> None:
        self.call_after_refresh(gc.freeze)  # as rnnplay does
        gc.set_threshold(5_000, 10, 5)


async def measure(workspace: Workspace, count: int) -> None:
    """Opens the list, without its index and with it, filters it key by key, and compares runs."""
    (workspace.cache / "runs.bin").unlink(missing_ok=True)
    app = ListApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_list(app, pilot, count, "without its index")
    app = ListApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_list(app, pilot, count, "with it")
        await asyncio.sleep(3)  # the sizes on disk, and which runs are being trained
        await filter_keys(app, pilot)
        await compare(app, workspace)


async def open_list(app: ListApp, pilot: Pilot[None], count: int, how: str) -> None:
    """Opens the list, and prints how long it takes until the first rows and all of them are there."""
    await pilot.pause(0.2)
    start, cpu = time.perf_counter(), time.process_time()
    app.push_screen(app.runs)
    while not app.runs.query(RunList) or len(app.runs.query_one(RunList).text()) < 30:
        await asyncio.sleep(0.01)
    print(f"list of {count:,} runs, {how}: first rows after {time.perf_counter() - start:.2f} s", end="")
    while len(app.runs._browser.runs) < count:
        await asyncio.sleep(0.01)
    took, used = time.perf_counter() - start, time.process_time() - cpu
    print(f", all after {took:.2f} s (of the processor {used:.2f} s)")


async def filter_keys(app: ListApp, pilot: Pilot[None]) -> None:
    """Types FILTER, and prints how long a key takes until the list is drawn.

    Not with Pilot.pause, which waits until all threads are idle, also that which looks which runs are being trained.
    """
    await pilot.press("slash")
    field, took, used = app.runs.query_one(Input), [], []
    browser, filtered = app.runs._browser, [""]
    act = browser.filter
    browser.filter = lambda text: (act(text), filtered.append(text))[0]  # type: ignore[method-assign,func-returns-value]
    for end in range(1, len(FILTER) + 1):
        start, cpu = time.perf_counter(), time.process_time()
        field.value = FILTER[:end]
        while filtered[-1] != FILTER[:end]:
            await asyncio.sleep(0)
        drawn = asyncio.Event()
        app.runs.call_after_refresh(drawn.set)
        await drawn.wait()
        took.append(time.perf_counter() - start)
        used.append(time.process_time() - cpu)
    print(
        f"filter: a key takes {1000 * sorted(took)[len(took) // 2]:.0f} ms, at most {1000 * max(took):.0f} ms (of the "
        f"processor {1000 * sorted(used)[len(used) // 2]:.0f} and {1000 * max(used):.0f} ms); "
        f"{len(app.runs._browser.rows):,} runs left"
    )


async def compare(app: ListApp, workspace: Workspace) -> None:
    """Compares the longest run with others."""
    names = [LONG, *[row.run.name for row in app.runs._browser.rows if row.run.name != LONG][: COMPARED - 1]]
    start = time.perf_counter()
    screen = CompareScreen(workspace, names)
    app.push_screen(screen)
    while not screen.query(Chart) or len(screen.query_one(Chart).series) < len(names):
        await asyncio.sleep(0.01)
    screen.query_one(Chart).refresh_data()
    print(f"comparison of {len(names)} runs, the longest among them: {time.perf_counter() - start:.2f} s")


def main() -> None:
    options = options_of("benchmarks.interface.many_runs", __doc__)
    options.add_argument("folder", type=Path, nargs="?", default=Path("/tmp/rnnplay-many-runs"))
    options.add_argument("--runs", type=int, default=5000)
    options.add_argument("--steps", type=int, default=10_000_000)
    given = options.parse_args()
    workspace = make_workspace(given.folder.absolute(), given.runs, given.steps)
    long = RunFolder(workspace.checkpoints / LONG)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    for copy in ("without", "with"):
        if copy == "without":
            (long.path / FILE).unlink(missing_ok=True)
        start = time.perf_counter()
        state = load_run(long, workspace.cache)
        print(f"run of {state.step:,} steps, {copy} {FILE}: {time.perf_counter() - start:.2f} s")
        del state
    asyncio.run(measure(workspace, given.runs))
    print(f"memory: {resident_mb():.0f} MB")


if __name__ == "__main__":
    main()
