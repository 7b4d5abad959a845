"""`rnnplay lessons`: the list, the pages, and a lesson played to its end without the screen."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rnnplay.lessons import reader
from rnnplay.lessons.progress import Progress, load_progress, save_progress
from rnnplay.tui.settings import Settings, progress_path, save_settings
from tests.lessons.world import LESSON, write_french, write_lesson

Invoke = Callable[..., Result]


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Instead of the lessons that came with rnnplay, a made-up one of three steps."""
    folder = tmp_path / "texts"
    write_lesson(folder)
    monkeypatch.setattr(reader, "TEXTS", folder)
    return folder


def test_the_list(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in the language asked for, with what is ticked so far."""
    listed = json.loads(invoke("lessons", "--json").stdout)
    assert [lesson["lesson"] for lesson in listed] == list(range(1, 11))
    assert all(lesson["ticked"] == [] and lesson["steps"] > 1 and lesson["minutes"] <= 4 for lesson in listed)
    assert len(invoke("lessons").stdout.splitlines()) == 1 + 10
    assert "梯度裁剪" in invoke("lessons", "list", "--language", "zh").stdout
    assert "Gradient clipping" in invoke("lessons", "list", "--language", "en").stdout


def test_the_language_is_the_settings_else_the_locales(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """And --language comes before both."""
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "困惑度" in invoke("lessons", "show", "1").stdout
    assert "perplexity" in invoke("lessons", "show", "1", "--language", "en").stdout
    save_settings(Settings(language="en"))
    assert "perplexity" in invoke("lessons", "show", "1").stdout


def test_a_page_in_parts(invoke: Invoke) -> None:
    """For programs; in a pipe the Markdown as it is."""
    parts = json.loads(invoke("lessons", "show", "vanishing", "--json", "--language", "en").stdout)
    assert parts["lesson"] == 3
    assert len(parts["steps"]) >= 3
    assert parts["equation"].startswith("```text")
    shown = invoke("lessons", "show", "3", "--language", "en").stdout
    assert "`" in parts["markdown"] and "`" not in shown and "#" not in shown
    assert shown.startswith("Why gradients vanish\n====================\n")
    assert "\n    ─────── = ───── ·  Π    diag(1 − (h⁽ʲ⁾)²) W\n" in shown
    assert "Set nonlinearity to relu: its derivative" in shown


@pytest.mark.parametrize(("code", "says"), [("de", "its languages are en, zh"), ("d e", "is not a language's code")])
def test_a_language_that_is_not_there(invoke: Invoke, code: str, says: str) -> None:
    result = invoke("lessons", "show", "3", "--language", code)
    assert (result.exit_code, says in result.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [("show", "99"), ("run", "nothing")])
def test_a_lesson_that_is_not_there(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    """Bad input, answered with the names that exist."""
    result = invoke("lessons", *arguments)
    assert result.exit_code == 2
    assert "1 (training)" in result.stderr


def test_a_lesson_played_to_its_end(invoke: Invoke, texts: Path, workspace: Path) -> None:
    """Each condition with what was measured; the step is ticked; nothing is left in the workspace."""
    result = invoke("lessons", "run", "1", "--seed", "5", "--json")
    assert result.exit_code == 0, result.stderr
    played = json.loads(result.stdout)
    assert played["lesson"] == 1
    assert played["seed"] == 5
    assert played["holds"] is True
    assert played["variants"]["rnn"]["run"] == "lesson-1-rnn-05"
    assert played["variants"]["rnn"]["steps"] == 3
    (step,) = played["steps"]
    (condition,) = step["conditions"]
    assert 2 < condition.pop("measured") < 6
    assert condition == {"metric": "loss", "variant": "rnn", "comparison": "<", "value": 10.0, "holds": True}
    assert list((workspace / "checkpoints").iterdir()) == []
    assert load_progress(progress_path()).ticked == {"made-up": [0]}


def test_a_condition_that_does_not_hold(invoke: Invoke, texts: Path) -> None:
    """Exit code 1, and no tick."""
    file = texts / "1-made-up" / "lesson.toml"
    file.write_text(LESSON.replace("value = 10.0", "value = 0.1"), encoding="utf-8")
    result = invoke("lessons", "run", "made-up", "--language", "en")
    assert result.exit_code == 1
    assert "✗ Train." in result.stdout
    assert "loss (mean of last 100 steps) · RNN < 0.1: " in result.stdout
    assert load_progress(progress_path()).ticked == {}


def test_kept_runs(invoke: Invoke, texts: Path, workspace: Path) -> None:
    """They are runs like others, and are not written over."""
    assert invoke("lessons", "run", "1", "--keep", "--json").exit_code == 0
    assert (workspace / "checkpoints" / "lesson-1-rnn-01" / "run.json").is_file()
    assert "lesson-1-rnn-01" in invoke("runs").stdout
    again = invoke("lessons", "run", "1", "--keep", "--json")
    assert again.exit_code == 2
    assert "'lesson-1-rnn-01' already; choose another --seed, or go on with it: " in again.stderr


def test_a_lesson_of_ones_own_is_begun_checked_listed_and_played(invoke: Invoke, workspace: Path) -> None:
    """In a third language, with a condition that holds and one that does not."""
    begun = invoke("lessons", "new", "mine", "--language", "it")
    assert begun.exit_code == 0, begun.stderr
    place = workspace / "lessons" / "mine"
    assert invoke("lessons", "check", str(place)).stdout.startswith("Lesson 100 (mine) is valid: 2 steps; pages: it.")
    assert invoke("lessons", "check", "mine").exit_code == 0
    (place / "lesson.toml").unlink()
    write_french(workspace / "lessons")
    listed = invoke("lessons", "--json")
    assert "mine: There is no lesson.toml in it" in listed.stderr
    assert [(one["lesson"], one["title"]) for one in json.loads(listed.stdout)][-1] == (100, "Une leçon")
    assert "Une leçon" in invoke("lessons", "show", "lecon").stdout
    played = invoke("lessons", "run", "100", "--json")
    assert played.exit_code == 1
    assert [step["holds"] for step in json.loads(played.stdout)["steps"]] == [True, False]
    by_path = invoke("lessons", "run", str(workspace / "lessons" / "lecon"))
    assert "Réseau récurrent" in by_path.stdout and "1/2" in by_path.stdout
    assert load_progress(progress_path()).tries == {"lecon": 2}
    lesson = workspace / "lessons" / "lecon"
    (lesson / "de.md").write_text((lesson / "fr.md").read_text("utf-8").replace("Une leçon", "Eine Lektion"), "utf-8")
    file = lesson / "lesson.toml"
    file.write_text(file.read_text("utf-8").replace("title = { ", 'title = { de = "klein", '), "utf-8")
    assert "Eine Lektion" in invoke("lessons", "show", "lecon", "--language", "de").stdout
    assert "Eine Lektion" in invoke("lessons", "list", "--language", "de").stdout
    unknown = invoke("lessons", "run", "lecon", "--language", "nl")
    assert (unknown.exit_code, "has no page in 'nl'" in unknown.stderr) == (2, True)
    refused = invoke("lessons", "show", "mine")
    assert (refused.exit_code, "no lesson.toml" in refused.stderr) == (2, True)


def test_what_is_wrong_with_a_lesson_is_said_line_by_line(invoke: Invoke, tmp_path: Path) -> None:
    """As compilers say it, so that editors jump there."""
    place = write_french(tmp_path)
    file = place / "lesson.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"loss"', '"los"'), encoding="utf-8")
    checked = invoke("lessons", "check", str(place))
    assert checked.exit_code == 2
    lines = file.read_text(encoding="utf-8").split("\n")
    numbers = [number for number, line in enumerate(lines, 1) if '"los"' in line]
    assert [line.split(": ")[0] for line in checked.stderr.splitlines()] == [f"{file}:{number}" for number in numbers]
    found = json.loads(invoke("lessons", "check", str(place), "--json").stdout)
    assert (found["valid"], [one["line"] for one in found["problems"]]) == (False, numbers)
    nowhere = json.loads(invoke("lessons", "check", str(tmp_path / "nope"), "--json").stdout)
    assert [one["line"] for one in nowhere["problems"]] == [None]
    again = invoke("lessons", "new", "no/name")
    assert (again.exit_code, "lower-case letters" in again.stderr) == (2, True)


def test_the_progress_of_a_class_is_a_table(invoke: Invoke, tmp_path: Path) -> None:
    """For a spreadsheet: one that opens it must not run a student's folder name as a formula."""
    lesson = reader.find_lesson("lstm")
    for who in ("ada", "=1+1"):
        progress = Progress()
        progress.tick(lesson, 1)
        save_progress(progress, tmp_path / "class" / who / "lessons.json")
    out = tmp_path / "class.csv"
    done = invoke("lessons", "report", str(tmp_path / "class"), "--out", str(out))
    assert done.exit_code == 0, done.stderr
    rows = list(csv.reader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["who", "lesson", "step", "steps", "done", "tries", "seconds"]
    assert rows[1] == ["'=1+1", "lstm", "1", "5", "0", "0", "0.0"]
    assert [row[4] for row in rows if row[0] == "ada"] == ["0", "1", "0", "0", "0"]
    assert invoke("lessons", "report", str(tmp_path / "class" / "ada"), "--out", "-").stdout.startswith("who,lesson,")
    for who in ("bob", "eve"):
        (tmp_path / "class" / who).mkdir()
        (tmp_path / "class" / who / "lessons.json").write_text("{", encoding="utf-8")
    broken = invoke("lessons", "report", str(tmp_path / "class"), "--out", str(out))
    assert (broken.exit_code, "bob" in broken.stderr, "eve" in broken.stderr) == (2, True, True)
    for arguments in ((str(tmp_path / "none"), "--out", str(out)), (str(tmp_path / "class"), "--out", str(tmp_path))):
        assert invoke("lessons", "report", *arguments).exit_code == 2
