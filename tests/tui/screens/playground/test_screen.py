"""The playground: each key in each phase, what it tells the engine, and what the screen shows."""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import threading
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Input, Label

from rnnplay.config import SamplingConfig, with_values
from rnnplay.engine import messages
from rnnplay.inspection.results import Forced
from rnnplay.presets import preset_config
from rnnplay.runs.metrics.records import Record, Rollback, Skipped, Tuned
from rnnplay.runs.shipped import SHIPPED
from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.followed_run import FollowedRun
from rnnplay.tui.prompt.next_bars import NextBars
from rnnplay.tui.prompt.sample_view import SampleView
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.playground import saved_run_actions
from rnnplay.tui.screens.playground.go_back import GoBackScreen
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.setup.setup_pane import EventLog
from tests.tui.stage import (
    RUN,
    Stage,
    completion,
    falling,
    footer_keys,
    make_run,
    progress,
    shown,
    started,
    step_at,
    until,
)


def footer(stage: Stage) -> dict[str, str]:
    """Key → what the footer says of it."""
    return footer_keys(stage.playground)


async def enter(stage: Stage, pilot: Pilot[None], phase: Phase) -> None:
    """Bring the playground from any phase into `phase`; the engine's record of commands is empty then."""
    if not stage.controller.engine_ready:
        await stage.ready(pilot)
    if phase is not Phase.IDLE and not stage.controller.running:
        stage.engine.sent.clear()
        stage.playground.action_train()
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
    if phase not in (Phase.IDLE, Phase.PREPARING) and stage.state.phase is not Phase.TRAINING:
        await stage.begin(pilot, falling(20))
    if phase is Phase.PAUSED:
        await stage.pause(pilot)
    elif phase in (Phase.STOPPED, Phase.FINISHED):
        await stage.stop(pilot, "stopped" if phase is Phase.STOPPED else "length")
    elif phase is Phase.ENGINE_GONE:
        before = len(stage.engines)
        stage.engine.die()
        await until(pilot, lambda: len(stage.engines) == before + 1 and stage.engine.alive)
    stage.playground.show_state()
    await pilot.pause()
    assert stage.state.phase is phase
    stage.engine.sent.clear()


def commands(stage: Stage) -> list[messages.Command]:
    """What the engine was told, without requests for completions, which come by themselves."""
    return [command for command in stage.engine.sent if not isinstance(command, messages.Complete)]


# --- the run --------------------------------------------------------------------------------------------------

PHASES: dict[Phase, tuple[dict[str, str], str, dict[str, messages.Command]]] = {
    # phase: the keys of the footer, the main button, what t, space and x say
    Phase.IDLE: ({"t": "Train"}, "▶ Train", {}),
    Phase.PREPARING: ({"x": "Stop"}, "◌ Preparing", {"x": messages.Stop()}),
    Phase.TRAINING: (
        {"space": "Pause", "x": "Stop"},
        "‖ Pause",
        {"space": messages.Pause(), "f5": messages.Pause(), "x": messages.Stop()},
    ),
    Phase.PAUSED: (
        {"space": "Go on", "x": "Stop"},
        "▶ Continue",
        {"space": messages.Continue(), "f5": messages.Continue(), "x": messages.Stop()},
    ),
    Phase.STOPPED: ({"t": "Resume", "n": "New"}, "▶ Resume", {}),
    Phase.FINISHED: ({"t": "Resume", "n": "New"}, "▶ Resume", {}),
    Phase.ENGINE_GONE: ({"t": "Resume", "n": "New"}, "▶ Resume", {}),
}
ALWAYS = {"c ±", "g", "i", "e", "?", "^q"}


PHASES_IN_WORDS = {
    Phase.IDLE: "○ ready",
    Phase.PREPARING: "◌ preparing",
    Phase.TRAINING: "● training",
    Phase.PAUSED: "‖ paused",
    Phase.STOPPED: "■ stopped",
    Phase.FINISHED: "✓ finished",
    Phase.ENGINE_GONE: "✕ engine gone",
}


async def test_each_phase_offers_the_keys_that_do_something_and_no_others(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        for phase, (keys, label, sends) in PHASES.items():
            await enter(stage, pilot, phase)
            shown_keys = footer(stage)
            assert {key: shown_keys.get(key) for key in keys} == keys, phase
            assert not {"t", "space", "x", "n"} - set(keys) & set(shown_keys), phase
            assert set(shown_keys) >= ALWAYS, phase
            assert stage.main == label
            assert PHASES_IN_WORDS[phase] in stage.status
            for key in ("space", "f5", "x"):
                if key != "f5" or key in sends:
                    stage.engine.sent.clear()
                    await pilot.press(key)
                    assert commands(stage) == ([sends[key]] if key in sends else []), (phase, key)


async def test_one_key_trains_and_resumes(stage: Stage) -> None:
    """Enter: the main button has the focus at the start, and after the engine was gone."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        for number, key in enumerate(("enter", "f5"), 1):
            stage.engine.sent.clear()
            await pilot.press(key)
            await until(pilot, lambda: bool(commands(stage)))
            run = f"tales-lstm-256-{number:02}"
            assert commands(stage) == [messages.Train(config=preset_config(), run=run)]
            await pilot.press(key)  # again: one run is enough
            assert len(stage.engine.of(messages.Train)) == 1
            await stage.begin(pilot, falling(20))
            for phase in (Phase.STOPPED, Phase.ENGINE_GONE):
                await enter(stage, pilot, phase)
                await pilot.press(key)
                await until(pilot, lambda: bool(commands(stage)))
                assert commands(stage) == [messages.Train(config=preset_config(), run=run, resume=True)]
                assert stage.main == "◌ Preparing"
                await stage.begin(pilot, falling(20))
            await enter(stage, pilot, Phase.STOPPED)
            stage.state.run = None  # as at the start


async def test_n_begins_anew(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        for number, phase in enumerate((Phase.STOPPED, Phase.FINISHED, Phase.ENGINE_GONE), 2):
            await enter(stage, pilot, phase)
            await pilot.press("n")
            if phase is not Phase.FINISHED:  # that one could still go on
                await until(pilot, lambda: isinstance(app.screen, Confirm))
                assert not commands(stage)
                await pilot.press("left", "enter")
            await until(pilot, lambda: bool(commands(stage)))
            assert commands(stage) == [messages.Train(config=preset_config(), run=f"tales-lstm-256-{number:02}")]
            assert stage.state.step == 0


@pytest.mark.parametrize("key", ["t", "n"])
async def test_a_key_pressed_while_the_run_is_stopping_waits_until_it_has_stopped(stage: Stage, key: str) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        await pilot.press("x", key)
        assert stage.state.phase is Phase.STOPPING
        assert commands(stage) == [messages.Stop()]
        await stage.stop(pilot)
        if key == "t":
            await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
            assert stage.engine.of(messages.Train)[0].resume
        else:
            await until(pilot, lambda: isinstance(app.screen, Confirm))


async def test_a_key_that_waits_for_the_stop_is_dropped_when_another_run_comes_to_the_front(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        stopping = stage.controller
        await pilot.press("x", "t")
        app.controllers.bring_to_front(app.controllers.spare())
        stopping.state.phase = Phase.STOPPED
        await until(pilot, lambda: not any(one.group == "once stopped" for one in app.workers))
        assert commands(stage) == [messages.Stop()]


async def test_a_finished_run_resumed_is_twice_as_long_and_the_form_says_so(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.FINISHED)
        await pilot.press("t")
        await until(pilot, lambda: bool(commands(stage)))
        assert stage.engine.of(messages.Train)[0].config.minutes == 4.0
        assert stage.form.config.minutes == 4.0


async def test_another_model_in_the_form_makes_resume_train_again(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.STOPPED)
        stage.form.set_value("hidden", 32)
        await until(pilot, lambda: stage.main == "▶ Train")
        await until(pilot, lambda: footer(stage).get("t") == "Train")
        for answer in ("escape", "left enter"):  # it is asked first, since the run is unfinished
            assert not commands(stage)
            await pilot.press("t")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert "with hidden changed it cannot be resumed" in str(app.screen.query_one(Label).content)
            await pilot.press(*answer.split())
            await until(pilot, lambda: app.screen is stage.playground)
        await until(pilot, lambda: bool(commands(stage)))
        (command,) = stage.engine.of(messages.Train)
        assert (command.run, command.resume, command.config.hidden) == ("tales-lstm-32-01", False, 32)


async def test_the_buttons_by_mouse(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        for button in stage.playground.query(Button):
            button.active_effect_duration = 0  # while it lasts, some 0.2 s, a button takes no second click
        await pilot.click("#stop")  # nothing to stop yet
        await pilot.click("#main")
        await until(pilot, lambda: bool(commands(stage)))
        await stage.begin(pilot, falling(20))
        await pilot.click("#main")
        await stage.pause(pilot)
        await pilot.click("#main")
        await pilot.click("#stop")
        assert commands(stage) == [
            messages.Train(config=preset_config(), run=RUN),
            messages.Pause(),
            messages.Continue(),
            messages.Stop(),
        ]
        assert "stopping" in stage.status


async def test_the_status_line_says_what_is_being_prepared_and_how_far_it_is(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(stage.engines))
        assert "engine starting" in stage.status
        await enter(stage, pilot, Phase.PREPARING)
        await stage.say(pilot, messages.Preparing(what="encoding", done=30, total=120))
        assert "preparing  encoding 25%" in stage.status
        await stage.begin(pilot, [step_at(1240)], fraction=0.31, left=92.0)
        assert "training  step 1,240  31%  62k tok/s  1:32 left" in stage.status
        assert "369k parameters" in stage.status
        assert RUN in stage.status


async def test_charts_and_sparklines_follow_the_records(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        assert [series.history for series in stage.loss.series] == [
            stage.state.loss,
            stage.state.validation_loss,
        ]
        assert "nats per token" not in shown(stage.playground, "#loss-chart")
        assert "▁" in shown(stage.playground, "#loss-spark")
        await stage.say(pilot, progress([step_at(21, loss=math.nan, norm=math.nan)]))
        assert "✕" in shown(stage.playground, "#loss-spark")
        await stage.say(pilot, progress([step_at(22, norm=2.5)]))
        assert "last 2.5 → 1" in stage.norm.readout


async def test_events_are_shown_without_being_asked_for(stage: Stage) -> None:
    """In `say` the test hurries the screen; the engine does not."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        stage.engine.say(progress([step_at(777)]))
        await until(pilot, lambda: "step 777" in stage.status)


# --- live knobs -----------------------------------------------------------------------------------------------


async def test_a_live_knob_by_key_is_told_to_the_engine(stage: Stage) -> None:
    app = stage.open(config=with_values(preset_config(), {"clip_threshold": 1.0}))
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        for key, knob, value in (
            ("plus", "clip_threshold", 2.0),
            ("equals_sign", "clip_threshold", 5.0),
            ("f8", "clip_threshold", 10.0),
            ("minus", "clip_threshold", 5.0),
            ("f7", "clip_threshold", 2.0),
            ("c", "clip", "off"),
            ("f6", "clip", "norm"),
        ):
            stage.engine.sent.clear()
            await pilot.press(key)
            await until(pilot, lambda: bool(commands(stage)))
            assert commands(stage) == [messages.Tune(knob=knob, value=value)]
            assert getattr(stage.form.config, knob) == value


async def test_what_the_run_sets_by_itself_stands_in_the_form_and_is_kept_on_resuming(stage: Stage) -> None:
    app = stage.open(config=with_values(preset_config(), {"clip": "off", "clip_threshold": 1.0}))
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        remedy: list[Record] = [
            Tuned(step=1, knob="clip", value="norm"),
            Tuned(step=1, knob="clip_threshold", value=0.5),
        ]
        await stage.say(pilot, progress(remedy))
        assert (stage.form.config.clip, stage.form.config.clip_threshold) == ("norm", 0.5)
        assert not stage.engine.of(messages.Tune)
        await pilot.press("plus", "plus")
        await until(pilot, lambda: len(stage.engine.of(messages.Tune)) == 2)
        await stage.say(pilot, progress([Tuned(step=2, knob="clip_threshold", value=1.0)]))
        assert stage.form.config.clip_threshold == 2.0, "an older answer does not move it back"
        await stage.say(pilot, progress([Tuned(step=2, knob="clip_threshold", value=2.0)]))
        await stage.say(pilot, progress([Tuned(step=3, knob="clip_threshold", value=0.5)]))
        await stage.stop(pilot)
        await pilot.press("t")
        await until(pilot, lambda: len(stage.engine.of(messages.Train)) == 2)
        again = stage.engine.of(messages.Train)[-1]
        assert isinstance(again, messages.Train)
        assert (again.resume, again.config.clip, again.config.clip_threshold) == (True, "norm", 0.5)


async def test_what_is_typed_right_after_the_key_for_the_prompt_arrives_there(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        for character in "gText":  # faster than the loop turns
            app.post_message(events.Key(character, character))
        await until(pilot, lambda: stage.playground.prompt.text == "Text")


async def test_clipping_comes_back_as_what_it_was(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.set_value("clip", "value")
        clips = []
        for _ in range(2):
            await pilot.press("c")
            clips.append(stage.form.config.clip)
        assert clips == ["off", "value"]
        assert commands(stage) == [], "no run: nothing to tune"


async def test_the_threshold_line_is_where_the_engine_says(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        assert "clip" in shown(stage.playground, "#norm-chart")
        await stage.say(pilot, progress([Tuned(step=20, knob="clip_threshold", value=0.25), step_at(21)]))
        assert stage.norm._model.threshold == 0.25
        await stage.say(pilot, progress([Tuned(step=21, knob="clip", value="off"), step_at(22)]))
        assert stage.norm._model.threshold is None
        assert stage.norm.readout == "clipping off"


# --- the form -------------------------------------------------------------------------------------------------


async def test_a_wrong_value_keeps_train_from_starting_and_says_why(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.field("hidden").focus()
        await pilot.press("0")
        await until(pilot, lambda: bool(stage.form.errors))
        stage.playground.refresh_bindings()
        await until(pilot, lambda: "f5" in footer(stage))
        assert not {"t", "+/-"} & set(footer(stage)), "they are no commands here"
        for press in ("f5", "enter"):
            await pilot.press(press)
        await pilot.click("#main")
        await until(pilot, lambda: bool(stage.toasts))
        assert "hidden must be a whole number from 1 to 16,384; got 0." in stage.toasts[-1]
        assert commands(stage) == []
        stage.form.field("hidden").focus()
        await pilot.press("escape", "f5")
        await until(pilot, lambda: bool(commands(stage)))


async def test_arrows_lead_from_the_train_button_into_the_form(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("down")
        assert app.focused is stage.form._preset_field
        stage.playground.query_one("#main").focus()
        await pilot.press("up", "up")
        assert app.focused is stage.form.field("steps")


async def test_a_text_file_picked_is_the_corpus(stage: Stage) -> None:
    path = stage.workspace.root / "mine.txt"
    path.write_text("a text of my own\n" * 100, encoding="utf-8")
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.post_message(stage.form.CorpusFileWanted(stage.form))
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is stage.playground)
        assert stage.form.config.corpus == str(path)
        assert stage.form.field("corpus").text == "mine.txt"
        await until(pilot, lambda: "mine.txt" in stage.status)
        await pilot.press("t")
        await until(pilot, lambda: bool(commands(stage)))
        assert stage.engine.of(messages.Train)[0].run == "mine-lstm-256-01"


async def test_leaving_the_file_picker_changes_nothing(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.post_message(stage.form.CorpusFileWanted(stage.form))
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        assert stage.form.config == preset_config()


# --- the engine -----------------------------------------------------------------------------------------------


async def test_what_fails_is_said(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.PREPARING)
        await stage.say(pilot, messages.Failed(message="The text is [too] short.", command="train"))
        assert stage.toasts == ["The text is [too] short."]
        assert stage.main == "▶ Train"
        assert stage.form.field("cell").can_focus


async def test_an_engine_that_dies_is_said_with_its_cause_and_how_to_go_on(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        stage.state.checkpoint_step = 15
        stage.engine.die(1, "RuntimeError: [boom]")
        await until(pilot, lambda: bool(stage.trouble))
        assert stage.trouble == (
            "✕ The engine is gone: it ended with exit code 1: RuntimeError: [boom]. "
            f"Press t (F5 while typing) to resume {RUN} from the checkpoint at step 15."
        )
        await until(pilot, lambda: len(stage.engines) == 2 and stage.engine.alive)
        await pilot.press("t")
        await until(pilot, lambda: bool(commands(stage)))
        await stage.begin(pilot, [step_at(16)])
        assert stage.trouble == ""


async def test_an_engine_that_dies_idle_is_started_again_by_training(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.engine.die(1)
        await until(pilot, lambda: "It is started again when you train." in stage.trouble)
        assert len(stage.engines) == 1
        await pilot.press("t")
        await until(pilot, lambda: len(stage.engines) == 2 and bool(commands(stage)))
        await stage.begin(pilot, falling(3))
        assert stage.trouble == ""


async def test_where_nothing_can_be_trained_that_is_said_and_runs_are_opened(stage: Stage) -> None:
    make_run(stage.workspace, RUN)
    stage.workspace.corpora.rename(stage.workspace.root / "elsewhere")
    stage.workspace.corpora.write_text("in its place", encoding="utf-8")
    app = stage.open(run=RUN)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(stage.engines) and bool(stage.engine.of(messages.Open)))
        assert "corpora is a file, and has to be a folder" in stage.trouble
        assert "Runs can be opened (o), prompted and inspected." in stage.trouble
        stage.playground.action_train()
        await until(pilot, lambda: any("corpora is a file" in toast for toast in stage.toasts))
        assert not stage.engine.of(messages.Train)


async def test_an_engine_that_does_not_answer_is_said_with_what_can_be_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QUIET_SECONDS", "SILENT_SECONDS"):
        monkeypatch.setattr(f"rnnplay.engine.silence.{name}", 0.0)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        stage.state.checkpoint_step = 15
        stage.playground._display.every_second()
        assert "tok/s" in stage.status and not stage.trouble, "it has answered"
        stage.engine.answers = False
        for _ in range(2):  # asks, and finds no answer
            stage.playground._display.every_second()
        await pilot.pause()
        assert re.search(r"no answer for \d+ s", stage.status) and "tok/s" not in stage.status
        assert "(process 4321) does not answer" in stage.trouble and "the checkpoint at step 15" in stage.trouble
        assert {"space": "Go on", "x": "Stop"}.items() <= footer(stage).items()
        await pilot.press("space")
        assert stage.engine.woken == 1 and not stage.engine.of(messages.Pause)
        stage.engine.answers = True
        await stage.say(pilot, progress([step_at(21)]))
        stage.playground._display.every_second()
        await pilot.pause()
        assert not stage.trouble and "tok/s" in stage.status
        stage.engine.answers = False
        for _ in range(2):
            stage.playground._display.every_second()
        await pilot.press("x", "left", "enter")
        await until(pilot, lambda: stage.state.phase is Phase.ENGINE_GONE)
        assert "it did not respond and was killed. Press t (F5 while typing) to resume" in stage.trouble


async def test_a_step_that_takes_long_is_said_and_is_no_silence(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnplay.engine.silence.QUIET_SECONDS", 0.0)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        stage.engine.busy = 45.2
        stage.playground._display.every_second()
        await pilot.pause()
        assert "at this step for 45 s" in stage.status and not stage.trouble


async def test_an_engine_that_cannot_be_started_is_said(stage: Stage) -> None:
    stage.refusal = FileNotFoundError(2, "No such file")
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "could not be started" in stage.trouble)
        assert "No such file" in stage.trouble
        await pilot.press("t")
        await until(pilot, lambda: len(stage.engines) == 2)
        await pilot.pause()
        assert not stage.controller.running


# --- prompts --------------------------------------------------------------------------------------------------


async def test_each_key_asks_anew_and_only_the_newest_answer_is_shown(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        await pilot.press("g", "t", "h")
        await until(pilot, lambda: [command.text for command in stage.engine.of(messages.Complete)][-1:] == ["th"])
        asked = stage.engine.of(messages.Complete)
        assert [command.text for command in asked][-2:] == ["t", "th"]
        older, newer = asked[-2:]
        assert older.request < newer.request
        assert commands(stage) == [], "t and h are text here"
        stage.engine.say(completion(older.request, "wo", ("w", 0.5)))
        await pilot.pause()
        assert stage.prompt._input.ghost == ""
        stage.engine.say(completion(newer.request, "ere", ("e", 0.9)))
        await pilot.pause()
        assert stage.prompt._input.ghost == "ere"
        assert "90%" in shown(stage.playground, "#next-bars")
        await pilot.press("tab")
        assert stage.prompt.text == "there"
        await until(pilot, lambda: stage.engine.of(messages.Complete)[-1].text == "there")


async def test_enter_asks_for_a_sample_which_streams_and_typing_ends_it(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        stage.prompt.sampling = SamplingConfig(temperature=0.5, seed=7)
        await pilot.press("g", "A", "enter")
        await until(pilot, lambda: bool(stage.engine.of(messages.Sample)))
        (sample,) = stage.engine.of(messages.Sample)
        assert (sample.prompt, sample.sampling.temperature, sample.sampling.seed) == ("A", 0.5, 7)
        stage.engine.say(messages.SampleText(request=sample.request, text=" little"))
        stage.engine.say(messages.SampleText(request=sample.request - 1, text=" WRONG"))
        stage.engine.say(messages.SampleText(request=sample.request, text=" fox"))
        view = stage.prompt.query_one(SampleView)
        await until(pilot, lambda: view.last == "A little fox")
        assert stage.prompt.streaming
        await until(pilot, lambda: footer(stage).get("esc") == "Stop the sample")
        await pilot.press("b")
        await until(pilot, lambda: commands(stage)[-1] == messages.Cancel())
        assert not stage.prompt.streaming
        stage.engine.say(messages.SampleText(request=sample.request, text=" late"))
        await pilot.pause()
        assert view.last == "A little fox"


async def test_escape_ends_the_sample_and_then_leaves_the_field(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        await pilot.press("g", "A", "enter")
        await until(pilot, lambda: stage.prompt.streaming)
        await pilot.press("escape")
        await until(pilot, lambda: commands(stage)[-1] == messages.Cancel())
        assert isinstance(app.focused, Input)
        await until(pilot, lambda: footer(stage).get("esc") == "Leave")
        await pilot.press("escape")
        assert isinstance(app.focused, Chart)
        await pilot.press("space")
        assert commands(stage)[-1] == messages.Pause()


async def test_while_typing_the_footer_tells_the_keys_that_work(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        await pilot.press("g")
        await until(pilot, lambda: "f5" in footer(stage))
        assert set(footer(stage)) == {"f5", "f6", "f7/f8", "esc", "^t", "^q"}
        await pilot.press("c", "plus", "space", "x", "question_mark")
        assert stage.prompt.text == "c+ x?"
        assert commands(stage) == []
        await pilot.press("f6")
        await until(pilot, lambda: commands(stage) == [messages.Tune(knob="clip", value="off")])


async def test_without_a_model_enter_says_what_to_do_and_nothing_is_asked(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("g", "A", "enter")
        await pilot.pause()
        assert stage.engine.sent == []
        assert "train a model first" in shown(stage.playground, "#prompt-error")


async def test_what_was_typed_too_early_is_completed_once_there_is_a_model(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("g", "A")
        await pilot.press("f5")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.engine.of(messages.Complete) == []
        await stage.begin(pilot, falling(3))
        await until(pilot, lambda: [c.text for c in stage.engine.of(messages.Complete)] == ["A"])


async def test_the_sample_ends_with_its_engine(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        await pilot.press("g", "A", "enter")
        await until(pilot, lambda: stage.prompt.streaming)
        stage.engine.die()
        await until(pilot, lambda: not stage.prompt.streaming)
        await pilot.pause()
        assert stage.prompt.query_one(NextBars)._next == []


# --- runs -----------------------------------------------------------------------------------------------------


async def test_a_run_named_at_the_start_is_opened_with_its_history(stage: Stage) -> None:
    make_run(stage.workspace, "earlier", {"cell": "gru"}, steps=120, loss=1.6)
    app = stage.open(run="earlier")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(stage.engines) and stage.engine.sent == [messages.Open(run="earlier")])
        assert len(stage.state.loss) == 120
        assert stage.state.validation_loss.last_step == 100
        await until(pilot, lambda: stage.form.config.cell == "gru")
        await until(pilot, lambda: "stopped  step 120" in stage.status)
        await pilot.press("t")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        (command,) = stage.engine.of(messages.Train)
        assert (command.run, command.resume, command.config.cell) == ("earlier", True, "gru")


async def test_a_run_that_is_not_there_is_said_and_the_playground_is_ready(stage: Stage) -> None:
    app = stage.open(run="nobody")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: any("nobody" in toast for toast in stage.toasts))
        await stage.ready(pilot)
        assert stage.main == "▶ Train"


async def test_enter_while_the_run_is_opened_is_done_when_it_is_there(stage: Stage) -> None:
    """Its history is read, and says that it was trained, long before the engine has its weights."""
    run = make_run(stage.workspace, "earlier", steps=20)
    run.log.append([started("earlier")])
    run.log.flush()
    app = stage.open(run="earlier")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("g", "A", "enter")
        await until(pilot, lambda: bool(stage.engines) and stage.engine.sent == [messages.Open(run="earlier")])
        stage.playground.show_state()
        await pilot.pause()
        assert stage.state.started is not None and not stage.state.has_model
        assert "as soon as the model is there" in shown(stage.playground, "#prompt-error")
        assert "on its way" in str(stage.prompt.border_subtitle)
        await stage.say(pilot, messages.Opened(run="earlier", step=20, parameters=1000, vocabulary=65))
        await until(pilot, lambda: not stage.prompt.border_subtitle)
        await until(pilot, lambda: [sample.prompt for sample in stage.engine.of(messages.Sample)] == ["A"])


async def test_a_run_that_cannot_be_opened_ends_the_waiting(stage: Stage) -> None:
    make_run(stage.workspace, "earlier", steps=20)
    app = stage.open(run="earlier")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(stage.engines) and bool(stage.engine.sent))
        await pilot.press("g", "A", "enter")
        await stage.say(pilot, messages.Failed(command="open", message="The weights are gone."))
        assert not stage.state.model_coming
        await pilot.press("enter")
        assert "no model that can be loaded" in shown(stage.playground, "#prompt-error")


async def test_digits_open_the_views_of_the_inspection(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        for digit in ("3", "7", "1"):
            await pilot.press(digit)
            await until(pilot, lambda: isinstance(app.screen, InspectScreen))
            assert isinstance(app.screen, InspectScreen) and app.screen._index == int(digit) - 1
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is stage.playground)


async def test_the_function_keys_do_the_same_in_the_inspection(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen))
        for place in ("view", "text"):
            stage.engine.sent.clear()
            await pilot.press("f5", "f6", "f6", "f8")
            await until(pilot, lambda: len(stage.engine.of(messages.Tune)) == 3)
            assert len(stage.engine.of(messages.Pause)) == 1, place
            await pilot.press("e")


async def test_a_run_opened_answers_prompts_without_training(stage: Stage) -> None:
    make_run(stage.workspace, "earlier", steps=120, loss=1.6, finished="length")
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.highlighted == "earlier")
        await pilot.press("o")
        await until(pilot, lambda: commands(stage) == [messages.Open(run="earlier")])
        await stage.say(pilot, messages.Opened(run="earlier", step=120, parameters=1000, vocabulary=65))
        assert "finished  step 120" in stage.status
        assert stage.main == "▶ Resume"
        await pilot.press("g", "A", "enter")
        await until(pilot, lambda: bool(stage.engine.of(messages.Sample)))
        assert [command.text for command in stage.engine.of(messages.Complete)][-1] == "A"


async def test_the_border_says_which_run_answers_while_none_is_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    branched: list[tuple[str, ...]] = []
    monkeypatch.setattr(saved_run_actions.SavedRunActions, "branch", lambda _, *parent: branched.append(parent))
    make_run(stage.workspace, "mine", steps=4, loss=1.0)
    async with stage.open(lends=True).run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await until(pilot, lambda: stage.engine.of(messages.Open) != [])
        await stage.say(pilot, messages.Opened(run="mine", step=4, parameters=9, vocabulary=9))
        assert str(stage.prompt.border_subtitle).startswith("mine at step 4 · t trains a new one")
        await pilot.press("b")
        assert branched == [("mine", "4")]


async def test_after_a_run_that_could_not_begin_prompts_are_answered_again(stage: Stage) -> None:
    async with stage.open(lends=True).run_test() as pilot:
        await stage.ready(pilot)
        await until(pilot, lambda: stage.engine.of(messages.Open) != [])
        await stage.say(pilot, messages.Opened(run=SHIPPED, step=9, parameters=9, vocabulary=9))
        await pilot.press("t")
        await until(pilot, lambda: stage.engine.of(messages.Train) != [])
        await stage.say(pilot, messages.Failed(message="The text is too short.", command="train"))
        await until(pilot, lambda: len(stage.engine.of(messages.Open)) == 2)


async def test_what_is_forced_in_one_model_is_not_in_another_that_is_resumed(stage: Stage) -> None:
    """An RNN has no gate that could be held closed."""
    make_run(stage.workspace, "earlier", {"cell": "rnn"}, steps=120)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.playground.controller.force([Forced(layer=0, quantity="input_gate", value=0.0)])
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.highlighted == "earlier")
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.engine.of(messages.WhatIf)[-1] == messages.WhatIf(forced=[])
        assert stage.playground.controller.forced == ()


async def test_a_run_is_opened_although_the_engine_had_died(stage: Stage) -> None:
    make_run(stage.workspace, "earlier", steps=120)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.engine.die(1)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.highlighted == "earlier")
        await pilot.press("o")
        await until(pilot, lambda: len(stage.engines) == 2 and bool(stage.engine.of(messages.Open)))


async def test_another_run_is_opened_beside_the_one_that_trains(stage: Stage) -> None:
    """It has an engine of its own, which a third one takes over: each takes some 300 MB."""
    for name in ("earlier", "first"):
        make_run(stage.workspace, name, steps=120)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.TRAINING)
        training = stage.controller
        for name in ("earlier", "first"):
            await pilot.press("o")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.highlighted is not None)
            while app.screen.highlighted != name:  # type: ignore[attr-defined]
                await pilot.press("down")
            await pilot.press("o")
            await until(pilot, lambda: len(stage.engines) == 2 and messages.Open(run=name) in stage.engines[1].sent)  # noqa: B023
            assert stage.controller is not training and stage.state.run == name
            assert training.state.phase is Phase.TRAINING and f"● {RUN}" in stage.status
            await pilot.press("O")
            await until(pilot, lambda: stage.state.run == RUN)
        assert len(stage.engines) == 2 and not stage.engines[0].of(messages.Open)


async def test_a_run_that_is_still_read_when_another_begins_does_not_replace_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(stage.workspace, "earlier", steps=120)
    read = threading.Event()

    class Slow(FollowedRun):
        def __init__(self, *arguments: Any) -> None:
            assert read.wait(60)
            super().__init__(*arguments)

    monkeypatch.setattr(saved_run_actions, "FollowedRun", Slow)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.playground._saved.open("earlier")
        await until(pilot, lambda: stage.state.opening)
        await stage.train(pilot)
        read.set()
        await until(pilot, lambda: any("stop it (x)" in toast for toast in stage.toasts))
        assert (stage.state.run, stage.state.phase) == (RUN, Phase.TRAINING)
        assert not stage.state.opening and not stage.engine.of(messages.Open)


@pytest.mark.parametrize("opens", [True, False])
async def test_of_two_commands_that_wait_for_the_engine_one_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    """A run that began is not disturbed by an Open; and what was said of one run is not done to another."""
    make_run(stage.workspace, "earlier", steps=120)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await enter(stage, pilot, Phase.STOPPED)
        there, waiting = asyncio.Event(), []

        async def slow() -> bool:
            waiting.append(True)
            if len(waiting) == 1:
                await there.wait()
            return True

        monkeypatch.setattr(stage.controller, "start_engine", slow)
        if opens:
            stage.playground._saved.open("earlier")
            await until(pilot, lambda: bool(waiting))
            stage.playground._runs.resume(stage.controller)
            await until(pilot, lambda: bool(commands(stage)))
        else:
            stage.playground._runs.resume(stage.controller)
            await until(pilot, lambda: bool(waiting))
            stage.playground._saved.open("earlier")
            await until(pilot, lambda: bool(commands(stage)))
        there.set()
        await pilot.pause()
        await app.workers.wait_for_complete([one for one in app.workers if one.node is stage.playground])
        (command,) = commands(stage)
        assert isinstance(command, messages.Train if opens else messages.Open) and command.run == "earlier"
        assert not opens or not stage.state.opening


# --- the room -------------------------------------------------------------------------------------------------


async def test_setup_folds_and_unfolds_by_key(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        setup = stage.playground.query_one("#setup")
        assert setup.display
        await pilot.press("e")
        assert not setup.display
        assert isinstance(app.focused, Chart)
        await pilot.press("e")
        assert setup.display
        assert app.focused is stage.playground.query_one("#main", Button)


async def test_on_a_small_screen_setup_makes_room_once_there_is_a_run(stage: Stage) -> None:
    """And does not come back by itself when the run ends: nothing jumps under a reader."""
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        setup = stage.playground.query_one("#setup")
        assert setup.display
        await stage.train(pilot)
        assert not setup.display
        await stage.stop(pilot, "length")
        assert not setup.display
        await pilot.press("e")
        assert setup.display
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: setup.display)


async def test_help_is_for_what_has_the_focus_and_goes_by_the_same_key(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.field("clip_threshold").focus()
        await pilot.press("question_mark")
        await until(pilot, lambda: bool(stage.playground.query("HelpPane #widget-help MarkdownBlock")))
        assert "clip_threshold" in stage.playground.query_one("#widget-help")._markdown  # type: ignore[attr-defined]
        assert "Threshold" in shown(stage.playground, "#screen-keys")
        await pilot.press("question_mark")
        await until(pilot, lambda: not stage.playground.query("HelpPane"))


async def test_f1_helps_while_text_is_typed_and_a_question_mark_is_text(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("g", "a", "question_mark")
        assert stage.prompt.text == "a?"
        await pilot.press("f1")
        await until(pilot, lambda: bool(stage.playground.query("HelpPanel")))


async def test_the_footer_follows_the_focus_of_a_number(stage: Stage) -> None:
    """While a number may be typed the single keys are not the screen's, and are not shown."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        field = stage.form.query_one("#knob-hidden")
        field.focus()
        await until(pilot, lambda: "f5" in footer(stage))
        assert "t" not in footer(stage)
        await pilot.press("6", "escape", "escape")  # takes the 6 back, and leaves the field
        await until(pilot, lambda: "t" in footer(stage) and "f5" not in footer(stage))


async def test_on_a_small_screen_help_stands_beside_what_it_is_about(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        setup, work = stage.playground.query_one("#setup"), stage.playground.query_one("#work")
        for inside in (stage.form.field("hidden"), stage.loss):
            inside.focus()
            await pilot.press("f1")
            await until(pilot, lambda: bool(stage.playground.query("HelpPane")))
            assert (setup.display, work.display) == ((False, True) if inside is stage.loss else (True, False))
            assert app.focused is inside
            await pilot.press("f1")
            await until(pilot, lambda: not stage.playground.query("HelpPane"))
            assert setup.display
            assert work.display


async def test_help_longer_than_the_screen_is_read_by_pages(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        stage.loss.focus()
        await pilot.press("f1")
        await until(pilot, lambda: any(pane.max_scroll_y for pane in stage.playground.query("HelpPane")))
        pane = stage.playground.query_one("HelpPane")
        await pilot.press("pagedown")
        await until(pilot, lambda: pane.scroll_y == min(pane.max_scroll_y, pane.size.height))
        await pilot.press("pageup")
        await until(pilot, lambda: pane.scroll_y == 0)
        await pilot.press("pagedown")
        await until(pilot, lambda: pane.scroll_y > 0)
        stage.norm.focus()
        await until(pilot, lambda: pane.scroll_y == 0)


async def test_before_there_is_a_run_the_norm_says_what_its_clip_will_be(stage: Stage) -> None:
    """Nothing else does where the settings are folded."""
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await pilot.press("e")
        await until(pilot, lambda: stage.norm.readout == "clip norm at 0.4")
        await pilot.press("plus")
        await until(pilot, lambda: stage.norm.readout == "clip norm at 0.5")
        await pilot.press("c")
        await until(pilot, lambda: stage.norm.readout == "clipping off")
        assert not stage.toasts


async def test_any_size_holds(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(200, 60)) as pilot:
        await stage.train(pilot)
        for size in ((200, 60), (120, 40), (80, 24), (40, 12), (1, 1), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            if size >= (40, 12):
                assert stage.playground.query_one("#prompt-input").region.height == 1, size
                assert stage.loss.region.height >= 3, size


# --- going back, and what happened ----------------------------------------------------------------------------


async def test_b_goes_back_to_a_checkpoint_of_the_list(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("b")
        await until(pilot, lambda: any("There is no run to put back" in toast for toast in stage.toasts))
        make_run(stage.workspace, RUN, steps=20, loss=1.5)
        await stage.train(pilot)
        stage.state.run = RUN
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoBackScreen))
        assert "step        20   validation 1.500" in shown(app.screen, "OptionList")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        assert not stage.engine.of(messages.GoBack)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoBackScreen))
        for answer in ("escape", "enter", "left enter"):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert not stage.engine.of(messages.GoBack)
            await pilot.press(*answer.split())
            await until(pilot, lambda: not isinstance(app.screen, Confirm))
        await until(pilot, lambda: bool(stage.engine.of(messages.GoBack)))
        assert stage.engine.of(messages.GoBack) == [messages.GoBack(checkpoint="20")]


async def test_b_on_a_run_that_was_stopped_goes_on_from_the_checkpoint_chosen(stage: Stage) -> None:
    """Where the newest checkpoint is no good, this is the way on."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        name = stage.state.run
        assert name is not None
        shutil.rmtree(stage.workspace.checkpoints / name)
        make_run(stage.workspace, name, steps=10, loss=1.5)
        stage.form.set_value("lr", 0.05)  # taken along, as by t
        stage.form.set_value("hidden", 32)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoBackScreen))
        await pilot.press("enter", "left", "enter")
        await until(pilot, lambda: len(stage.engine.of(messages.Train)) == 2)
        assert not stage.engine.of(messages.GoBack)
        again = stage.engine.of(messages.Train)[-1]
        assert isinstance(again, messages.Train)
        assert (again.run, again.resume, again.checkpoint) == (name, True, "10")
        assert again.config == with_values(preset_config(), {"lr": 0.05})
        assert any("hidden cannot change when a run is resumed" in toast for toast in stage.toasts)


async def test_a_rollback_is_a_mark_a_line_in_the_log_and_a_message(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, steps=40)
        assert not stage.playground.query_one(EventLog).display
        skipped = Skipped(step=41, cause="gradient not finite", where="rnn.weight_hh_l0")
        back = Rollback(
            step=43,
            to=30,
            cause="gradient not finite",
            where="rnn.weight_hh_l0",
            remedy="lower-rate",
            changed={"lr": 0.001},
            count=1,
        )
        tuned = Tuned(step=30, knob="lr", value=0.001)
        await stage.say(pilot, progress([step_at(41, norm=math.nan), skipped, back, tuned, step_at(31)]))
        log = shown(stage.playground, "#events")
        for words in ("43 gradient not finite", "back to step 30", "30 lr set to 0.001"):
            assert words in " ".join(log.split()), log
        assert "41 step skipped" not in log, "the oldest makes room, not the newest"
        assert [mark.step for mark in stage.loss.marks] == [30]
        assert stage.state.step == 31, "what came after the state it went back to is no longer so"
        assert any("back to step 30; lr is now 0.001" in toast for toast in stage.toasts)


async def test_escape_takes_back_what_was_typed_into_the_form(stage: Stage) -> None:
    """Each key already changes what is shown; only Enter, or leaving the field, makes the value that of the run."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        before = stage.form.config
        stage.form.field("lr").focus()
        await pilot.press(*"0.25", "f8")
        assert stage.form.config.lr == 0.25 and stage.form.config.clip_threshold > before.clip_threshold
        await pilot.press("f7", "escape")
        assert stage.form.config.lr == stage.state.wanted.lr == before.lr
        await pilot.press(*"1,5", "escape")
        assert stage.form.config.lr == before.lr
        await pilot.press(*"0.25", "tab")
        assert stage.form.config.lr == stage.state.wanted.lr == 0.25
        layers = stage.form.field("layers")
        layers.focus()
        await pilot.press(*"64", "escape")
        assert layers.text == "1"
        assert stage.form.config.layers == stage.state.wanted.layers == before.layers == 1
