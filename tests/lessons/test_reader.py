"""The lessons as shipped can be read and run, and each page says the same in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from rnnplay.config import RunConfig, knobs
from rnnplay.errors import InputError
from rnnplay.inspection.results import Quantity
from rnnplay.lessons.languages import LANGUAGES, choose_language, locale_language
from rnnplay.lessons.lesson import Lesson
from rnnplay.lessons.metrics import METRICS, QUANTITY_NAMES, split_metric
from rnnplay.lessons.reader import TEXTS, find_lesson, lessons, page, read_lesson, read_page
from rnnplay.text.corpora.dependencies import TASKS
from tests.lessons.world import PAGE, write_lesson

NUMBERS = range(1, 11)


def structure(markdown: str) -> list[str]:
    """What both languages must have alike: levels of headings, items, code blocks, knobs and emphasis in backticks."""
    kinds = [r"^#+(?= )", r"^\d+\.(?= )", r"^-(?= )", r"^```\w*", r"`[^`\n]+`"]
    return re.findall("|".join(kinds), markdown, re.MULTILINE)


def test_they_are_in_the_order_of_the_notes() -> None:
    """The course has an order, and each lesson leans on those before."""
    assert [lesson.number for lesson in lessons()] == list(NUMBERS)
    assert len({lesson.name for lesson in lessons()}) == len(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_variant_can_be_run_and_every_metric_is_known(number: int) -> None:
    """A lesson that cannot tick is found here and not by the user at step three."""
    lesson = find_lesson(str(number))
    for variant, declared in lesson.variants.items():
        config = lesson.config(variant, seed=3)
        assert isinstance(config, RunConfig)
        assert config.seed == 3
        assert config.steps > 0, "counted in steps, so that it is the same on every machine"
        assert not config.minutes and not config.epochs
        assert not declared.learning_rates or config.lr in declared.learning_rates
    for text, step in zip(page(lesson, "en").steps, lesson.steps, strict=True):
        assert step.look or "look at" not in text.lower(), "what is to be looked at ticks when it is"
    for step in lesson.steps:
        for condition in step.conditions:
            split_metric(condition.metric)
            assert set(condition.variants) <= set(lesson.variants)
            assert all(condition.after <= lesson.config(variant).steps for variant in condition.variants)
    assert {variant for step in lesson.steps for variant in step.variants} == set(lesson.variants), (
        "a variant that nothing looks at"
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_both_languages_say_the_same(number: int) -> None:
    """As many headings, steps, items and code blocks, and the same knobs in the same order."""
    lesson = find_lesson(str(number))
    english, chinese = page(lesson, "en"), page(lesson, "zh")
    assert len(english.steps) == len(chinese.steps) == len(lesson.steps)
    kinds = ("#", "##", "-", "```", "1", "2", "3", "4", "5", "6")
    counted = [
        [sum(mark.startswith(kind) for mark in structure(one.markdown)) for kind in kinds] for one in (english, chinese)
    ]
    assert counted[0] == counted[1]
    quoted = [sorted(re.findall(r"`([a-z ._0-9+-]+)`", one.markdown)) for one in (english, chinese)]
    assert quoted[0] == quoted[1]


@pytest.mark.parametrize("number", NUMBERS)
def test_pages_name_knobs_as_the_form_does(number: int) -> None:
    """A label that is not on the screen cannot be found there."""
    choices = {choice for knob in knobs().values() for choice in knob.choices}
    known = {knob.label for knob in knobs().values()} | choices | set(TASKS) | {"+", "-"}
    for language in LANGUAGES:
        assert set(re.findall(r"`([^`\n]+)`", page(find_lesson(str(number)), language).markdown)) <= known


@pytest.mark.parametrize("number", NUMBERS)
def test_the_numbers_in_the_steps_are_those_of_the_conditions(number: int) -> None:
    """What a step says in words is the same in both languages; none of them promises what is not asked for."""
    lesson = find_lesson(str(number))
    for first, second in zip(page(lesson, "en").steps, page(lesson, "zh").steps, strict=True):
        assert set(re.findall(r"\d+\.\d+", first)) == set(re.findall(r"\d+\.\d+", second))


@pytest.mark.parametrize("number", NUMBERS)
def test_equations_fit_eighty_columns(number: int) -> None:
    """They are drawn as they stand; a line that wraps is no equation any more."""
    lesson = find_lesson(str(number))
    for language in LANGUAGES:
        for block in re.findall(r"^```text\n(.*?)^```", page(lesson, language).markdown, re.MULTILINE | re.DOTALL):
            assert max(width(line) for line in block.splitlines()) <= 76


def width(line: str) -> int:
    """Columns in a terminal."""
    from rich.cells import cell_len

    return cell_len(line)


def test_chinese_is_chinese() -> None:
    """No paragraph was left in English."""
    for lesson in lessons():
        read = page(lesson, "zh")
        for part in (read.text, read.watch, read.question, read.answer, read.change, *read.steps):
            assert len(re.findall("[\u4e00-\u9fff]", part)) > len(part) / 5, part


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8", "LC_ALL": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_chooses_the_language(environment: dict[str, str], language: str) -> None:
    """As other programs read it: LC_ALL before LC_MESSAGES before LANG, an empty one being none."""
    assert locale_language(environment) == language
    assert choose_language("", environment) == language
    assert choose_language("en", environment) == "en"
    assert choose_language("zh", environment) == "zh"


def test_a_lesson_is_found_by_number_or_name() -> None:
    """And one that does not exist is answered with those that do."""
    assert find_lesson("3") is find_lesson("vanishing")
    with pytest.raises(InputError, match=r"no lesson '99'.*1 \(training\)"):
        find_lesson("99")


@pytest.mark.parametrize(
    ("former", "changed", "complaint"),
    [
        ('metric = "loss"', 'metric = "lose"', "no metric 'lose'"),
        ('metric = "loss"', 'metric = "accuracy"', "another parameter"),
        ('metric = "loss"', 'metric = "loss@3"', "no parameter"),
        ('variant = "rnn", comparison', 'variant = "gru", comparison', "the variant 'gru'"),
        ("hidden = 8", "hidden = 0", "hidden must be a whole number"),
        ("hidden = 8", "hiden = 8", "hiden"),
        ("learning_rates = [0.01]", "learning_rates = [0.02]", "not in its grid"),
        ("number = 1", "number = 2", "its folder"),
        ("number = 1", "numbre = 1", "numbre"),
        ('zh = "循环"', 'de = "RNN"', "needs a title"),
    ],
)
def test_what_is_wrong_in_a_lesson_is_said(tmp_path: Path, former: str, changed: str, complaint: str) -> None:
    """One sentence with the file's name: who writes a lesson reads it often."""
    place = write_lesson(tmp_path)
    file = place / "lesson.toml"
    text = file.read_text(encoding="utf-8")
    assert former in text
    file.write_text(text.replace(former, changed, 1), encoding="utf-8")
    with pytest.raises(InputError, match=complaint) as error:
        read_lesson(place)
    assert "lesson.toml" in str(error.value)


def test_a_lesson_with_byte_order_marks_is_the_same(tmp_path: Path) -> None:
    """Notepad writes one at the start of a file."""
    plain = read_lesson(write_lesson(tmp_path / "plain"))
    place = write_lesson(tmp_path / "marked")
    for file in place.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_lesson(place) == plain
    assert page(plain, "en", tmp_path / "marked") == page(plain, "en", tmp_path / "plain")


@pytest.mark.parametrize(
    ("markdown", "complaint"),
    [
        ("needs a title", "title"),
        (PAGE.replace("## Answer\n", ""), "5 sections"),
        (PAGE.replace("1. Train.", "Train."), "0 steps"),
        (PAGE.replace("Because.", ""), "no text in: answer"),
    ],
)
def test_what_is_wrong_in_a_page_is_said(markdown: str, complaint: str) -> None:
    """A section too few would shift all others."""
    with pytest.raises(ValueError, match=complaint):
        read_page(markdown, steps=1)


def test_metrics_are_named_in_every_language() -> None:
    """The screen shows them beside their values; quantities too."""
    assert all(set(names) == set(get_args(Quantity)) for names in QUANTITY_NAMES.values())
    for name, metric in METRICS.items():
        assert set(metric.labels) == set(LANGUAGES), name
        if metric.parameter == "quantity":
            assert metric.label("zh", "forget_gate").startswith("遗忘门")
        assert all(("{}" in label) == bool(metric.parameter) for label in metric.labels.values()), name


def test_lessons_are_package_data() -> None:
    """They must be inside the package, or a wheel comes without them."""
    import rnnplay

    assert TEXTS.is_relative_to(Path(rnnplay.__file__).parent)
    assert isinstance(lessons()[0], Lesson)
