"""Which key is of use when, what the main button says, and how the screen is shared: all without a screen."""

from __future__ import annotations

from typing import Any

import pytest

from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit
from rnnplay.presets import preset_config
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.screens.leaving import before_leaving
from rnnplay.tui.screens.playground.keys import (
    BINDINGS,
    COMMANDS,
    KeyContext,
    ended_text,
    failure_text,
    is_enabled,
    main_label,
    silence_text,
)
from rnnplay.tui.screens.playground.layout import Panes, arrange
from rnnplay.tui.screens.playground.new_run_question import before_new
from rnnplay.tui.screens.playground.screen import PlaygroundScreen
from tests.tui.stage import RUN, Stage, progress, started, step_at


def situation(phase: Phase = Phase.IDLE, key: str = "train", resumable: bool = False, **others: bool) -> KeyContext:
    return KeyContext(phase, lambda: key, lambda: resumable, **others)


def useful(now: KeyContext, *actions: str) -> set[str]:
    return {action for action in actions if is_enabled(action, (), now)}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (situation(), {"train", "runs"}),
        (situation(Phase.PREPARING), {"runs", "stop"}),
        (situation(Phase.TRAINING), {"pause", "runs", "stop"}),
        (situation(Phase.TRAINING, others=True), {"pause", "runs", "stop", "other_run"}),
        (situation(Phase.PAUSED), {"go_on", "runs", "stop"}),
        (situation(Phase.STOPPING, "resume"), {"resume", "new", "runs", "stop"}),
        (situation(Phase.TRAINING, silent=True), {"go_on", "runs", "stop"}),
        (situation(Phase.FOLLOWED, "resume", resumable=True), {"new", "runs", "read_only"}),
        (
            situation(Phase.FOLLOWED, "train", lesson=True),
            {"train", "new", "runs", "read_only", "answer", "close_lesson"},
        ),
        (situation(silent=True), {"train", "runs", "stop", "go_on"}),
        (situation(Phase.STOPPED, "resume", resumable=True), {"resume", "new", "runs"}),
        (situation(Phase.FINISHED, "look"), {"look", "runs"}),
        (situation(lesson=True, forced=True), {"train", "runs", "answer", "close_lesson", "release"}),
    ],
)
def test_keys_are_of_use_by_what_the_run_is_doing(now: KeyContext, expected: set[str]) -> None:
    actions = ("train", "resume", "look", "done", "new", "runs", "pause", "go_on", "stop", "answer", "close_lesson")
    assert useful(now, *actions, "release", "read_only", "other_run") == expected


def test_the_range_test_belongs_to_the_learning_rate() -> None:
    assert useful(situation(on_lr=True), "lr_range") == {"lr_range"}
    assert not useful(situation(), "lr_range")


def test_single_keys_are_text_while_text_is_typed_and_the_function_keys_are_then_shown() -> None:
    for typing in (True, False):
        now = situation(typing=typing)
        assert is_enabled("main", (typing,), now) and not is_enabled("main", (not typing,), now)
        assert is_enabled("leave_field", (), now) == typing
        assert is_enabled("threshold", (1,), now) == is_enabled("prompt", (), now) == (not typing)
    assert not is_enabled("prompt", (), situation(prompt_shown=False))


def test_the_disk_is_looked_at_only_for_the_keys_that_depend_on_it() -> None:
    def looked() -> Any:
        raise AssertionError("the disk was looked at")

    now = KeyContext(Phase.IDLE, looked, looked)
    others = [action for action in ("runs", "stop", "pause", "release", "inspect", "row", "main") if action != "main"]
    assert useful(now, *others) == {"runs", "inspect"}


def test_every_key_and_command_is_an_action_of_the_screen() -> None:
    keys = {binding.action.partition("(")[0] for binding in BINDINGS if not isinstance(binding, tuple)}
    for action in {name for name in keys if "." not in name and name != "help"} | {action for *_, action in COMMANDS}:
        assert hasattr(PlaygroundScreen, f"action_{action}"), action


def test_what_the_main_button_says() -> None:
    assert main_label(Phase.TRAINING, False, lambda: "train") == "‖ Pause"
    assert main_label(Phase.FINISHED, True, lambda: "train") == "◌ Measuring"
    assert main_label(Phase.STOPPED, False, lambda: "resume") == "▶ Resume"


def test_what_is_said_of_an_engine_names_the_key_that_helps(stage: Stage) -> None:
    controller = RunController(stage.workspace, lambda _: None, config=preset_config())
    controller.state.run, controller.state.checkpoint_step = RUN, 15
    controller.state.phase = Phase.TRAINING
    assert f"t then resumes {RUN}, without what came after the checkpoint at step 15" in silence_text(controller)
    ended = EngineExit(1, stage.workspace.root / "engine.log", ("boom",), asked=False)
    assert ended_text(controller, ended, resumable=True).endswith(f"to resume {RUN} from the checkpoint at step 15.")
    assert ended_text(controller, ended, resumable=False).endswith("It is started again when you train.")
    assert failure_text(messages.Failed(message="Broken.", command="open")) == "Broken."
    assert "b to go back to the one at step 1,200" in failure_text(
        messages.Failed(message="Broken.", command="train", instead=1200)
    )


def test_who_has_how_much_of_the_screen() -> None:
    usual: dict[str, Any] = {"chosen": None, "beside_help": None, "run": False, "lesson": False, "reading": False}

    def wide(**changed: object) -> Panes:
        return arrange(narrow=False, **{**usual, **changed})

    def narrow(**changed: object) -> Panes:
        return arrange(narrow=True, **{**usual, **changed})

    assert wide() == wide(run=True) == Panes(setup=True, alone=False, charts=True, page=True)
    assert not wide(lesson=True).setup and wide(lesson=True, chosen=False).setup and not wide(chosen=True).setup
    assert narrow().setup and not narrow(run=True).setup and narrow(run=True, chosen=False).setup
    assert narrow(lesson=True, reading=True) == Panes(setup=False, alone=False, charts=False, page=True)
    assert narrow(lesson=True) == Panes(setup=False, alone=False, charts=True, page=False)
    assert narrow(beside_help=True) == Panes(setup=True, alone=True, charts=False, page=False)
    assert narrow(beside_help=False) == Panes(setup=False, alone=False, charts=True, page=False)
    assert wide(beside_help=True) == wide(), "there is width for both"
    assert narrow(tiny=True) == Panes(setup=True, alone=True, charts=False, page=False)
    assert narrow(tiny=True, run=True) == Panes(setup=False, alone=False, charts=True, page=False)


def test_a_new_run_is_asked_about_where_one_is_unfinished(stage: Stage) -> None:
    no_lesson: Any = stage.open().lesson_progress
    state = RunState(preset_config())
    assert before_new(state, no_lesson) is None
    state.begin(RUN, preset_config())
    assert before_new(state, no_lesson) is None, "it has no steps"
    state.apply(progress([started(), step_at(7)]))
    question = before_new(state, no_lesson)
    assert question is not None and f"{RUN} is at step 7 and not finished" in question.text and question.lost
    changed = before_new(state, no_lesson, ["hidden"])
    assert changed is not None and "with hidden changed it cannot be resumed" in changed.text
    state.phase = Phase.FINISHED
    assert before_new(state, no_lesson) is None


def test_leaving_is_asked_about_while_runs_are_under_way(stage: Stage) -> None:
    controllers = RunControllers(stage.workspace, lambda _: None)
    assert before_leaving(controllers) is None
    for controller, run in zip((controllers.front, controllers.add()), ("first", "second"), strict=True):
        controller.state.begin(run, preset_config())
        controller.state.phase = Phase.TRAINING
    question = before_leaving(controllers)
    assert question is not None and "2 runs are under way: first, second." in question._question
    controllers.front.state.phase = Phase.FINISHED
    question = before_leaving(controllers)
    assert question is not None and question._question.startswith("second is at step 0.")
