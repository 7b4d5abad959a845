"""Runs side by side: chosen in the list, one curve each, by steps or tokens."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.widgets import Static

from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screens.runs.compare import CompareScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import make_run, until


class CompareApp(App[None]):
    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace

    def on_mount(self) -> None:
        self.push_screen(RunsScreen(self.workspace, ()))

    def notified(self, text: str) -> bool:
        return any(text in str(one.message) for one in self._notifications)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_chosen_runs_are_compared(workspace: Workspace, size: tuple[int, int]) -> None:
    make_run(workspace, "one", {"lr": 0.5}, steps=300, loss=1.5)
    make_run(workspace, "two", {"cell": "gru"}, steps=200, loss=1.25)
    app = CompareApp(workspace)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: len(app.screen.query_one(RunList).text()) == 3)
        await pilot.press("space", "equals_sign")
        await until(pilot, lambda: app.notified("two runs or more"))
        await pilot.press("down", "space", "equals_sign")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        chart, text = app.screen.query_one(Chart), app.screen.query_one("#compare-text", Static)
        await until(pilot, lambda: len(chart.series) == 2 and "lr" in str(text.content))
        assert len({one.mark for one in chart.series}) == len({one.color for one in chart.series}) == 2
        assert {one.history.last_step for one in chart.series} == {200, 300}
        await pilot.press("v")
        await until(pilot, lambda: str(chart.border_title) == "Training loss")
        assert [len(one.history) for one in chart.series] in ([300, 200], [200, 300])
        await pilot.press("x")
        await until(pilot, lambda: max(one.history.last_step or 0 for one in chart.series) > 1000)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


async def test_a_run_that_is_gone_is_told(workspace: Workspace) -> None:
    make_run(workspace, "one", steps=10)
    app = CompareApp(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(CompareScreen(workspace, ["one", "gone"]))
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and bool(app.screen.query("#compare-text")))
        await until(pilot, lambda: "no run 'gone'" in str(app.screen.query_one("#compare-text", Static).content))
        await pilot.press("v", "x", "escape")
