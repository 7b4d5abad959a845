"""Settings in TOML files: what is wrong is said, and what is written can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnplay.errors import InputError
from rnnplay.settings import read_settings, settings_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"hiden = 3", "did you mean hidden?"),
        (b"batch-size = 3", "did you mean batch_size?"),
        (b"zzz = 3", "the knobs are corpus, tokens"),
        (b"hidden = 0", "hidden must be a whole number from 1 to 16,384; got 0."),
        (b"hidden = '3'", "hidden must be a whole number"),
        (b"hidden = true", "hidden must be a whole number"),
        (b"lr = nan", "lr must be a number above 0, at most 1,000; got nan."),
        (b"[model]\nhidden = 3", "[model] is a table"),
        (b"hidden 3", "is not valid TOML"),
        (b"# \xff", "is not UTF-8 text (byte 2)"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path: Path, text: bytes, words: str) -> None:
    """File, knob and reason in one sentence."""
    file = tmp_path / "run.toml"
    file.write_bytes(text)
    with pytest.raises(InputError) as caught:
        read_settings(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_with_a_byte_order_mark_and_one_that_is_not_there(tmp_path: Path) -> None:
    """Windows editors write the mark; a missing file is named."""
    file = tmp_path / "run.toml"
    file.write_bytes(b"\xef\xbb\xbfhidden = 3")
    assert read_settings(file) == {"hidden": 3}
    with pytest.raises(InputError, match=r"none\.toml cannot be read"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for_and_a_link_is_followed(tmp_path: Path) -> None:
    """A preset may be a link to where a user keeps such files."""
    os.mkfifo(tmp_path / "pipe.toml")
    for place in (tmp_path / "pipe.toml", tmp_path):
        with pytest.raises(InputError, match="is a folder, a pipe or a device; save the settings to a plain file"):
            read_settings(place)
    (tmp_path / "kept").write_text("hidden = 3", encoding="utf-8")
    (tmp_path / "link.toml").symlink_to("kept")
    assert read_settings(tmp_path / "link.toml") == {"hidden": 3}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.booleans())
@example("/dev/", False)
@example("./", True)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, corpus: str, tie: bool) -> None:
    values = {"corpus": corpus, "tie": tie, "lr": 1e-05, "hidden": 12, "minutes": 2.0, "cell": "gru"}
    file = tmp_path_factory.mktemp("settings") / "own.toml"
    file.write_text(settings_text(values), encoding="utf-8")
    assert read_settings(file) == values


def test_words_stand_beside_knobs_only_where_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('summary = "mine"\nhidden = 3\n', encoding="utf-8")
    assert read_settings(file, words=("summary",)) == {"summary": "mine", "hidden": 3}
    with pytest.raises(InputError, match="there is no knob 'summary'"):
        read_settings(file)
    file.write_text("summary = 3\n", encoding="utf-8")
    with pytest.raises(InputError, match="summary must be text in quotes"):
        read_settings(file, words=("summary",))


def test_a_path_to_a_corpus_is_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is used from; a name stays a name, and so does what is not there."""
    folder = tmp_path / "experiment"
    (folder / "texts").mkdir(parents=True)
    for place in (folder / "a.txt", folder / "texts" / "b.txt", folder / "tales", tmp_path / "c.txt"):
        place.write_text("text", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    file = Path("experiment") / "run.toml"
    for corpus, read in (
        ("a.txt", str(folder / "a.txt")),
        ("texts/b.txt", str(folder / "texts" / "b.txt")),
        ("tales", "tales"),
        ("c.txt", "c.txt"),
        (str(tmp_path / "c.txt"), str(tmp_path / "c.txt")),
        ("\0/x", "\0/x"),
    ):
        file.write_text(settings_text({"corpus": corpus}), encoding="utf-8")
        assert read_settings(file) == {"corpus": read}
