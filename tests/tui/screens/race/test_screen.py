"""The race's dialog and screen, with scripted engines and once with real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Finished, Record
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.race.race_charts import RaceCharts
from rnnplay.tui.race.race_status import MEMORY_NOTE
from rnnplay.tui.race.rank_table import RankTable
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Ask, Confirm
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.race.dialog import RaceDialog
from rnnplay.tui.screens.race.screen import RaceScreen
from rnnplay.tui.screens.runs.export import ExportScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import (
    FakeEngine,
    Stage,
    completion,
    footer_keys,
    make_run,
    progress,
    shown,
    started,
    step_at,
    until,
    validation,
)


def screen_of(stage: Stage) -> RaceScreen:
    assert isinstance(stage.app.screen, RaceScreen)
    return stage.app.screen


def live_of(stage: Stage) -> LiveRace:
    live = stage.playground._races.live
    assert live is not None
    return live


def engines_of(stage: Stage) -> list[FakeEngine]:
    found: list[object] = [one.controller.engine for one in live_of(stage).entrants]
    return [engine for engine in found if isinstance(engine, FakeEngine)]


def table(stage: Stage) -> list[str]:
    return screen_of(stage).query_one(RankTable).text()


def note(stage: Stage) -> str:
    return str(stage.app.screen.query_one("#race-note", Static).content)


async def open_dialog(stage: Stage, pilot: Pilot[None]) -> RaceDialog:
    await pilot.press("R")
    await until(pilot, lambda: isinstance(stage.app.screen, RaceDialog))
    dialog = stage.app.screen
    assert isinstance(dialog, RaceDialog)
    return dialog


async def race_cells(stage: Stage, pilot: Pilot[None]) -> None:
    """From the playground to a race of RNN, GRU and LSTM, of which the GRU is the best."""
    await open_dialog(stage, pilot)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(stage.app.screen, RaceScreen) and len(engines_of(stage)) == 3)
    for engine in engines_of(stage):
        engine.say(messages.Ready(pid=1, torch="2", device="cpu"))
        await pilot.pause()
    for one, engine, loss in zip(live_of(stage).entrants, engines_of(stage), (3.0, 1.0, 2.0), strict=True):
        engine.say(progress([started(one.entry.run)]))
        await pilot.pause()
        engine.say(messages.Waiting(step=0, tokens=0, seconds=0.0))
        records: list[Record] = [*(step_at(step, loss) for step in range(1, 21)), validation(20, loss)]
        engine.say(messages.Progress(records=records, seconds=4.0))
    await pilot.pause()
    screen_of(stage).show()
    await pilot.pause()


# --- the dialog -----------------------------------------------------------------------------------------------


async def test_a_race_of_more_variants_than_there_may_be_engines_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any begins; those of the race before, which the next one ends, count as free."""
    from rnnplay.tui.screens.playground import race_actions

    left = 1
    monkeypatch.setattr(race_actions, "engines_left", lambda: left)
    async with stage.open().run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await open_dialog(stage, pilot)
        assert note(stage).startswith("No race can begin")
        await pilot.press("escape")
        left = 2
        dialog = await open_dialog(stage, pilot)
        assert "The race has 3 variants, and so many models cannot be open here" in note(stage)
        assert note(stage).endswith("choose at most 2.")
        await pilot.press("enter")
        assert stage.app.screen is dialog
        await pilot.press("escape")
        left = 3
        await race_cells(stage, pilot)
        left = 0
        live_of(stage).stop()
        await pilot.press("escape")
        stage.playground._races.plan()
        await until(pilot, lambda: isinstance(stage.app.screen, RaceDialog) and stage.app.screen.is_mounted)
        await until(pilot, lambda: "Each variant trains for" in note(stage))


async def test_nothing_starts_while_something_is_wrong(stage: Stage) -> None:
    async with stage.open().run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        dialog = await open_dialog(stage, pilot)
        await pilot.press("down", "down", "down", "down", "down", *"lr=0.1,x", "enter")
        assert stage.app.screen is dialog and "got 'x'" in note(stage)
        await pilot.press("backspace", *"hiden")
        await pilot.press("ctrl+u", *"hiden=8,16", "enter")
        assert stage.app.screen is dialog and "did you mean hidden" in note(stage)
        await pilot.press("ctrl+u", *"hidden=8,16")
        assert "Each variant trains for 2 min" in note(stage)
        assert ["hidden 8" in line for line in shown(dialog, "#race-preview").split("\n")] == [True, False]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.app.screen, RaceScreen))
        assert [one.variant.config.hidden for one in live_of(stage).entrants] == [8, 16]


async def test_the_settings_of_the_dialog_are_those_of_the_race(stage: Stage) -> None:
    async with stage.open().run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        dialog = await open_dialog(stage, pilot)
        for _ in range(4):  # the number of parameters is counted in a thread
            await pilot.press("down")
        await pilot.press("up", "up", "up")
        dialog.set_focus(dialog.query_one("#race-repeat"))
        await pilot.press("right", "down", "left", "down", *"0.5", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, RaceScreen))
        plan = live_of(stage).plan
        assert [one.label for one in plan.variants] == ["clip off", "clip 0.25", "clip 1", "clip 5"]
        assert (plan.repeats, plan.sharing.share, plan.setup.minutes) == (2, "seconds", 0.5)


async def test_the_next_plan_begins_with_the_last_one(stage: Stage) -> None:
    """Who reads that one seed is not enough presses n, and wants the same race again, repeated."""
    async with stage.open().run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        dialog = await open_dialog(stage, pilot)
        assert "tab settings" in str(dialog.query_one(VerticalScroll).border_subtitle)
        await pilot.press("down", "r", "tab")
        assert dialog.focused is dialog.query_one("#race-parameters"), "tab passes no other choice on its way"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.app.screen, RaceScreen))
        assert (len(live_of(stage).plan.variants), live_of(stage).plan.repeats) == (4, 3)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(stage.app.screen, Confirm))
        stage.app.screen.dismiss(True)
        await until(pilot, lambda: isinstance(stage.app.screen, RaceDialog))
        again = stage.app.screen
        assert isinstance(again, RaceDialog) and again.chosen[0] == "clip" and again.settings.repeat == 3
        for repeat in (5, 1, 3):
            await pilot.press("r")
            assert again.settings.repeat == repeat


@pytest.mark.parametrize("size", [(40, 12), (60, 18), (80, 24)])
async def test_what_is_wrong_is_in_sight_in_a_window_of_any_size(stage: Stage, size: tuple[int, int]) -> None:
    async with stage.open().run_test(size=size) as pilot:
        await stage.ready(pilot)
        dialog = await open_dialog(stage, pilot)
        await pilot.press("down", "down", "down", "down", "down", *"lr=x")
        await pilot.pause()
        box, said = dialog.query_one(VerticalScroll).region, dialog.query_one("#race-note").region
        assert "got 'x'" in note(stage) and box.contains_region(said)
        assert box.contains_region(dialog.query_one("#race-vary").region), "and so is the field"


async def test_a_run_that_trains_is_paused_for_the_race(stage: Stage) -> None:
    async with stage.open().run_test(size=(100, 30)) as pilot:
        await stage.train(pilot)
        await open_dialog(stage, pilot)
        assert f"{stage.state.run} is paused meanwhile." in note(stage)
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.engines[0].of(messages.Pause)))


async def test_escape_closes_the_dialog(stage: Stage) -> None:
    async with stage.open().run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await open_dialog(stage, pilot)
        await pilot.press("escape")
        assert stage.app.screen is stage.playground and len(stage.engines) == 1


# --- the screen -----------------------------------------------------------------------------------------------


async def test_the_table_ranks_and_the_selection_stays_with_its_variant(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        assert [line.split()[2] for line in table(stage)[1:]] == ["GRU", "LSTM", "RNN"]
        await pilot.press("home", "down")
        engines_of(stage)[2].say(messages.Progress(records=[step_at(21, 0.5), validation(21, 0.5)], seconds=4.2))
        for one in (0, 1):
            engines_of(stage)[one].say(messages.Progress(records=[step_at(21), validation(21, 1.0)], seconds=4.2))
        await pilot.pause()
        screen_of(stage).show()
        assert table(stage)[1].split()[2] == "LSTM"
        selected = screen_of(stage).query_one(RankTable).selected
        assert selected is not None and selected.label == "LSTM"
        await pilot.press("p")
        assert [len(engine.of(messages.Pause)) for engine in engines_of(stage)] == [0, 0, 1]
        await pilot.press("m", "m")
        assert "20 steps" in table(stage)[0] or "21 steps" in table(stage)[0] or "tokens" in table(stage)[0]


@pytest.mark.parametrize("size", [(40, 12), (60, 18), (80, 24), (200, 60)])
async def test_the_race_is_usable_in_a_window_of_any_size(stage: Stage, size: tuple[int, int]) -> None:
    async with stage.open().run_test(size=size) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        screen = screen_of(stage)
        assert all(name in line for name, line in zip(("GRU", "LSTM", "RNN"), table(stage)[1:], strict=True))
        assert all(len(line) <= size[0] for line in table(stage))
        for name in ("#race-charts", "#race-table", "#race-prompt"):
            assert screen.region.contains_region(screen.query_one(name).region), name
        assert screen.query_one("#race-loss").region.height >= 3
        assert screen.max_scroll_y == 0


async def test_one_prompt_is_answered_by_all(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        await pilot.press("g", *"Once")
        for one, engine in zip(live_of(stage).entrants, engines_of(stage), strict=True):
            asked = engine.of(messages.Complete)[-1]
            assert asked.text == "Once"
            engine.say(completion(asked.request, f" {one.label.lower()}", ("x", 0.75)))
        await until(pilot, lambda: "lstm" in shown(stage.app.screen, "#race-answers"))
        answers = shown(stage.app.screen, "#race-answers")
        assert " rnn" in answers and " gru" in answers and answers.count("75%") == 3
        await pilot.press("escape")
        assert isinstance(stage.app.focused, RankTable)


async def test_a_variant_is_added_and_dropped(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(stage.app.screen, Ask))
        await pilot.press(*"hiden=3", "enter")
        await until(pilot, lambda: "did you mean hidden" in str(stage.app.screen.query_one("#refusal", Static).content))
        await pilot.press("ctrl+u", *"hidden=32", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, RaceScreen) and len(engines_of(stage)) == 4)
        assert any("hidden=32" in line for line in table(stage))
        await pilot.press("end", "d")
        await pilot.pause()
        assert not any("hidden=32" in line for line in table(stage))
        assert "has left the race" in stage.toasts[-1]


async def test_an_engine_that_dies_is_told_and_resumed_on_a_key(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        gru = live_of(stage).entrants[1]
        engines_of(stage)[1].die(-9)
        await until(pilot, lambda: len(stage.engines) == 5)
        screen_of(stage).show()
        assert "GRU: Its engine has ended" in note(stage)
        stage.engine.say(messages.Ready(pid=2, torch="2", device="cpu"))
        await pilot.pause()
        screen_of(stage).query_one(RankTable)._select(gru)
        await pilot.pause()
        assert footer_keys(stage.app.screen)["r"] == "Resume"
        await pilot.press("r")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.engine.of(messages.Train)[0].resume


async def test_the_race_goes_on_behind_the_playground(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        own = stage.controller
        await race_cells(stage, pilot)
        await pilot.press("escape")
        stage.playground._display.every_second()
        await until(pilot, lambda: "race: 2 of 3 training (R)" in stage.status)
        engines_of(stage)[0].say(messages.Progress(records=[step_at(21)], seconds=4.2))
        await until(pilot, lambda: live_of(stage).entrants[0].entry.progress.reached.steps == 21)
        await pilot.press("R")
        assert isinstance(stage.app.screen, RaceScreen)
        await pilot.press("home", "enter")
        await until(pilot, lambda: stage.app.screen is stage.playground)
        assert stage.state.run == live_of(stage).entrants[1].entry.run and "GRU" in stage.status
        await pilot.press("R", "i")
        await until(pilot, lambda: isinstance(stage.app.screen, InspectScreen))
        await pilot.press("escape", "escape")
        assert stage.controller is own


async def test_a_run_that_trains_beside_the_race_is_told_of(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        engine = stage.engine
        await race_cells(stage, pilot)
        await pilot.press("escape", "t")
        await until(pilot, lambda: bool(engine.of(messages.Train)))
        engine.say(progress([started(str(stage.state.run))]))
        await until(pilot, lambda: any("A race is under way" in text for text in stage.toasts))


async def test_on_leaving_the_whole_race_is_told_how_to_go_on(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        for one in live_of(stage).entrants:
            make_run(stage.workspace, one.entry.run, steps=20)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: app._exit)
    app.outcome()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and said[-1].startswith("race-01 goes on as a whole with: rnnplay race --resume race-01")


async def test_stopped_and_begun_anew(stage: Stage) -> None:
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        former = engines_of(stage)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(stage.app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: all(engine.of(messages.Stop) for engine in former))
        for engine in former:
            engine.say(progress([Finished(step=20, reason="stopped")]))
        await until(pilot, lambda: live_of(stage).over)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(stage.app.screen, RaceDialog))
        await pilot.press("enter")
        await until(pilot, lambda: all(engine.quits for engine in former) and len(engines_of(stage)) == 3)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_charts_of_memory_hold_all_variants(stage: Stage, size: tuple[int, int]) -> None:
    async with stage.open().run_test(size=size) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        await pilot.press("v")
        await until(pilot, lambda: all(engine.of(messages.Inspect) for engine in engines_of(stage)))
        assert screen_of(stage).query_one("#race-gradient").size.height >= 3
        assert note(stage) == MEMORY_NOTE, "whole, also in 80 columns"


async def test_a_narrow_window_has_room_for_one_chart_in_either_view(stage: Stage) -> None:
    async with stage.open().run_test(size=(40, 12)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)

        def seen() -> list[str | None]:
            return [one.id for one in screen_of(stage).query(Chart) if one.display]

        await until(pilot, lambda: seen() == ["race-loss"])
        await pilot.press("v")
        await until(pilot, lambda: seen() == ["race-gradient"])
        await pilot.press("escape")
        await until(pilot, lambda: seen() == ["race-loss"])
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: seen() == ["race-loss", "race-norm"])


async def test_escape_leaves_memory_and_then_the_race(stage: Stage) -> None:
    async with stage.open().run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        await pilot.press("v", "g", "escape")
        assert screen_of(stage).query_one(RaceCharts).view == "memory", "it left the prompt"
        await pilot.press("escape")
        assert screen_of(stage).query_one(RaceCharts).view == "curves"
        await pilot.press("escape")
        await until(pilot, lambda: stage.app.screen is stage.playground)


async def test_the_chart_of_all_variants_is_exported(stage: Stage) -> None:
    async with stage.open().run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await race_cells(stage, pilot)
        await pilot.press("e")
        assert "nothing to export" in stage.toasts[-1]
        for one in live_of(stage).entrants:
            make_run(stage.workspace, one.entry.run, steps=20)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(stage.app.screen, ExportScreen))
        names = [option.id for option in stage.app.screen.query_one(OptionList).options]
        assert names[:2] == ["svg", "png"] and "onnx" not in names
        assert stage.app.screen.query_one(Input).placeholder == "race-01.svg"


# --- real engines ---------------------------------------------------------------------------------------------


async def test_two_engines_race_from_the_key_to_the_ranking(workspace: Workspace) -> None:
    tiny = RunConfig(
        corpus="small", hidden=8, embedding=8, batch_size=4, bptt=16, steps=30, eval_every=10, precision="float32"
    )
    app = RnnplayApp(workspace, tiny)
    async with app.run_test(size=(120, 40)) as pilot:

        async def wait(condition: Callable[[], bool]) -> None:
            async with asyncio.timeout(120):
                while not condition():
                    await pilot.pause(0.02)

        await pilot.press("R")
        await wait(lambda: isinstance(app.screen, RaceDialog))
        await pilot.press("down", "down", "down", "down", "down", *"cell=rnn,lstm", "enter")
        await wait(lambda: app.playground._races.live is not None and app.playground._races.live.over)
        live = app.playground._races.live
        assert live is not None and isinstance(app.screen, RaceScreen)
        app.screen.show()
        lines = app.screen.query_one(RankTable).text()
        assert "at 30 steps" in lines[0]
        assert sorted(line.split()[0] for line in lines[1:]) == ["1", "2"]
        assert all("✓ finished" in line for line in lines[1:])
        app.screen.action_prompt()
        await pilot.press(*"the")
        await wait(lambda: all(one.completion is not None for one in live.entrants))
        assert [one.controller.state.phase for one in live.entrants] == [Phase.FINISHED] * 2
        await app.controllers.close()
        for one in live.entrants:
            assert RunFolder(workspace.checkpoints / one.entry.run).checkpoint("latest").step == 30
