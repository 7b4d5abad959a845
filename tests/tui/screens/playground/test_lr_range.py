"""The range test as a dialog: drawn as it goes, its rate taken by Enter, and what went wrong in a sentence."""

from __future__ import annotations

import sys

import pytest
from textual.app import App
from textual.widgets import Static

from rnnplay.config import RunConfig
from rnnplay.tui.screens.playground import lr_range
from rnnplay.tui.screens.playground.lr_range import LrRangeScreen
from rnnplay.workspace import Workspace

GOOD = """
import json
from rnnplay.experiments.lr_range import rates
for step, lr in enumerate(rates(1e-6, 1.0, 50), start=1):
    loss = 4.0 if lr < 1e-4 else 2.0 if lr < 1e-1 else 5.0
    print(json.dumps({"type": "point", "step": step, "lr": lr, "loss": loss}), flush=True)
print("not a record")
print(json.dumps({"type": "result", "suggested": 0.004, "steepest": 1e-4, "lowest": 0.04, "blows_up": 0.1}))
"""
BAD = "import sys; sys.exit('Error: There is no corpus here; add one.')"


async def shown(screen: LrRangeScreen, app: App[None], text: str) -> str:
    """Waits until the screen says `text`, and returns all that it says."""
    async with app.run_test(size=(80, 24)) as pilot:
        taken: list[float | None] = []
        app.push_screen(screen, taken.append)
        for _ in range(2000):
            await pilot.pause(0.01)
            said = str(screen.query_one("#found", Static).content)
            if text in said:
                break
        await pilot.press("enter")
        await pilot.pause()
        if not taken:
            await pilot.press("escape")
            await pilot.pause()
        return f"{said} taken {taken}"


@pytest.mark.parametrize(
    ("script", "says", "taken"),
    [(GOOD, "To begin with: 0.004", "taken [0.004]"), (BAD, "There is no corpus here; add one.", "taken [None]")],
)
async def test_the_result_is_taken_or_the_error_shown(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, script: str, says: str, taken: str
) -> None:
    monkeypatch.setattr(lr_range, "COMMAND", (sys.executable, "-c", script))
    said = await shown(LrRangeScreen(RunConfig(), workspace), App(), says)
    assert says in said and said.endswith(taken)


async def test_a_test_that_cannot_be_started_says_so(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lr_range, "COMMAND", ("/no/such/program",))
    assert "cannot be started" in await shown(LrRangeScreen(RunConfig(), workspace), App(), "cannot be started")
