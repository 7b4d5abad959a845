"""What actions tell the engine, and what becomes of the state. No widgets."""

from __future__ import annotations

import asyncio
import errno
from typing import Any

import pytest
from textual.message import Message

from rnnplay.config import RunConfig, SamplingConfig, with_values
from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit, start_trouble
from rnnplay.presets import preset_config
from rnnplay.runs.metrics.records import Finished
from rnnplay.runs.shipped import SHIPPED
from rnnplay.tui import run_controller as controller_module
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.widgets.status_line import describe
from tests.tui.stage import RUN, FakeEngine, Stage, make_run, progress, started, step_at


class Rig:
    """A controller whose engine is scripted."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.told: list[Message] = []
        self.controller = RunController(stage.workspace, self.told.append)

    @property
    def gone(self) -> list[EngineExit]:
        """How its engines ended."""
        return [one.ended for one in self.told if isinstance(one, RunController.EngineEnded)]

    async def restarted(self) -> bool:
        """Whether an engine is started, or was, in the place of the one that ended."""
        before = len(self.stage.engines)
        for _ in range(3):
            await asyncio.sleep(0)
        return len(self.stage.engines) > before

    @property
    def engine(self) -> FakeEngine:
        return self.stage.engine


@pytest.fixture
async def rig(stage: Stage) -> Rig:
    """With an engine that is ready."""
    made = Rig(stage)
    await made.controller.start_engine()
    made.engine.say(messages.Ready(pid=1, torch="2", device="cpu"))
    return made


def trained(rig: Rig, steps: int = 10, fraction: float = 0.1, **values: Any) -> RunConfig:
    """A run under way with some steps done; the config it was started with."""
    config = with_values(preset_config(), values)
    run = rig.controller.train(config)
    make_run(rig.stage.workspace, run, values)
    rig.engine.say(progress([started(run), *(step_at(step) for step in range(1, steps + 1))], fraction))
    return config


async def test_an_engine_asked_for_twice_is_started_once(stage: Stage) -> None:
    controller = RunController(stage.workspace, lambda _: None)
    await asyncio.gather(controller.start_engine(), controller.start_engine())
    await controller.start_engine()
    assert len(stage.engines) == 1


async def test_train_sends_the_config_under_a_new_name(rig: Rig) -> None:
    config = with_values(preset_config(), {"cell": "gru", "hidden": 32})
    run = rig.controller.train(config)
    assert rig.engine.sent == [messages.Train(config=config, run=run)]
    assert run == "tales-gru-32-01"
    assert rig.engine.log == rig.stage.workspace.checkpoints / run / "engine.log"
    assert (rig.controller.state.phase, rig.controller.state.run) == (Phase.PREPARING, run)


async def test_pause_continue_and_stop_are_sent_only_when_they_mean_something(rig: Rig) -> None:
    rig.controller.pause_or_continue()
    rig.controller.stop()
    rig.controller.tune("lr", 0.1)
    assert rig.engine.sent == []
    trained(rig)
    rig.engine.sent.clear()
    rig.controller.pause_or_continue()
    rig.engine.say(messages.Paused(step=10))
    rig.controller.pause_or_continue()
    rig.controller.tune("lr", 0.1)
    rig.controller.stop()
    assert rig.engine.sent == [
        messages.Pause(),
        messages.Continue(),
        messages.Tune(knob="lr", value=0.1),
        messages.Stop(),
    ]
    assert rig.controller.state.phase is Phase.STOPPING


async def test_each_request_has_a_greater_number(rig: Rig) -> None:
    numbers = [
        rig.controller.complete("a"),
        rig.controller.sample("a", SamplingConfig()),
        rig.controller.complete("ab"),
    ]
    assert numbers == sorted(set(numbers))
    assert [command.request for command in rig.engine.sent if hasattr(command, "request")] == numbers
    rig.controller.cancel()
    assert rig.engine.sent[-1] == messages.Cancel()


async def test_a_stopped_run_goes_on_with_its_own_config(rig: Rig) -> None:
    config = trained(rig)
    rig.engine.say(progress([Finished(step=10, reason="stopped")]))
    assert rig.controller.resumable(config)
    rig.controller.resume()
    assert rig.engine.sent[-1] == messages.Train(config=config, run="tales-lstm-256-01", resume=True)


@pytest.mark.parametrize(
    ("change", "resumable"),
    [
        ({}, True),
        ({"minutes": 9.0}, True),
        ({"steps": 500}, True),
        ({"clip": "off"}, True),
        ({"clip_threshold": 0.1, "lr": 0.1}, True),
        ({"hidden": 32}, False),
        ({"corpus": "python-docs"}, False),
        ({"seed": 2}, False),
    ],
)
async def test_a_run_goes_on_with_another_length_or_live_knob_only(
    rig: Rig, change: dict[str, Any], resumable: bool
) -> None:
    config = trained(rig)
    assert not rig.controller.resumable(config), "it is being trained"
    rig.engine.say(progress([Finished(step=10, reason="stopped")]))
    form = with_values(config, change)
    assert rig.controller.resumable(form) is resumable
    if resumable:
        rig.controller.resume(form)
        assert rig.engine.of(messages.Train)[-1].config == form
        assert rig.controller.state.config == form


async def test_a_run_that_is_not_on_disk_cannot_go_on(rig: Rig) -> None:
    """Its engine died before there was a folder, or it was removed."""
    config = preset_config()
    rig.controller.train(config)
    rig.engine.die()
    assert rig.controller.state.phase is Phase.ENGINE_GONE
    assert not rig.controller.resumable(config)


async def test_a_finished_run_goes_on_for_as_long_again(rig: Rig) -> None:
    config = trained(rig, fraction=1.0)
    rig.engine.say(progress([Finished(step=10, reason="length")], fraction=1.0))
    rig.controller.resume(config)
    assert rig.engine.of(messages.Train)[-1].config.minutes == 2 * config.minutes
    assert rig.controller.state.config == rig.engine.of(messages.Train)[-1].config


async def test_a_finished_run_goes_on_as_long_as_the_form_says_if_that_is_new(rig: Rig) -> None:
    config = trained(rig, fraction=1.0)
    rig.engine.say(progress([Finished(step=10, reason="length")], fraction=1.0))
    rig.controller.resume(with_values(config, {"steps": 123}))
    assert rig.engine.of(messages.Train)[-1].config.steps == 123


async def test_an_engine_that_dies_at_once_is_not_started_again_and_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.engine.die(1, "ImportError: no torch")
    assert [ended.cause for ended in rig.gone] == ["it ended with exit code 1: ImportError: no torch"]
    assert not rig.controller.engine_ready
    assert not await rig.restarted()
    monkeypatch.setattr(controller_module, "CRASH_SECONDS", -1.0)
    await rig.controller.start_engine()
    rig.engine.die()
    assert await rig.restarted()


async def test_an_engine_that_dies_in_training_is_started_again_for_prompts_and_resuming(rig: Rig) -> None:
    trained(rig)
    rig.engine.die()
    assert rig.controller.state.phase is Phase.ENGINE_GONE
    assert not rig.controller.send(messages.Pause())
    assert await rig.restarted()
    assert len(rig.stage.engines) == 2
    rig.controller.resume()
    (command,) = rig.engine.of(messages.Train)
    assert (command.run, command.resume) == (RUN, True)


async def test_an_engine_told_to_quit_is_not_missed(rig: Rig) -> None:
    await rig.controller.close()
    rig.controller._engine_ended(0.0, EngineExit(0, rig.engine.log, (), asked=True))
    assert rig.engine.quits == 1
    assert rig.gone == []
    assert not await rig.restarted()


async def test_why_no_engine_can_be_started_is_told(stage: Stage) -> None:
    stage.refusal = OSError(errno.ENOEXEC, "Exec format error")
    rig = Rig(stage)
    assert not await rig.controller.start_engine()
    (refused,) = rig.told
    assert isinstance(refused, RunController.EngineStartFailed) and "Exec format error" in refused.why


def test_why_an_engine_cannot_be_started() -> None:
    """A limit of the system is said as one; all else as the system says it."""
    files = start_trouble(OSError(errno.EMFILE, "Too many open files"))
    assert files.startswith("The engine could not be started. Too many files are open") and "Errno" not in files
    other = start_trouble(OSError(errno.ENOEXEC, "Exec format error"))
    assert "Exec format error; see `rnnplay doctor`." in other


async def test_what_the_user_changed_stays_wanted_when_a_resume_is_refused(rig: Rig) -> None:
    config = trained(rig, fraction=1.0)
    rig.engine.say(progress([Finished(step=10, reason="length")], fraction=1.0))
    state = rig.controller.state
    for refusal in ("vocabulary.json is damaged.", "Stopped before training began."):
        form = with_values(config, {"lr": 0.05})
        state.want(form)
        rig.controller.resume(form)
        assert rig.engine.of(messages.Train)[-1].config.lr == 0.05
        state.want(with_values(state.wanted, {"clip_threshold": 0.7}))  # while it is being prepared
        rig.engine.say(messages.Failed(message=refusal, command="train"))
        assert (state.phase, state.config) == (Phase.FINISHED, config)
        assert state.wanted == with_values(config, {"lr": 0.05, "clip_threshold": 0.7})
        state.want(config)


async def test_resuming_changes_only_what_may_change(rig: Rig) -> None:
    config = trained(rig)
    rig.engine.say(progress([Finished(step=10, reason="stopped")]))
    form = with_values(config, {"lr": 0.05, "hidden": 32})
    assert rig.controller.fixed_changes(form) == ["hidden"]
    rig.controller.resume(form, "10")
    (_, command) = rig.engine.of(messages.Train)
    assert (command.config, command.checkpoint) == (with_values(config, {"lr": 0.05}), "10")


READY = messages.Ready(pid=1, torch="2", device="cpu")


async def test_the_shipped_model_answers_where_there_is_no_run(stage: Stage) -> None:
    controllers = RunControllers(stage.workspace, lambda _: None, lends=True)
    await controllers.start_engine()
    (opened,) = stage.engine.of(messages.Open)
    state = controllers.front.state
    assert (opened.run, state.run, state.lent, state.model_coming) == (SHIPPED, None, "", True)
    stage.engine.say(READY, messages.Opened(run=SHIPPED, step=2500, parameters=9, vocabulary=9))
    assert (state.lent, state.model_run, state.model_step, state.step) == (SHIPPED, "", 2500, 0)
    # The first line is about the form's model, so the number of this one's parameters would be wrong there.
    assert not any("parameters" in piece.content.plain for piece in describe(state, preset_config("tiny")))
    controllers.front.train(preset_config())
    assert not state.lent
    assert not stage.engine.of(messages.Train)[0].resume


async def test_the_last_run_answers_while_none_is_open_and_the_shipped_model_in_its_place(stage: Stage) -> None:
    make_run(stage.workspace, "mine", steps=40, loss=1.0)
    controllers = RunControllers(stage.workspace, lambda _: None, lends=True)
    await controllers.start_engine()
    state, engine = controllers.front.state, stage.engine
    assert [(one.run, one.checkpoint) for one in engine.of(messages.Open)] == [("mine", "40")]
    engine.say(READY, messages.Opened(run="mine", step=40, parameters=9, vocabulary=9))
    assert (state.run, state.lent, state.model_run, state.model_step) == (None, "mine", "mine", 40)
    controllers.front.train(preset_config())
    engine.say(messages.Failed(message="The text is too short.", command="train"))
    await controllers.lend(controllers.front)
    assert engine.of(messages.Open)[-1].run == "mine", "the prompt is answered again"
    engine.say(messages.Failed(message="The weights are damaged.", command="open"))
    await controllers.lend(controllers.front)
    assert engine.of(messages.Open)[-1].run == SHIPPED
    engine.say(messages.Failed(message="The weights are damaged.", command="open"))
    await controllers.lend(controllers.front)
    assert len(engine.of(messages.Open)) == 3, "nothing is tried for ever"


async def test_a_branch_is_answered_for_by_what_it_will_begin_with(stage: Stage) -> None:
    make_run(stage.workspace, "mine", steps=40, loss=1.0)
    controllers = RunControllers(stage.workspace, lambda _: None, lends=True)
    controllers.front.state.begin(None, preset_config(), messages.BranchFrom(checkpoint="other@30"))
    await controllers.start_engine()
    assert [(one.run, one.checkpoint) for one in stage.engine.of(messages.Open)] == [("other", "30")]


async def test_no_model_is_lent_over_a_run(stage: Stage) -> None:
    controllers = RunControllers(stage.workspace, lambda _: None, lends=True)
    controllers.front.train(preset_config())
    await controllers.start_engine()
    assert stage.engine.of(messages.Open) == []


async def test_a_model_that_was_lent_comes_too_late_for_an_opened_run(stage: Stage) -> None:
    """The run is at another step, and its weights are still to come."""
    controllers = RunControllers(stage.workspace, lambda _: None, lends=True)
    await controllers.start_engine()
    state = RunState()
    state.begin(RUN, preset_config())
    state.step = 7
    controllers.front.load(state)
    stage.engine.say(READY, messages.Opened(run=SHIPPED, step=2500, parameters=9, vocabulary=9))
    assert (state.step, state.has_model) == (7, False)
    stage.engine.say(messages.Opened(run=RUN, step=7, parameters=9, vocabulary=9))
    assert state.has_model
