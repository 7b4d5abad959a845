"""Progress is kept, and nothing that is in its file can keep a user from the lessons."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from rnnplay.errors import InputError
from rnnplay.lessons.lesson import Lesson
from rnnplay.lessons.progress import Progress, load_progress, report, save_progress
from rnnplay.lessons.reader import find_lesson, read_lesson
from tests.lessons.world import write_lesson


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    """With one step."""
    return read_lesson(write_lesson(tmp_path / "texts"))


def test_ticked_steps_come_back(tmp_path: Path, lesson: Lesson) -> None:
    """Also into a folder that is not there yet; a step ticks once."""
    progress = Progress()
    assert progress.tick(lesson, 0)
    assert not progress.tick(lesson, 0)
    save_progress(progress, tmp_path / "config" / "lessons.json")
    kept = load_progress(tmp_path / "config" / "lessons.json")
    assert kept.done(lesson) == [0]
    assert kept.is_complete(lesson)
    assert [file.name for file in (tmp_path / "config").iterdir()] == ["lessons.json"]
    kept.forget(lesson)
    assert not kept.done(lesson)
    assert not kept.is_complete(lesson)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"ticked": 3}', b'{"ticked": {"x": ["a"]}}', b"\xff\xfe", b'{"x":' + b"[" * 20_000]
)
def test_a_broken_file_is_no_progress(tmp_path: Path, content: bytes, lesson: Lesson) -> None:
    """Cut off, of another program, or not text at all."""
    file = tmp_path / "lessons.json"
    file.write_bytes(content)
    assert load_progress(file).done(lesson) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_its_place_holds_nobody_up(tmp_path: Path, lesson: Lesson) -> None:
    """Opening one that nobody writes to would wait forever."""
    os.mkfifo(tmp_path / "lessons.json")
    assert load_progress(tmp_path / "lessons.json").done(lesson) == []


def test_steps_that_a_lesson_does_not_have_do_not_count(tmp_path: Path, lesson: Lesson) -> None:
    """A lesson may have been rewritten since."""
    file = tmp_path / "lessons.json"
    file.write_bytes(b'{"ticked": {"made-up": [7, -1, 0, 0], "gone": [1]}, "more": 1}')
    assert load_progress(file).done(lesson) == [0]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, lesson: Lesson) -> None:
    """Then progress lasts as long as the process."""
    (tmp_path / "file").write_text("")
    progress = Progress()
    progress.tick(lesson, 0)
    save_progress(progress, tmp_path / "file" / "lessons.json")
    assert progress.done(lesson) == [0]


def test_a_byte_order_mark_is_no_harm(tmp_path: Path, lesson: Lesson) -> None:
    """Notepad writes one at the start of a file that is edited by hand."""
    path = tmp_path / "lessons.json"
    path.write_bytes(b"\xef\xbb\xbf" + msgspec.json.encode(Progress(ticked={lesson.name: [0]})))
    assert load_progress(path).done(lesson) == [0]


def test_a_class_is_reported_person_by_person_and_step_by_step(tmp_path: Path) -> None:
    """From the folders of all in one, or one by one; a lesson that was only begun counts, too."""
    lstm, bptt = find_lesson("lstm"), find_lesson("bptt")
    for who, ticked in (("ada", [0, 2]), ("bob", [])):
        progress = Progress()
        for step in ticked:
            progress.tick(lstm, step)
        progress.begin(bptt)
        progress.begin(bptt, 2)
        progress.spend(bptt, 61.25)
        save_progress(progress, tmp_path / who / "lessons.json")
    rows = report(tmp_path)
    assert rows == report(tmp_path / "ada") + report(tmp_path / "bob")
    assert [row for row in rows if row[:2] == ("ada", "lstm")] == [
        ("ada", "lstm", step, 5, done, 0, 0.0) for step, done in enumerate((1, 0, 1, 0, 0), 1)
    ]
    assert [row for row in rows if row[0] == "bob"] == [("bob", "bptt", step, 4, 0, 3, 61.2) for step in (1, 2, 3, 4)]


def test_what_cannot_be_reported_is_said(tmp_path: Path) -> None:
    """A teacher must not take a lost file for an idle student."""
    with pytest.raises(InputError, match=r"has a lessons\.json"):
        report(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        report(tmp_path / "none")
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "lessons.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"ada.lessons\.json is not"):
        report(tmp_path)
