"""The real interface behind the real server, and the page in a browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.browser import browser, chromium
from benchmarks.reliability.serve import kept_step, last_step, processes_in
from rnnplay.runs.folder import list_runs
from rnnplay.serve.session import VISIT
from rnnplay.workspace import Workspace
from tests.common.test_confinement import confined_python
from tests.serve.conftest import TOKEN, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="served on POSIX systems")


async def test_a_connection_that_drops_in_training_leaves_a_checkpoint_and_no_process(classes: Any) -> None:
    """And whoever comes back finds the run."""
    one = await classes(command=VISIT)
    guest = one.guest()
    await guest.enter(width=120, height=36)
    await guest.sees("shipped model")  # the engine has started
    await guest.type("t")
    folder = guest.folder()

    def steps() -> int:
        return max(map(last_step, list_runs(Workspace(folder))), default=0)

    await until(lambda: steps() >= 3, lambda: f"nothing is trained: {guest.seen[-2000:]!r}", 60)
    assert len(processes_in(folder)) == 2
    await guest.vanishes()
    await until(lambda: not one.server.visits.here, lambda: "the visit is not over", 30)
    assert processes_in(folder) == []
    (run,) = list_runs(Workspace(folder))
    assert kept_step(run) == last_step(run) >= 3
    await guest.connect(width=120, height=36)
    await guest.sees("Setup")
    await guest.type("o")
    await guest.sees(run.name)


@pytest.mark.skipif(chromium() is None, reason="no Chromium here")
async def test_the_page_in_a_browser(classes: Any, tmp_path: Path) -> None:
    """Two visitors: keys go to the own interface, what it draws is shown, and the page says why it ended."""
    one = await classes()
    link = f"http://{one.test_server.host}:{one.test_server.port}/?token={TOKEN}"
    async with browser() as chrome:
        pages = [await chrome.visit(link) for _ in range(2)]
        for page in pages:
            await page.until("document.body.classList.contains('-first-byte')")
            await page.until("document.activeElement.className.includes('xterm-helper')")
        await until(
            lambda: all(visit.screen.service for visit in one.server.visits.here.values()), lambda: "no interface"
        )
        assert len({visit.visitor.name for visit in one.server.visits.here.values()}) == 2
        assert all(visit.screen.columns > 80 for visit in one.server.visits.here.values())
        assert await pages[0].evaluate("location.search") == ""
        await pages[0].press("q")
        await pages[0].until("document.getElementById('why').textContent.startsWith('You have left')")
        await until(lambda: len(one.server.visits.here) == 1, lambda: "the other visit has ended, too")
        await pages[0].evaluate("document.getElementById('again').click()")
        await until(lambda: len(one.server.visits.here) == 2, lambda: "it was not opened again")
        await pages[1].screenshot(tmp_path / "page.png")
        assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
        assert chrome.console == []


def test_a_visit_is_not_opened_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnplay.serve import visit

    with pytest.raises(SystemExit, match="not confined"):
        visit.main([])


def test_its_processes_have_their_limits(tmp_path: Path) -> None:
    """Engines inherit them: a model that is too large fails alone, and 40 threads share the processors given."""
    (tmp_path / ".cache").mkdir()
    script = """
import os, resource, sys
from rnnplay.serve import visit
from rnnplay.tui import app
most = resource.RLIMIT_DATA
from rnnplay.engine.client import engines_left
def run_app(workspace):
    print(os.sched_getaffinity(0), resource.getrlimit(most)[0], engines_left(), workspace.root)
app.run_app = run_app
visit.main(["--processors", sys.argv[1], "--memory", "700", "--models", "3"])
"""
    processor = min(os.sched_getaffinity(0))
    said = confined_python(tmp_path, script, str(processor))
    assert said.split() == [f"{{{processor}}}", "700000000", "3", str(tmp_path)]


def test_other_commands_load_no_server() -> None:
    from tests.test_imports import loaded_by

    statement = (
        "import rnnplay.cli.main, rnnplay.cli.commands.interface.serve, rnnplay.serve.visit, rnnplay.serve.visitors"
    )
    assert loaded_by(statement, ("aiohttp", "textual_serve", "torch", "sys")) == {"sys"}
