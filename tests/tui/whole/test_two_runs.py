"""Two runs in one interface, each with its engine: one is shown, the other trains on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot
from textual.widgets import Input

from rnnplay.config import RunConfig, with_values
from rnnplay.engine import messages
from rnnplay.presets import preset_config
from rnnplay.runs.folder import RunFolder
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Ask
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import Stage, completion, make_run, progress, shown, started, step_at, until


def status_of(app: RnnplayApp) -> str:
    return shown(app.playground, "#status")


def ghost(stage: Stage) -> str:
    return stage.prompt.query_one(GhostInput).ghost


async def second_run(stage: Stage, pilot: Pilot[None], config: RunConfig) -> str:
    """Train another beside the one in front, which stays there; its name."""
    controller = stage.app.controllers.spare()
    await controller.start_engine()
    run = controller.train(config)
    stage.engines[1].say(messages.Ready(pid=2, torch="2", device="cpu"))
    stage.engines[1].say(progress([started(run), *(step_at(step, loss=3.0) for step in range(1, 6))]))
    await pilot.pause()
    return run


async def test_the_one_in_front_is_shown_and_the_other_trains_on(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 20)
        first, engine = stage.controller, stage.engines[0]
        other = with_values(preset_config(), {"cell": "gru", "hidden": 48})
        run = await second_run(stage, pilot, other)
        second = app.controllers.all[1]
        assert "training  step 20" in stage.status and f"● {run} step 5 (O)" in stage.status
        assert stage.form.config == first.state.config

        app.controllers.bring_to_front(second)
        await until(pilot, lambda: f"· {run}" in stage.status)
        assert "GRU 1×48" in stage.status and "step 5" in stage.status
        assert stage.form.config == other
        assert stage.main == "‖ Pause"
        assert stage.loss.series[0].history is second.state.loss

        engine.say(progress([step_at(21), step_at(22)]))
        stage.engines[1].say(progress([step_at(6)]))
        await until(pilot, lambda: "step 6" in stage.status)
        assert (first.state.step, first.state.phase) == (22, Phase.TRAINING)

        await pilot.press("space")
        assert stage.engines[1].of(messages.Pause) and not engine.of(messages.Pause)

        await until(pilot, lambda: f"{first.state.run} step 22 (O)" in stage.status)
        await pilot.press("O")
        await until(pilot, lambda: "training  step 22" in stage.status)
        assert stage.form.config == first.state.config


async def test_an_answer_of_the_run_behind_is_not_shown(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 20)
        await second_run(stage, pilot, preset_config())
        await pilot.press("g", "a")
        await until(pilot, lambda: bool(stage.engines[0].of(messages.Complete)))
        request = stage.engines[0].of(messages.Complete)[-1].request
        stage.engines[1].say(completion(request, "wrong", ("w", 1.0)))
        stage.engines[1].say(messages.Failed(message="no", command="complete", request=request))
        await pilot.pause()
        assert not ghost(stage) and not stage.toasts
        stage.engines[0].say(completion(request, "right", ("r", 1.0)))
        await until(pilot, lambda: ghost(stage) == "right")


async def test_what_was_changed_in_the_form_stays_with_its_run(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        first = stage.controller
        second = app.controllers.add(with_values(preset_config(), {"hidden": 32}))
        stage.form.set_value("hidden", 48)
        await pilot.pause()
        app.controllers.bring_to_front(second)
        await until(pilot, lambda: stage.form.config.hidden == 32)
        app.controllers.bring_to_front(first)
        await until(pilot, lambda: stage.form.config.hidden == 48)


async def test_a_run_that_was_chosen_is_resumed_where_it_was_chosen(stage: Stage) -> None:
    """Its history is read meanwhile, and another run may come to the front."""
    make_run(stage.workspace, "earlier", steps=20)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        first = stage.controller
        second = app.controllers.add(preset_config())
        await second.start_engine()
        stage.playground._saved.open("earlier", resume=True)
        app.controllers.bring_to_front(second)
        await until(pilot, lambda: bool(stage.engines[0].of(messages.Train)))
        (resumed,) = stage.engines[0].of(messages.Train)
        assert (resumed.run, resumed.resume, first.state.run) == ("earlier", True, "earlier")
        assert not stage.engines[1].of(messages.Train) and second.state.run is None


async def test_leaving_ends_both_engines(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.train(pilot)
        await second_run(stage, pilot, preset_config())
        await pilot.press("ctrl+q")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: app._exit)
        assert [engine.quits for engine in stage.engines] == [1, 1]


async def test_two_engines_train_side_by_side(workspace: Workspace) -> None:
    """Real ones: each takes steps of its own, whichever is shown."""
    tiny = RunConfig(corpus="small", hidden=8, batch_size=4, bptt=16, precision="float32", threads=1)
    app = RnnplayApp(workspace, tiny)
    async with app.run_test(size=(120, 40)) as pilot:

        async def wait(condition: Callable[[], bool]) -> None:
            async with asyncio.timeout(120):
                while not condition():
                    await pilot.pause(0.02)

        first, second = app.controllers.front, app.controllers.add(tiny)
        for controller in (first, second):
            assert await controller.start_engine()
            controller.train(tiny)
        await wait(lambda: min(first.state.step, second.state.step) > 5)
        assert first.state.run != second.state.run
        for front, behind in ((second, first), (first, second)):
            app.controllers.bring_to_front(front)
            await wait(lambda: f"· {front.state.run}" in status_of(app))  # noqa: B023
            before = behind.state.step
            await wait(lambda: behind.state.step > before + 5)  # noqa: B023
        await app.controllers.close()
        for controller in (first, second):
            folder = RunFolder(workspace.checkpoints / str(controller.state.run))
            assert folder.checkpoint("latest").step >= 5


async def test_a_run_that_is_renamed_in_the_list_is_known_by_its_new_name(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 20)
        await stage.stop(pilot)
        run = stage.state.run
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.highlighted == run)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Ask) and bool(app.screen.query(Input)))
        app.screen.query_one(Input).value = "best-yet"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("escape")
        await until(pilot, lambda: "· best-yet" in stage.status)
        await pilot.press("t")
        await until(pilot, lambda: len(stage.engine.of(messages.Train)) == 2)
        resumed = stage.engine.of(messages.Train)[-1]
        assert isinstance(resumed, messages.Train)
        assert (resumed.run, resumed.resume) == ("best-yet", True)
