"""The playground with a scripted engine instead of a process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable

import pytest
import textual.app
import textual.pilot
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from rnnplay.workspace import Workspace
from tests.tui.stage import Stage


@pytest.fixture(autouse=True, scope="session")
def stylesheets_parsed_once() -> None:
    """Each test starts an app, and each app would parse the same rules again: a tenth of its start."""
    parse = Stylesheet._parse_rules
    known: dict[Hashable, list[RuleSet]] = {}

    def parse_once(sheet: Stylesheet, css: str, *place: object, **more: object) -> list[RuleSet]:
        key = (css, place, *more.items(), frozenset(sheet._variables.items()))
        if key not in known:
            known[key] = parse(sheet, css, *place, **more)  # type: ignore[arg-type]
        return known[key]

    Stylesheet._parse_rules = parse_once  # type: ignore[method-assign, assignment]


WINDOW_SECONDS = 0.018
"""An app is idle if it has nothing to do for this long: a little more than a frame, in which it lays out and paints.

Textual takes 0.02 twice, as it counts what the key itself took, and all that again after every key.
"""
BUSY_SECONDS = 0.001
"""Processor time of all threads within a window, from which on the app is not idle."""


async def wait_for_idle(min_sleep: float = WINDOW_SECONDS, max_sleep: float = 1.0) -> None:
    """Waits like Textual's own until the process rests.

    Textual looks at processor time alone, so a process that waits for a processor seems idle to it. Here all messages
    are handled, too, and those that follow from them, however busy the machine is.
    """
    began = time.monotonic()
    while time.monotonic() - began < max_sleep:
        await all_handled(began + max_sleep)
        used = time.process_time()
        await asyncio.sleep(WINDOW_SECONDS)
        rested = time.process_time() - used < BUSY_SECONDS
        if await all_handled(began + max_sleep) and rested and time.monotonic() - began > min_sleep:
            return


async def all_handled(until: float) -> bool:
    """Goes on until the event loop has nothing that it could do at once; returns whether it had nothing anyway."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    had_nothing = True
    while ready and time.monotonic() < until:
        had_nothing = False
        await asyncio.sleep(0)
    return had_nothing


@pytest.fixture(autouse=True, scope="session")
def pauses_are_short() -> None:
    """Tests of the interface mostly waited: half of their time."""
    textual.app.wait_for_idle = wait_for_idle  # type: ignore[attr-defined]
    textual.pilot.wait_for_idle = wait_for_idle  # type: ignore[attr-defined]


@pytest.fixture
def stage(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Nothing of the app is run yet; `stage.open()` makes it."""
    # The count of parameters comes from a thread, some time after the start.
    monkeypatch.setattr("rnnplay.tui.setup.setup_pane.COUNTED_SECONDS", 1e9)
    # A prompt is asked for again after a second, which a test may take on a busy machine, or not.
    monkeypatch.setattr("rnnplay.tui.screens.playground.run_display.ASK_AGAIN_SECONDS", 1e9)
    monkeypatch.setattr("rnnplay.tui.screens.writing.screen.ASK_AGAIN_SECONDS", 1e9)
    # How many cores a race shares is said on its screen.
    monkeypatch.setattr("rnnplay.tui.screens.race.dialog.physical_cores", lambda: 2)
    made = Stage(workspace)
    monkeypatch.setattr("rnnplay.tui.run_controller.EngineClient", made.engine_client)
    return made
