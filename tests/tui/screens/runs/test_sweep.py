"""The screen of sweeps: reads the studies beside the interface, and opens a trial."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from rnnplay.config import RunConfig
from rnnplay.experiments.sweep.plan import make_plan
from rnnplay.experiments.sweep.space import parse_dimensions
from rnnplay.experiments.sweep.studies import create_study
from rnnplay.tui.screens.runs.sweep import SweepScreen
from rnnplay.tui.value_plot.plot_view import PlotView
from rnnplay.workspace import Workspace

pytest.importorskip("optuna")


def made(workspace: Workspace, name: str, *vary: str) -> None:
    """A study whose trials are done without training."""
    plan = make_plan(RunConfig(steps=10), parse_dimensions(vary), None, None)
    study = create_study(name, plan, workspace)
    while (trial := study.next()) is not None:
        study.done(trial, 3.0 - trial.number, 10, 10)
    study.close()


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        await pilot.pause(0.01)
        if holds():
            return
    raise AssertionError("waited for ten seconds")


async def test_trials_are_listed_plotted_by_knob_and_opened(workspace: Workspace) -> None:
    made(workspace, "first", "lr=0.1,0.2")
    made(workspace, "second", "cell=rnn,gru", "lr=0.1,0.2")
    app: App[None] = App()
    opened: list[str | None] = []
    async with app.run_test(size=(100, 30)) as pilot:
        screen = SweepScreen(workspace)
        await app.push_screen(screen, opened.append)
        table, view = screen.query_one(DataTable), screen.query_one(PlotView)
        await until(pilot, lambda: table.row_count == 4)
        assert str(screen.query_one("#about", Static).content).splitlines() == [
            "second: 4 of 4 runs done",
            "Best 0.0000 with cell=gru lr=0.2",
        ]
        assert view.border_title == "validation loss by cell"
        await pilot.press("k")
        assert view.border_title == "validation loss by lr"
        await pilot.press("enter")
        await until(pilot, lambda: "no run second-003" in str(screen.query_one("#note", Static).content))
        await pilot.press("s")
        await until(pilot, lambda: table.row_count == 2)
        assert view.border_title == "validation loss by lr"
        await pilot.press("escape")
        assert opened == [None]


async def test_a_low_window_shows_the_trials_and_on_a_key_the_plots(workspace: Workspace) -> None:
    made(workspace, "second", "cell=rnn,gru", "lr=0.1,0.2")
    app: App[None] = App()
    async with app.run_test(size=(40, 12)) as pilot:
        screen = SweepScreen(workspace)
        await app.push_screen(screen)
        table, view = screen.query_one(DataTable), screen.query_one(PlotView)
        await until(pilot, lambda: table.row_count == 4)
        await pilot.pause()
        assert table.display and table.size.height >= 4 and not view.display
        shown = []
        for _ in range(3):
            await pilot.press("k")
            await pilot.pause()
            shown.append(str(view.border_title) if view.display else "table")
            assert view.display != table.display
        assert shown == ["validation loss by cell", "validation loss by lr", "table"]
        assert app.focused is table


async def test_a_workspace_without_studies_says_how_to_begin_one(workspace: Workspace) -> None:
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = SweepScreen(workspace)
        await app.push_screen(screen)
        about = screen.query_one("#about", Static)
        await until(pilot, lambda: "Begin one in a shell: rnnplay sweep --vary" in str(about.content))
        assert not screen.query_one("#halves").display, "nothing is framed that is not there"
        await pilot.press("escape")
        assert app.screen is not screen


async def test_without_the_extra_it_says_how_to_install_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(workspace, "first", "lr=0.1,0.2")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = SweepScreen(workspace)
        await app.push_screen(screen)
        about = screen.query_one("#about", Static)
        await until(pilot, lambda: "pip install 'rnnplay[sweep]'" in str(about.content))
