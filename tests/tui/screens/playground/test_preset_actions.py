"""A user's own presets at the playground."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, Markdown

from rnnplay.engine import messages
from rnnplay.presets import find_preset
from rnnplay.tui.screens.dialogs import Ask, Confirm
from rnnplay.tui.setup.knob_field import KnobField
from tests.tui.stage import Stage, shown, until


async def save_as(stage: Stage, pilot: Pilot[None], name: str) -> None:
    """The key, and a name for what the form says."""
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(stage.app.screen, Ask))
    await pilot.press("ctrl+u", *name, "enter")
    await pilot.pause()


async def test_settings_are_kept_as_a_preset_and_can_be_chosen_at_once(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.set_value("hidden", 48)
        await save_as(stage, pilot, "my-own")
        await until(pilot, lambda: app.screen is stage.playground)
        assert any("Saved as" in toast for toast in stage.toasts)
        assert stage.form.preset == "my-own"
        assert ("my-own", "my-own") in stage.form._preset_field.options.values
        assert find_preset("my-own", stage.workspace.presets).config == stage.form.config
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)


async def test_a_value_that_is_refused_keeps_the_settings_from_being_saved(stage: Stage) -> None:
    """What would be saved is not what the form shows: of 64 layers, 6."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.field("layers").focus()
        await pilot.press(*"64", "ctrl+s")
        await until(pilot, lambda: any("got 64" in toast for toast in stage.toasts))
        assert app.screen is stage.playground
        said = stage.toasts
        await pilot.press("f5")
        await pilot.pause()
        assert stage.toasts == said and not stage.engine.of(messages.Train)
        await pilot.press("escape")
        await save_as(stage, pilot, "mine")
        await until(pilot, lambda: app.screen is stage.playground)
        assert find_preset("mine", stage.workspace.presets).config.layers == 1


async def test_a_value_refused_after_the_name_was_asked_for_is_said_in_the_dialog(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        field = stage.form.field("layers")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        stage.form.post_message(KnobField.Typed(field, "64", done=True))
        await pilot.press(*"mine", "enter")
        await until(pilot, lambda: "got 64" in shown(app.screen, "#refusal"))
        assert not (stage.workspace.presets / "mine.toml").exists()


async def test_a_value_being_typed_while_training_is_in_the_preset(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        stage.form.field("lr").focus()
        await pilot.press(*"0.25")
        await save_as(stage, pilot, "mine")
        await until(pilot, lambda: app.screen is stage.playground)
        assert find_preset("mine", stage.workspace.presets).config.lr == 0.25


@pytest.mark.parametrize("sure", [True, False])
async def test_one_of_that_name_is_replaced_only_after_a_question(stage: Stage, sure: bool) -> None:
    stage.workspace.presets.mkdir(parents=True)
    place = stage.workspace.presets / "mine.toml"
    place.write_text('summary = "for haiku"\nhidden = 9\n', encoding="utf-8")
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.set_value("hidden", 48)
        await save_as(stage, pilot, "mine")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(*(("left", "enter") if sure else ("enter", "escape")))
        await until(pilot, lambda: app.screen is stage.playground)
        assert find_preset("mine", stage.workspace.presets).config.hidden == (48 if sure else 9)
        assert any("Saved as" in toast for toast in stage.toasts) == sure


async def test_a_name_that_cannot_be_is_refused_without_a_question(stage: Stage) -> None:
    stage.workspace.presets.mkdir(parents=True)
    (stage.workspace.presets / "quick.toml").write_text("hidden = 9\n", encoding="utf-8")
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await save_as(stage, pilot, "quick")
        for name, words in (("quick", "comes with rnnplay"), ("../own", "cannot be called"), ("my own", "cannot be")):
            await pilot.press("ctrl+u", *name, "enter")
            await until(pilot, lambda: words in shown(app.screen, "#refusal").replace("\n", " "))  # noqa: B023
            assert app.screen.query_one(Input).value == name  # to be corrected, by keys that are nothing else
        await pilot.press("backspace", "backspace", "backspace", "backspace", "i", "enter")
        await until(pilot, lambda: app.screen is stage.playground)
        assert find_preset("myi", stage.workspace.presets).config == stage.form.config


async def test_what_a_link_leads_to_is_in_the_question(stage: Stage) -> None:
    stage.workspace.presets.mkdir(parents=True)
    notes = stage.workspace.presets.parent / "notes.txt"
    notes.write_text("mine\n", encoding="utf-8")
    (stage.workspace.presets / "mine.toml").symlink_to(notes)
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await save_as(stage, pilot, "mine")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert str(notes) in str(app.screen.query_one(Label).content).replace("\n", "")
        await pilot.press("escape")
        assert notes.read_text(encoding="utf-8") == "mine\n"


async def test_files_that_are_no_presets_are_told_in_one_message(stage: Stage) -> None:
    stage.workspace.presets.mkdir(parents=True)
    for number in range(5):
        (stage.workspace.presets / f"bad{number}.toml").write_text("hiden = 9\n", encoding="utf-8")
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        assert len(stage.toasts) == 1
        assert "did you mean hidden" in stage.toasts[0] and "(4 more; `rnnplay presets` lists them.)" in stage.toasts[0]


async def test_what_a_preset_takes_and_reaches_stands_below_while_it_is_chosen(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        note = stage.form.query_one("#setup-note")
        assert not note.display
        stage.form._preset_field.focus()
        await pilot.press("right")
        expected = " ".join(find_preset("tiny").expect.split())
        assert expected in " ".join(shown(stage.playground, "#setup-note").split())
        assert note.display
        await pilot.press("down")
        await until(pilot, lambda: not note.display)


async def test_open_help_follows_the_preset_chosen(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form._preset_field.focus()
        app.action_show_help_panel()
        await until(pilot, lambda: bool(stage.playground.query("HelpPane #widget-help MarkdownBlock")))
        help_text = stage.playground.query_one("#widget-help", Markdown)
        assert find_preset("quick").summary in help_text.source
        await pilot.press("right")
        await until(pilot, lambda: find_preset("tiny").summary in help_text.source)
