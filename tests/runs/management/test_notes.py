"""Notes of a run are kept whole, small and harmless to a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.runs.management.notes import FILE, MOST_TAGS, RunNotes, changed_tags, read_notes, write_notes


def test_notes_are_read_as_written_and_empty_ones_leave_no_file(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == RunNotes() and not read_notes(tmp_path)
    notes = RunNotes("the good one\nwith lr 0.01", ("good", "lr-0.01", "模型"))
    write_notes(tmp_path, notes)
    assert read_notes(tmp_path) == notes and [path.name for path in tmp_path.iterdir()] == [FILE]
    write_notes(tmp_path, RunNotes("  \n"))
    assert not list(tmp_path.iterdir())


def test_a_file_from_elsewhere_sends_nothing_to_the_terminal(tmp_path: Path) -> None:
    found = {"note": "\x1b[2Jgone", "tags": ["\x1b[2J", "ok", "ok", "two words", "x" * 99]}
    (tmp_path / FILE).write_text(json.dumps(found))
    assert read_notes(tmp_path) == RunNotes("␛[2Jgone", ("ok",))


@pytest.mark.parametrize("text", ["{", "[]", '{"note": 3}', '{"format": 99}', "[" * 100_000, "\udcff", "x" * 100_000])
def test_a_broken_file_is_named_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=FILE):
        read_notes(tmp_path)


@pytest.mark.parametrize("notes", [RunNotes("x" * 3000), RunNotes(tags=("two words",)), RunNotes(tags=("",))])
def test_what_is_too_long_or_no_tag_is_refused_and_what_was_there_stays(tmp_path: Path, notes: RunNotes) -> None:
    write_notes(tmp_path, RunNotes("kept"))
    with pytest.raises(InputError):
        write_notes(tmp_path, notes)
    assert read_notes(tmp_path) == RunNotes("kept")


def test_tags_are_added_and_removed() -> None:
    assert changed_tags(("a", "b"), "c, -a +b") == ("b", "c")
    assert changed_tags((), "  ") == ()
    with pytest.raises(InputError, match="'!'"):
        changed_tags((), "good !")
    with pytest.raises(InputError, match=f"may have {MOST_TAGS} tags"):
        changed_tags((), " ".join(f"t{number}" for number in range(30)))


def test_notes_that_cannot_be_written_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_notes(tmp_path / "gone", RunNotes("x"))
