"""Lessons of one's own: the skeleton is valid, each mistake is answered with its line, archives reach nothing else."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.lessons import own
from rnnplay.lessons.own import FIRST_NUMBER, check_lesson, own_lessons, read_own, write_skeleton
from rnnplay.lessons.reader import find_lesson, page
from rnnplay.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A skeleton in French."""
    return write_skeleton(tmp_path / "lessons", "lecon", "fr", FIRST_NUMBER)


def packed(place: Path, archive: Path, prefix: str = "lecon/") -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for one in sorted(place.iterdir()):
            file.write(one, prefix + one.name)
    return archive


def test_the_skeleton_is_valid_as_it_is(place: Path) -> None:
    """Whoever begins a lesson begins with one that plays."""
    lesson = read_own(place)
    assert (lesson.number, lesson.name, list(lesson.pages)) == (FIRST_NUMBER, "lecon", ["fr"])
    assert lesson.config("rnn").steps == 300
    assert len(page(lesson, "zh").steps) == len(lesson.steps) == 2


def test_it_is_shown_in_a_language_that_it_has(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one wanted, else the locale's, else English, else what there is; titles alike."""
    french = (place / "fr.md").read_text(encoding="utf-8")
    for code in ("de", "en"):
        (place / f"{code}.md").write_text(french.replace("The lesson's title", code), encoding="utf-8")
    file = place / "lesson.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('{ fr = "RNN" }', '{ de = "D", en = "E", fr = "F" }'), "utf-8"
    )
    lesson = read_own(place)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert (page(lesson, "zh").title, lesson.title_of("rnn", "zh")) == ("en", "E")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert (page(lesson, "zh").title, lesson.title_of("rnn", "zh")) == ("de", "D")
    assert page(lesson, "en").title == "en"


@pytest.mark.parametrize(
    ("former", "changed", "sentence"),
    [
        ('comparison = "<", value = 12', 'comparison = "=", value = 12', "one of <, <=, >, >="),
        ("hidden = 64", 'hidden = "64"', "must be a whole number"),
        ('metric = "text_perplexity"', 'metric = "text_perplexities"', "no metric"),
        ('variant = "rnn", comparison = "<", value = 2.4', 'variant = "gru", comparison = "<", value = 2.4', "'gru'"),
        ("hidden = 64", "hiden = 64", "hiden"),
        ('title = { fr = "RNN" }', 'title = { en = "RNN" }', "title in each language: fr"),
        ("number = 100", "number = 9", "below 100"),
        ('name = "lecon"', 'name = "lstm"', "choose another name"),
        ('name = "lecon"', 'name = "../x"', "lower-case"),
        ("minutes = 0.3 ", "minutes = 30 ", "at most 4"),
        ("look = true", "looks = true", "looks"),
        ("bptt = 32", "bptt = = 32", "not valid TOML"),
        ("values = { lr = 0.004 }", 'values = { lr = 0.004 }\nbranch = "rnn"', "no variant before it"),
        ("number = 100", "number = 100\npages = {}", "pages"),
        ("[probe]", "[probes]", "did you mean probe?"),
        ("steps = 300", "steps = 3.5", "whole number"),
        ('view = "predictions"', 'view = "prediction"', "one of playground, gradients"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(place: Path, former: str, changed: str, sentence: str) -> None:
    """The line that was changed, or its table's where the mistake only shows there."""
    file = place / "lesson.toml"
    text = file.read_text(encoding="utf-8")
    assert former in text
    text = text.replace(former, changed, 1)
    file.write_text(text, encoding="utf-8")
    lesson, wrong = check_lesson(place)
    assert lesson is None
    assert wrong[0].file == str(file)
    assert sentence in wrong[0].sentence
    line = next(n for n, one in enumerate(text.split("\n"), 1) if changed.split("\n")[-1] in one)
    assert [one.line for one in wrong] == [line]


@pytest.mark.parametrize(
    ("former", "changed", "heading"),
    [
        ("1. Train", "Train", "## What to do"),
        ("## Answer\n", "", "## Now change this yourself"),
        ("A question?", "", "## Question"),
        ("# The lesson's title", "No title", "No title"),
    ],
)
def test_what_is_wrong_in_a_page_is_said_with_its_line(place: Path, former: str, changed: str, heading: str) -> None:
    file = place / "fr.md"
    text = file.read_text(encoding="utf-8").replace(former, changed, 1)
    file.write_text(text, encoding="utf-8")
    _, wrong = check_lesson(place)
    assert (wrong[0].file, wrong[0].line) == (str(file), text.split("\n").index(heading) + 1)


def test_all_that_is_wrong_is_said_at_once(place: Path) -> None:
    (place / "fr.md").write_bytes(b"# T\n\xff")
    (place / "notes.md").write_text("mine", encoding="utf-8")
    file = place / "lesson.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("number = 100", "number = 1"), encoding="utf-8")
    _, wrong = check_lesson(place)
    assert {(Path(one.file).name, one.line) for one in wrong} >= {("lesson.toml", 2), ("fr.md", 2), ("notes.md", None)}


MANGLED = """\
number = 1
name = "lecon
minuts = 1
[common
corpus = tales
hidden = 0,5
hiden = 3

[variants.rnn]
title = { en = "RNN" }
values = { lr = -1 }

[variants.gru]
title = { fr = "GRU" }

[[steps]]
view = "playgrund"
conditions = [
    { metric = "loss", variant = "rnn", comparison = "<", value = "x" },
    { metric = "loss", variant = "rnn", comparison = "<" },
]

[[steps]]
view = "gates"
look = 3
conditions = []
"""
"""Mistakes that TOML itself refuses, each of which can be understood, and values of the wrong kind."""


def test_mistakes_of_every_kind_in_one_file(place: Path) -> None:
    """A mistake in TOML hides none of what comes after it, nor the pages' own."""
    (place / "lesson.toml").write_text(MANGLED, encoding="utf-8")
    page = (place / "fr.md").read_text(encoding="utf-8")
    (place / "fr.md").write_text(page.replace("A question?", "").replace("2. ", "And "), encoding="utf-8")
    _, wrong = check_lesson(place)
    lines = [one.line for one in wrong if one.file.endswith("lesson.toml")]
    # Line 6 is invalid as TOML, and half a unit as what it means. What does not go together (the titles) comes after.
    assert lines == [2, 3, 4, 5, 6, 6, 7, 11, 17, 19, 20, 25, 26]
    assert [one.sentence for one in wrong if one.file.endswith("fr.md")] == [
        "The page describes 1 step, but lesson.toml declares 2.",
        "The page has no text in: question.",
    ]


def test_settings_are_each_checked(place: Path) -> None:
    """In [common] and in a variant, once each, and at their lines."""
    text = (place / "lesson.toml").read_text(encoding="utf-8")
    text = text.replace("hidden = 64", "hiden = 64").replace("bptt = 32", "bptt = 0").replace("lr = 0.004", "lr = -1")
    (place / "lesson.toml").write_text(text, encoding="utf-8")
    lines = text.split("\n")
    expected = [next(n for n, line in enumerate(lines, 1) if one in line) for one in ("hiden", "bptt", "lr = -1")]
    assert [one.line for one in check_lesson(place)[1]] == expected


def test_a_text_that_is_not_in_the_workspace(place: Path, tmp_path: Path) -> None:
    """Only where the workspace is known: a lesson in a list is none the worse for a text that is yet to come."""
    file = place / "lesson.toml"
    text = file.read_text(encoding="utf-8")
    assert check_lesson(place, Workspace(tmp_path))[1] == []
    file.write_text(text.replace('"tales"', '"tails"'), encoding="utf-8")
    (problem,) = check_lesson(place, Workspace(tmp_path))[1]
    assert problem.line == text[: text.index("corpus =")].count("\n") + 1 and "did you mean tales?" in problem.sentence
    assert check_lesson(place)[1] == []


def test_a_condition_after_the_end_of_its_run(place: Path) -> None:
    """It would never hold."""
    file = place / "lesson.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("after = 300", "after = 301"), encoding="utf-8")
    (problem,) = check_lesson(place)[1]
    assert problem.sentence == "Step 2 is measured from step 301 on; 'rnn' ends at 300."
    assert problem.line == text[: text.index("after = 300")].count("\n") + 1


def test_steps_that_are_not_numbered_or_not_a_list(place: Path) -> None:
    page = (place / "fr.md").read_text(encoding="utf-8")
    (place / "fr.md").write_text(page.replace("1. ", "- ").replace("2. ", "- "), encoding="utf-8")
    assert "declares 2: number them, 1. and so on." in check_lesson(place)[1][0].sentence
    text = (place / "lesson.toml").read_text(encoding="utf-8")
    (place / "lesson.toml").write_text(text.replace("[[steps]]", "[steps]"), encoding="utf-8")
    said = " ".join(one.sentence for one in check_lesson(place)[1])
    assert "each of its elements headed [[steps]]" in said and "write [[steps]] each time" in said


def test_an_unclosed_bracket_ends_what_can_be_read(place: Path) -> None:
    """One mistake, not one for each line after it, nor for all that then seems to be missing."""
    file = place / "lesson.toml"
    text = file.read_text(encoding="utf-8").replace("]\n\n[[steps]]", "\n\n[[steps]]", 1)
    file.write_text(text, encoding="utf-8")
    (problem,) = check_lesson(place)[1]
    assert problem.line == text[: text.rindex("[[steps]]")].count("\n") + 1


def test_what_concerns_no_line_names_none(tmp_path: Path) -> None:
    """A folder has no lines."""
    (problem,) = check_lesson(tmp_path / "nope")[1]
    assert str(problem).startswith(f"{tmp_path / 'nope'}: It cannot be read")


@pytest.mark.parametrize("prefix", ["", "lecon/", "../../", "/tmp/elsewhere/"])
def test_an_archive_is_read_where_it_lies(place: Path, tmp_path: Path, prefix: str) -> None:
    """Whatever paths it has inside, nothing is written anywhere."""
    (tmp_path / "x").mkdir()
    archive = packed(place, tmp_path / "x" / "given.zip", prefix)
    before = sorted(tmp_path.rglob("*"))
    assert read_own(archive) == read_own(place)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_an_archive_unpacks_to_is_limited(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may claim to be small and hold gigabytes; or thousands of files."""
    (place / "fr.md").write_bytes(b"a" * (own.MAX_BYTES + 1))
    archive = packed(place, tmp_path / "large.zip")
    assert archive.stat().st_size < 10_000
    with pytest.raises(InputError, match="larger than 256 KiB"):
        read_own(archive)
    (place / "fr.md").write_text("short", encoding="utf-8")
    monkeypatch.setattr(own, "MAX_FILES", 1)
    with pytest.raises(InputError, match="more than 1 files"):
        read_own(place)


def test_what_is_no_archive_is_said(place: Path, tmp_path: Path) -> None:
    """Cut off, something else, nothing, or several lessons in one."""
    archive = packed(place, tmp_path / "whole.zip")
    (tmp_path / "cut.zip").write_bytes(archive.read_bytes()[:-30])
    (tmp_path / "text.zip").write_text("hello", encoding="utf-8")
    for name in ("cut.zip", "text.zip"):
        with pytest.raises(InputError, match="not a whole zip archive"):
            read_own(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        read_own(tmp_path / "none.zip")
    with zipfile.ZipFile(archive, "a") as file:
        file.write(place / "lesson.toml", "other/lesson.toml")
    with pytest.raises(InputError, match="several folders"):
        read_own(archive)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no lesson\.toml"):
        read_own(tmp_path / "empty")


def test_those_in_the_workspace_are_listed_in_order_and_the_others_named(place: Path, tmp_path: Path) -> None:
    """One that is broken hides none of the others."""
    folder = place.parent
    write_skeleton(folder, "another", "en", FIRST_NUMBER + 3)
    packed(place, folder / "same.zip")
    (folder / "broken").mkdir()
    (folder / "readme.txt").write_text("mine", encoding="utf-8")
    found, wrong = own_lessons(folder)
    assert [lesson.name for lesson in found] == ["lecon", "another"]
    assert [Path(one.file).name for one in wrong] == ["broken", "same.zip"]
    assert find_lesson("another", own=found) is find_lesson("103", own=found) is found[1]
    assert own_lessons(tmp_path / "none") == ([], [])


@pytest.mark.parametrize(
    ("name", "code"), [("Leçon", "fr"), ("a/b", "fr"), ("", "fr"), ("lstm", "fr"), ("mine", "french!")]
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(InputError):
        write_skeleton(tmp_path / "lessons", name, code, FIRST_NUMBER)
    assert not (tmp_path / "lessons").exists()


def test_a_skeleton_replaces_nothing(place: Path) -> None:
    """It is somebody's work by then."""
    with pytest.raises(InputError, match="rnnplay lessons check"):
        write_skeleton(place.parent, "lecon", "fr", 101)


def test_a_skeleton_for_which_there_is_no_room_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"mine cannot be written \(No space left on device\); make room there"):
        write_skeleton(tmp_path, "mine", "fr", FIRST_NUMBER)
    assert not (tmp_path / "mine").exists()
