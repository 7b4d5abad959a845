"""The list of a field's choices: opened by Enter or a click, gone through by keys and letters."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from rnnplay.config import knobs
from rnnplay.presets import PRESETS
from rnnplay.tui.screens.choice_list import ChoiceList
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.setup_form import OPEN_FILE
from tests.tui.stage import Stage, until


async def listed(stage: Stage, pilot: Pilot[None], name: str) -> tuple[KnobField, OptionList]:
    """The field of the knob, and the list that Enter opened below it."""
    field = stage.playground.query_one(f"#{name}", KnobField)
    field.focus()
    await until(pilot, lambda: field.has_focus)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(stage.app.screen, ChoiceList))
    return field, stage.app.screen.query_one(OptionList)


def texts(options: OptionList) -> list[str]:
    return [str(options.get_option_at_index(index).prompt) for index in range(options.option_count)]


async def test_all_choices_are_listed_the_present_one_chosen_and_enter_takes_another(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        field, options = await listed(stage, pilot, "knob-cell")
        assert texts(options) == list(knobs()["cell"].choices)
        assert options.highlighted == knobs()["cell"].choices.index("lstm")
        await pilot.press("home", *["down"] * knobs()["cell"].choices.index("rnn"), "enter")
        await until(pilot, lambda: app.screen is stage.playground)
        assert (stage.form.config.cell, field.text) == ("rnn", "rnn")


async def test_letters_go_to_the_first_choice_that_begins_with_them(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        _, options = await listed(stage, pilot, "knob-clip")
        names = texts(options)
        for letters, expected in (("v", "value"), ("off", "off"), ("Nor", "norm"), ("vx", "value")):
            await pilot.press("home", *letters)
            highlighted = options.highlighted
            assert highlighted is not None
            assert names[highlighted] == expected, letters
        await pilot.press("escape")


@pytest.mark.parametrize("way", ["escape", "click", "resize"])
async def test_closed_without_a_choice_nothing_has_changed(stage: Stage, way: str) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        before = stage.form.config
        await listed(stage, pilot, "knob-cell")
        await pilot.press("up")
        match way:
            case "escape":
                await pilot.press("escape")
            case "click":
                await pilot.click(offset=(100, 35))
            case "resize":
                await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.screen is stage.playground)
        assert stage.form.config == before


async def test_presets_are_listed_with_their_summaries_and_taken_after_a_change_too(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(200, 60)) as pilot:
        stage.form.set_value("hidden", 32)
        field, options = await listed(stage, pilot, "knob-preset")
        assert [row.split()[0] for row in texts(options)] == ["quick", "custom", *list(PRESETS)[1:]]
        assert PRESETS["tiny"].summary in texts(options)[2]
        assert field.text == "custom" and options.highlighted == 1
        await pilot.press("home", "enter")
        await until(pilot, lambda: stage.form.config == PRESETS["quick"].config)


async def test_open_a_file_stands_last_among_the_corpora(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(stage.playground.query_one("#knob-corpus", KnobField).options.values) > 1)
        before = stage.form.config
        _, options = await listed(stage, pilot, "knob-corpus")
        assert texts(options)[-1] == OPEN_FILE
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        assert stage.form.config == before


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_the_list_is_within_the_screen_and_its_field_in_sight(stage: Stage, size: tuple[int, int]) -> None:
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        if not stage.form.is_on_screen:
            await pilot.press("e")
        for name in ("knob-preset", "knob-corpus", "knob-cell", "knob-clip"):
            field, options = await listed(stage, pilot, name)
            await pilot.pause()
            screen, shown = app.screen.region, options.region
            assert screen.contains_region(shown), name
            assert not shown.overlaps(field.region), name
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is stage.playground)


async def test_a_click_on_the_value_lists_and_a_click_on_a_choice_takes_it(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        field = stage.playground.query_one("#knob-cell", KnobField)
        await pilot.click(field, offset=(field.label_width + 2, 0))
        await until(pilot, lambda: isinstance(app.screen, ChoiceList))
        await pilot.pause()
        await pilot.click(OptionList, offset=(4, 1 + knobs()["cell"].choices.index("gru")))
        await until(pilot, lambda: stage.form.config.cell == "gru")
