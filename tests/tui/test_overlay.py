"""Curves of other runs behind those of the run in front: which is whose, live ones move, none is drawn twice."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from rnnplay.common.formatting import fixed
from rnnplay.runs.metrics.records import Finished
from rnnplay.tui import overlay as overlays
from rnnplay.tui.chart.canvas import Layout
from rnnplay.tui.chart.chart_model import ChartModel, Series
from rnnplay.tui.chart.history import History
from rnnplay.tui.chart.palette import DIED, run_look
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.overlay import OverlaidRun, Overlay, overlaid_series
from rnnplay.tui.run_state import RunState
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.widgets.overlay_legend import HINT, OverlayLegend, legend
from rnnplay.workspace import Workspace
from tests.support.writer import Writer, validation
from tests.tui.stage import Stage, make_run, shown, until


@pytest.fixture
def writer(workspace: Workspace) -> Iterator[Writer]:
    writer = Writer(workspace.checkpoints / "theirs")
    writer.steps(1, 20)
    writer.write(validation(20))
    yield writer
    writer.lock.release()


async def test_each_run_has_a_look_of_its_own_and_keeps_it(workspace: Workspace, writer: Writer) -> None:
    for name in ("one", "two", "three"):
        make_run(workspace, name, steps=20)
    overlay = Overlay(workspace, lambda: None)
    assert await overlay.show(["one", "two"]) == []
    one, two = overlay.runs
    assert one.look != two.look and not one.live
    (problem,) = await overlay.show(["two", "theirs", "nobody"])
    assert "There is no run 'nobody'" in problem
    assert overlay.names == ["two", "theirs"] and overlay.runs[0].look == two.look
    assert overlay.runs[1].live and overlay.runs[1].look == one.look, "the look of one that has gone is free"
    assert [run.name for run in overlay.behind("two")] == ["theirs"], "the run in front is not drawn twice"
    overlay.clear()
    assert overlay.runs == []


async def test_a_live_run_moves_and_a_diverged_one_ends_in_a_cross(
    workspace: Workspace, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlays, "LOOK_SECONDS", 0.01)
    changes: list[bool] = []
    overlay = Overlay(workspace, lambda: changes.append(True))
    await overlay.show(["theirs"])
    (run,) = overlay.runs
    before = run.key
    writer.steps(21, 30)
    await _until(lambda: run.state.step == 30)
    assert [series.history.last_step for series in run.series("loss")] == [30, 20]
    assert {series.mark for series in run.series("norm")} == {run.look.mark} and run.key == before
    writer.write(Finished(step=30, reason="diverged"))
    await _until(lambda: not run.live)
    assert run.series("loss")[0].end == DIED and run.key != before, "which is drawn"
    assert not any(series.listed for series in overlaid_series(overlay.runs, "loss"))
    overlay.clear()
    assert changes


async def _until(condition: Any) -> None:
    import asyncio

    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def runs_named(*names: str) -> list[OverlaidRun]:
    found = []
    for number, name in enumerate(names):
        state = RunState()
        state.run = name
        found.append(OverlaidRun(SimpleNamespace(state=state), run_look(number)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("width", [40, 60, 100, 180])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_legend_fits_and_says_how_to_take_them_off(width: int, count: int) -> None:
    names = [f"tinyshakespeare-lstm-{number}-with-a-long-name" for number in range(count)]
    text = legend(runs_named(*names), width, dark=True)
    rows = text.split("\n")
    assert len(rows) <= 3 and all(row.cell_length <= width for row in rows), text.plain
    assert fill_keys(HINT) in text.plain
    marks = [run.look.mark for run in runs_named(*names)]
    told = sum(text.plain.count(mark) for mark in set(marks))
    assert told == count or f"and {count - told} more" in text.plain


async def test_chosen_runs_are_drawn_on_the_charts_until_they_are_taken_off(stage: Stage) -> None:
    for name in ("one", "two"):
        make_run(stage.workspace, name, steps=120, loss=1.5)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 20)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and len(app.screen._browser.runs) >= 2)
        screen: Any = app.screen
        for name in ("one", "two"):
            await pilot.press("home")
            for _ in range(3):
                if screen.highlighted != name:
                    await pilot.press("down")
            await pilot.press("space")
        await pilot.press("c")
        await until(pilot, lambda: len(stage.loss.series) == 6)
        assert [series.mark for series in stage.loss.series] == ["■", "■", "▲", "▲", "", ""]
        assert stage.loss.series[4].history is stage.state.loss, "the run in front is drawn over them, as ever"
        await until(pilot, lambda: "■ one" in shown(stage.playground, "#overlay"))
        assert stage.playground.query_one(OverlayLegend).display

        await pilot.press("O")  # there is no other run
        await pilot.press("X")
        await until(pilot, lambda: len(stage.loss.series) == 2)
        assert not stage.playground.query_one(OverlayLegend).display


async def test_runs_with_other_tokens_are_compared_in_bits_per_character(stage: Stage) -> None:
    """Also in the legend; without the other run the chart is as it was."""
    make_run(stage.workspace, "pairs", steps=120, loss=4.5, values={"tokens": "bpe"})
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 20)
        overlay = stage.playground._overlay
        assert await overlay.show(["pairs"]) == []
        await until(pilot, lambda: stage.loss.border_title == "Bits per character")
        other, own = stage.loss.series
        assert (own.history, other.history) == (stage.state.validation_bits, overlay.runs[0].state.validation_bits)
        bits = overlay.runs[0].state.validation
        assert bits is not None
        await until(pilot, lambda: f"pairs {fixed(bits.bits_per_character, 3)}" in shown(stage.playground, "#overlay"))
        overlay.clear()
        await until(pilot, lambda: stage.loss.border_title == "Loss")
        assert stage.loss.series[0].history is stage.state.loss


def test_only_histories_that_have_changed_are_read_again() -> None:
    """Ten overlaid runs at rest cost nothing while the one in front moves."""
    still, moving = History(), History()
    for step in range(1, 50):
        still.append(step, 1.0)
        moving.append(step, 2.0)
    model = ChartModel([Series("a", still), Series("b", moving)])
    model.viewport.span = 64
    model.draw(Layout(60, 12))
    first = list(model.columns)
    moving.append(50, 3.0)
    model.draw(Layout(60, 12))
    assert model.columns[0] is first[0] and model.columns[1] is not first[1]
    model.smoothing = 3
    model.draw(Layout(60, 12))
    assert model.columns[0] is not first[0], "another window or smoothing is read anew"
