"""The preset that a form is compared with, and what choosing one changes."""

from __future__ import annotations

from dataclasses import replace

from rnnplay.config import with_values
from rnnplay.presets import PRESETS, preset_config
from rnnplay.tui.setup.preset_choice import CUSTOM, MOST_LISTED, PresetChoice, listed


def test_a_preset_leaves_corpus_seed_machine_and_checkpoints_as_they_are() -> None:
    choice = PresetChoice("quick", PRESETS)
    kept = {"corpus": "names", "seed": 5, "threads": 2, "keep": 9}
    config = choice.choose("tiny", with_values(preset_config("quick"), {**kept, "hidden": 9}))
    assert {name: getattr(config, name) for name in kept} == kept
    assert config.hidden == preset_config("tiny").hidden
    assert choice.name == "tiny"
    assert choice.changed(config) == []


def test_changed_knobs_are_listed_and_custom_stands_after_the_preset() -> None:
    choice = PresetChoice("quick", PRESETS)
    config = with_values(preset_config("quick"), {"hidden": 9, "seed": 5})
    assert choice.changed(config) == ["hidden"]
    options = choice.options(["hidden"])
    assert options.index(CUSTOM) == options.index(("quick", "quick")) + 1
    assert CUSTOM not in choice.options([])
    assert choice.note(["hidden"]) == "Not as in quick: hidden."
    assert PRESETS["quick"].summary in choice.note([])
    names = [f"knob{number}" for number in range(MOST_LISTED + 2)]
    assert listed(names).endswith(f"{names[MOST_LISTED - 1]} and 2 more")


def test_an_added_preset_is_chosen_and_those_of_others_stay_as_they_were() -> None:
    choice = PresetChoice("quick", PRESETS)
    choice.add(replace(PRESETS["tiny"], name="mine"))
    assert choice.name == "mine"
    assert choice.spec().choices == (*PRESETS, "mine")
    assert "mine" not in PRESETS
