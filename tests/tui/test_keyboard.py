"""When a letter is a command: never while something that takes text has the focus, nor while one types on."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from rnnplay.engine import messages
from rnnplay.presets import preset_config
from rnnplay.tui import keyboard
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Ask, Confirm
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.widgets.training_charts import TrainingCharts
from tests.tui.stage import Stage, shown, until

NAMES = {" ": "space", "\n": "enter", "\b": "backspace", "?": "question_mark", "+": "plus"}
COMMANDS = "tnxcboilegu 0+"
"""Every character that is one at the playground, but for that of help."""


def burst(app: RnnplayApp, *keys: str) -> None:
    """Keys that come in one piece, before any is handled; those of more than a character are names."""
    for key in keys:
        character = key if len(key) == 1 and key.isprintable() else None
        app.post_message(events.Key(NAMES.get(key, key), character))


def sent(stage: Stage) -> list[messages.Command]:
    """What a key may have brought about."""
    return [one for one in stage.engine.sent if not isinstance(one, messages.Complete)]


async def settled(stage: Stage, pilot: Pilot[None]) -> None:
    """All keys have been handled."""
    await pilot.pause()
    await until(pilot, lambda: stage.app.keyboard._following is None)


@pytest.mark.parametrize("place", ["#knob-corpus", "#knob-hidden", "#knob-clip", "#knob-lr", "#sampling-length"])
async def test_no_letter_is_a_command_while_a_field_has_the_focus(stage: Stage, place: str) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        stage.state.phase = Phase.STOPPED  # every field can be reached
        stage.form.show_run(stage.state)
        stage.engine.sent.clear()
        app.screen.set_focus(app.screen.query_one(place))
        burst(app, *COMMANDS.replace("0", ""))
        await settled(stage, pilot)
        assert not sent(stage)
        assert app.screen is stage.playground
        assert stage.form.config == preset_config()
        assert any("was not taken" in toast and "Escape" in toast for toast in stage.toasts)
        stage.state.phase = Phase.TRAINING
        stage.form.show_run(stage.state)
        await pilot.press("escape", "escape", "c")
        await until(pilot, lambda: bool(stage.engine.of(messages.Tune)))


async def test_what_is_typed_on_is_no_command_although_the_focus_has_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone through something that the user did not ask for; after a moment, or after Escape, letters are commands."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        for key in ("c", "escape"):
            monkeypatch.setattr(keyboard, "TYPING_PAUSE_SECONDS", 60.0)
            await pilot.press("g", "a", "b")
            stage.engine.sent.clear()
            stage.playground.query_one(TrainingCharts).focus_first()
            await pilot.pause()
            burst(app, *"xcb \nx")
            await settled(stage, pilot)
            assert not sent(stage)
            assert app.screen is stage.playground
            assert any("still typing" in toast for toast in stage.toasts)
            monkeypatch.setattr(keyboard, "TYPING_PAUSE_SECONDS", 0.0)
            await pilot.press(key, "c")  # the first is dropped with the others, or says that it is enough
            await until(pilot, lambda: len(stage.engine.of(messages.Tune)) == 1)


async def test_keys_typed_before_a_dialog_is_there_are_its_own(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        burst(app, "ctrl+s", *"abc d\n")
        await until(pilot, lambda: isinstance(app.screen, Ask) and bool(shown(app.screen, "#refusal").strip()))
        assert app.screen.query_one(Input).value == "abc d"
        burst(app, "\b", "\b", "\n", "g", *"the\n")
        await until(pilot, lambda: app.screen is stage.playground and stage.prompt.text == "the")
        await settled(stage, pilot)
        assert "abc" in stage.form._presets.spec().choices
        assert not sent(stage)


async def test_a_path_typed_before_the_picker_is_there_is_its_own(stage: Stage, tmp_path: Path) -> None:
    """Enter on the field is told by the field to the form, and by the form to the playground."""
    text = tmp_path / "my.txt"
    text.write_text("a line\n" * 1000, encoding="utf-8")
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        field = stage.form.field("corpus")
        app.screen.set_focus(field)
        while not field.options.on_action:
            await pilot.press("left")
            await settled(stage, pilot)
        burst(app, "\n", *str(text), "\n", "escape", "g", "x")
        await until(pilot, lambda: stage.form.config.corpus == str(text) and stage.prompt.text == "x")


async def test_a_burst_goes_where_it_would_go_if_it_were_typed_slowly(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        burst(app, "i", "3", "e", *"old 4 times", "escape", "escape", "g", *"to")
        await until(pilot, lambda: stage.prompt.text == "to")
        assert app.screen is stage.playground
        assert stage.playground._inspected == 2
        burst(app, "escape", "i", "escape", "b")
        await until(pilot, lambda: not isinstance(app.screen, InspectScreen) and app.screen is not stage.playground)


async def test_enter_in_the_same_breath_loses_nothing(stage: Stage) -> None:
    """n and Enter, typed at once: the question that n asks is answered by no."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        trained = len(stage.engine.of(messages.Train))
        burst(app, "n", "\n")
        await settled(stage, pilot)
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert len(stage.engine.of(messages.Train)) == trained


async def test_a_key_that_does_nothing_says_so(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        for key, words in (("k", "“k” does nothing now"), ("x", "“x”"), ("f2", "F2 does nothing here: F1 helps")):
            app.keyboard._notified_at = 0.0
            await pilot.press(key)
            await until(pilot, lambda: any(words in toast for toast in stage.toasts))  # noqa: B023
        before = len(stage.toasts)
        await pilot.press("k", "left", "escape", "home", "f5")  # said once, and of keys that move nothing is said
        assert len(stage.toasts) == before
        await pilot.press("o")  # where neither F6 nor the keys of the threshold do anything
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        app.keyboard._notified_at = 0.0
        await pilot.press("f6")
        await until(pilot, lambda: stage.toasts[-1] == "F6 does nothing here: F1 helps.")


async def test_what_is_typed_after_the_key_to_leave_is_no_command(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        before = sent(stage)
        burst(app, "ctrl+q", *"tgi\n")
        await until(pilot, lambda: app._exit)
        assert sent(stage) == before
        assert not isinstance(app.screen, InspectScreen)


async def test_a_paste_waits_for_the_keys_before_it(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        burst(app, "g", *"abc")
        app.post_message(events.Paste("PASTED"))
        burst(app, *"def")
        await settled(stage, pilot)
        await until(pilot, lambda: stage.prompt.text == "abcPASTEDdef")
        before = sent(stage)
        await app.keyboard._done(events.Paste("tnx"), app.screen, into_text=False)  # where nothing takes text
        assert sent(stage) == before
