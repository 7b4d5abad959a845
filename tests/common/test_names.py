"""Names in any script, which are folders on disk and words in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.common.files import as_name, composed, is_name
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.presets import find_preset, save_preset
from rnnplay.runs.folder import check_run_name, find_run, list_runs
from rnnplay.runs.naming import new_run_name
from rnnplay.text.corpora.adding import add_corpus
from rnnplay.text.corpora.catalogue import find_corpus, list_corpora
from rnnplay.workspace import Workspace


@pytest.mark.parametrize(
    "name",
    ["tales-lstm-01", "红楼梦-01", "Война_и_мир", "été.2", "हिन्दी", "한글", "ไทย", "٣", "x" * 80, "文" * 80],
)
def test_letters_and_digits_of_any_script(name: str) -> None:
    assert is_name(name, 80)
    assert check_run_name(name) == composed(name)


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "a/b", "a\\b", "-x", ".hidden", "_x", "a b", "a\n", "a\x1b[2J", "a\x9b1m", "x" * 81,
        "a\u202eb", "a\u200bb", "a\u2066b", "a\u00a0b", "a\u3164b", "a\ufe0fb", "a\ufeffb", "a\udcffb",  # not seen
        "\u0301a", "-\u0301", "a-\u0301", "a" + "\u0301" * 5,  # accents on nothing, or over other lines
        "a²", "½", "①", "😀", "a:b", "a*", "𠀀" * 61,
    ],
)  # fmt: skip
def test_what_no_name_may_have(name: str) -> None:
    """Nothing that a path, a shell's glob or a terminal obeys, nothing that is not seen, and no more bytes than fit."""
    assert not is_name(name, 80)
    with pytest.raises(InputError, match="A run cannot be called"):
        check_run_name(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("红楼梦", "红楼梦"),
        ("Война и мир (том 1)", "Война-и-мир-том-1"),
        ("cafe\u0301.v2", "café-v2"),
        ("--- 😀 ---", ""),
        ("\u0301\u0301a", "a"),
        ("文" * 100, "文" * 40),
    ],
)
def test_a_name_is_made_of_any_text(text: str, name: str) -> None:
    assert as_name(text, 40) == name


def test_a_run_is_called_by_its_corpus(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    config = RunConfig(corpus="/home/me/红楼梦.txt")
    assert new_run_name(config, workspace) == "红楼梦-lstm-256-01"
    (workspace.checkpoints / "红楼梦-lstm-256-01").mkdir()
    assert new_run_name(config, workspace) == "红楼梦-lstm-256-02"


@pytest.mark.parametrize("on_disk", ["caf\u00e9", "cafe\u0301"])
@pytest.mark.parametrize("typed", ["caf\u00e9", "cafe\u0301"])
def test_an_accent_is_the_same_however_it_is_written(on_disk: str, typed: str, tmp_path: Path) -> None:
    """Keyboards write é as one character, some file systems as two."""
    workspace = Workspace(tmp_path).create()
    (workspace.checkpoints / on_disk).mkdir()
    (workspace.checkpoints / on_disk / "run.json").write_text("{}")
    assert [run.name for run in list_runs(workspace)] == [on_disk]
    assert find_run(typed, workspace).path == workspace.checkpoints / on_disk
    (workspace.corpora / f"{on_disk}.txt").write_text("text", encoding="utf-8")
    assert find_corpus(typed, workspace).path == workspace.corpora / f"{on_disk}.txt"
    assert "caf\u00e9" in {corpus.name for corpus in list_corpora(workspace)}
    with pytest.raises(InputError, match="There is already a corpus"):
        add_corpus(workspace.corpora / f"{on_disk}.txt", workspace, typed)
    save_preset(on_disk, RunConfig(hidden=9), workspace.presets)
    assert find_preset(typed, workspace.presets).config.hidden == 9
