"""Presets: those that come with rnnplay, and a person's own in the workspace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import InputError
from rnnplay.presets import PRESETS, all_presets, find_preset, preset_config, save_preset


def test_every_preset_is_a_valid_config_and_says_what_it_is() -> None:
    for preset in PRESETS.values():
        assert preset.config == with_values(RunConfig(), preset.values)
        assert preset.summary


def test_what_is_saved_is_found_again(tmp_path: Path) -> None:
    config = with_values(preset_config("tiny"), {"corpus": 'a "text".txt', "lr": 3e-4, "clip": "value"})
    place = save_preset("mine", config, tmp_path / "presets")
    assert place == tmp_path / "presets" / "mine.toml"
    assert find_preset("mine", place.parent).config == config
    found, problems = all_presets(place.parent)
    assert list(found) == [*PRESETS, "mine"]
    assert not problems
    save_preset("mine", RunConfig(), place.parent)  # again: the newer one
    assert find_preset("mine", place.parent).config == RunConfig()


@pytest.mark.parametrize("name", ["", "../out", ".hidden", "a b", "a" * 41, "x/y", "quick"])
def test_names_that_cannot_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quick is a preset" if name == "quick" else "cannot be called"):
        save_preset(name, RunConfig(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_broken_file_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('summary = "a \\u001b[31mred one"\nhidden = 9\n', encoding="utf-8")
    (tmp_path / "bad.toml").write_text("hiden = 9\n", encoding="utf-8")
    (tmp_path / "torn.toml").write_text("tie = true\n", encoding="utf-8")
    found, problems = all_presets(tmp_path)
    assert set(found) == {*PRESETS, "good"}
    assert "\x1b" not in found["good"].summary
    assert len(problems) == 2
    assert "did you mean hidden?" in problems[0]
    assert "tie needs embedding = hidden" in problems[1]
    with pytest.raises(InputError, match="did you mean hidden"):
        find_preset("bad", tmp_path)
    with pytest.raises(InputError, match="There is no preset 'none'; the presets are quick"):
        find_preset("none", tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_among_them_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    found, problems = all_presets(tmp_path)
    assert set(found) == set(PRESETS)
    assert len(problems) == 1 and "pipe.toml is a folder, a pipe or a device" in problems[0]
    with pytest.raises(InputError, match=r"pipe\.toml is a folder, a pipe or a device"):
        find_preset("pipe", tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "presets").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be kept in"):
        save_preset("mine", RunConfig(), tmp_path / "presets")
