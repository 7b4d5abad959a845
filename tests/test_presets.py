"""Presets: those that come with rnnplay, and a user's own in the workspace."""

from __future__ import annotations

import errno
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
    with pytest.raises(InputError, match="cannot be written to"):
        save_preset("mine", RunConfig(), tmp_path / "presets")


def test_a_file_whose_name_cannot_be_a_presets_is_told(tmp_path: Path) -> None:
    (tmp_path / "my preset.toml").write_text("hidden = 9\n", encoding="utf-8")
    found, problems = all_presets(tmp_path)
    assert set(found) == set(PRESETS)
    assert len(problems) == 1 and "my preset.toml is left out" in problems[0]
    assert "at most 40 letters, digits, dots, dashes and underscores" in problems[0]


def test_a_preset_saved_again_keeps_its_summary_and_promises_nothing(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    place.write_text('summary = "for haiku"\nexpect = "1.2 nats"\nhidden = 9\n', encoding="utf-8")
    save_preset("mine", with_values(RunConfig(), {"hidden": 10}), tmp_path)
    again = find_preset("mine", tmp_path)
    assert (again.summary, again.expect, again.config.hidden) == ("for haiku", "", 10)


def test_one_that_cannot_be_read_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("hiden = 9\n", encoding="utf-8")
    save_preset("mine", RunConfig(), tmp_path)
    assert find_preset("mine", tmp_path).config == RunConfig()


def test_a_link_stays_one(tmp_path: Path) -> None:
    kept, own = tmp_path / "dotfiles.toml", tmp_path / "presets"
    own.mkdir()
    kept.write_text("hidden = 9\n", encoding="utf-8")
    (own / "mine.toml").symlink_to(kept)
    save_preset("mine", with_values(RunConfig(), {"hidden": 10}), own)
    assert (own / "mine.toml").is_symlink()
    assert "hidden = 10" in kept.read_text(encoding="utf-8")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dotfiles.toml", "presets"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_only_a_file_is_replaced(tmp_path: Path) -> None:
    own = tmp_path / "presets"
    own.mkdir()
    os.mkfifo(tmp_path / "pipe")
    (own / "mine.toml").symlink_to(tmp_path / "pipe")
    (own / "folder.toml").mkdir()
    for name in ("mine", "folder"):
        with pytest.raises(InputError, match="is a folder, a pipe or a device; choose another name"):
            save_preset(name, RunConfig(), own)
    assert (tmp_path / "pipe").is_fifo()
    (own / "loop.toml").symlink_to(own / "loop.toml")
    save_preset("loop", RunConfig(), own)
    assert find_preset("loop", own).config == RunConfig()


def test_rights_stay_and_hidden_files_are_nobodys_business(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    place.write_text("hidden = 9\n", encoding="utf-8")
    place.chmod(0o600)
    (tmp_path / "._mine.toml").write_bytes(b"\x00\x05")
    save_preset("mine", RunConfig(), tmp_path)
    assert place.stat().st_mode & 0o777 == 0o600
    assert all_presets(tmp_path)[1] == []


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        save_preset("mine", RunConfig(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_values_that_only_others_complete(tmp_path: Path) -> None:
    (tmp_path / "tied.toml").write_text("tie = true\n", encoding="utf-8")
    with pytest.raises(InputError, match="tie needs embedding = hidden"):
        find_preset("tied", tmp_path)
    assert find_preset("tied", tmp_path, whole=False).values == {"tie": True}


def test_presets_that_may_not_be_read_hide_none_of_those_that_are_bundled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _pattern: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "glob", refuse)
    found, problems = all_presets(tmp_path)
    assert found == PRESETS and problems == [f"{tmp_path} cannot be read (Permission denied); allow reading it."]
