"""Reads lessons from their folders and checks them: texts/<number>-<name>/lesson.toml, en.md and zh.md.

A page is Markdown: a first-level heading, the text, and six second-level sections in a fixed order, under headings in
the page's language: equation, what to do (a numbered list, one item per step), what to watch, question, answer, now
change this yourself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

from rnnplay.common.toml_text import parse_toml
from rnnplay.config import knobs
from rnnplay.errors import ConfigError, InputError
from rnnplay.lessons.languages import LANGUAGES, Language
from rnnplay.lessons.lesson import Lesson, Page, preferred
from rnnplay.lessons.metrics import METRICS, split_metric

TEXTS = Path(__file__).parent / "texts"
SECTIONS = ("equation", "steps", "watch", "question", "answer", "change")


def lessons(folder: Path | None = None) -> tuple[Lesson, ...]:
    """Returns all lessons in order, reading them only once; raises InputError for an invalid one."""
    return _read_all(folder or TEXTS)


@cache
def _read_all(folder: Path) -> tuple[Lesson, ...]:
    found = [read_lesson(place) for place in sorted(folder.iterdir()) if (place / "lesson.toml").is_file()]
    return tuple(sorted(found, key=lambda lesson: lesson.number))


def find_lesson(wanted: str, folder: Path | None = None, own: Sequence[Lesson] = ()) -> Lesson:
    """Finds a lesson by number or name, also among the user's `own`; raises InputError if there is none."""
    known = (*lessons(folder), *own)
    for lesson in known:
        if wanted.strip() in (str(lesson.number), lesson.name):
            return lesson
    raise InputError(
        f"There is no lesson {wanted!r}; the lessons are "
        f"{', '.join(f'{lesson.number} ({lesson.name})' for lesson in known)}."
    )


def page(lesson: Lesson, language: Language, folder: Path | None = None) -> Page:
    """Reads the lesson's page in `language`; raises InputError if it is missing or lacks a part.

    One of the user's own lessons, which was checked when it was read, is shown in a language that it has.
    """
    if lesson.pages:
        return read_page(lesson.pages[preferred(lesson.pages, language)], len(lesson.steps))
    place = (folder or TEXTS) / f"{lesson.number}-{lesson.name}" / f"{language}.md"
    try:
        return read_page(place.read_text(encoding="utf-8-sig"), len(lesson.steps))
    except OSError as error:
        raise InputError(
            f"The lesson's page {place} cannot be read ({error.strerror}); install rnnplay again."
        ) from error
    except ValueError as error:
        raise InputError(f"The lesson's page {place} {error}.") from error


def read_lesson(place: Path) -> Lesson:
    """Reads the lesson in the folder `place`; raises InputError that names the file and says what is wrong."""
    file = place / "lesson.toml"
    try:
        lesson = msgspec.convert(parse_toml(file.read_bytes(), str(file)), Lesson)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); install rnnplay again.") from error
    except msgspec.ValidationError as error:
        raise InputError(f"{file} is not a valid lesson: {str(error).rstrip('.')}.") from error
    if place.name != f"{lesson.number}-{lesson.name}":
        raise InputError(
            f"{file} declares lesson {lesson.number}-{lesson.name}, but its folder is called {place.name}; "
            "rename one of them."
        )
    for _, problem in problems(lesson):
        raise InputError(f"{file}: {problem}")
    for language in LANGUAGES:
        page(lesson, language, place.parent)
    return lesson


def problems(lesson: Lesson, languages: Sequence[str] = LANGUAGES) -> list[tuple[str, str]]:
    """Checks a lesson's declarations; returns where each problem is, as in "$.steps[0]", and a sentence about it."""
    found: list[tuple[str, str]] = []
    for variant, declared in lesson.variants.items():
        try:
            config = lesson.config(variant)
        except ConfigError as error:
            found.append((f"$.variants.{variant}.values", f"The variant {variant!r} cannot be run: {error}"))
            continue
        names = list(lesson.variants)
        if declared.branch and declared.branch not in names[: names.index(variant)]:
            sentence = f"The variant {variant!r} branches from {declared.branch!r}, which is no variant before it."
            found.append((f"$.variants.{variant}.branch", sentence))
        elif declared.branch and (
            kept := [
                name
                for name, spec in knobs().items()
                if spec.knob.kept and getattr(config, name) != getattr(lesson.config(declared.branch), name)
            ]
        ):
            sentence = f"The variant {variant!r} branches from {declared.branch!r}, whose {kept[0]} it has to keep."
            found.append((f"$.variants.{variant}.branch", sentence))
        if declared.learning_rates and config.lr not in declared.learning_rates:
            sentence = f"The variant {variant!r} has a learning rate that is not in its grid: {config.lr:g}."
            found.append((f"$.variants.{variant}.learning_rates", sentence))
        if not set(languages) <= set(declared.title):
            sentence = f"The variant {variant!r} needs a title in each language: {', '.join(languages)}."
            found.append((f"$.variants.{variant}.title", sentence))
        found += [
            (
                f"$.variants.{variant}.values",
                f"The variant {variant!r} sets {knob!r} to the value that it has in [common]; remove one of the two.",
            )
            for knob, value in declared.values.items()
            if knob in knobs() and lesson.common.get(knob) == value
        ]
    for number, step in enumerate(lesson.steps, 1):
        for place, condition in enumerate(step.conditions):
            where = f"$.steps[{number - 1}].conditions[{place}]"
            try:
                split_metric(condition.metric)
            except ValueError as error:
                sentence = f"Step {number} cannot be measured: {error}; the metrics are {', '.join(METRICS)}."
                found.append((where, sentence))
            found += [
                (where, f"Step {number} looks at the variant {variant!r}, which the lesson does not have.")
                for variant in condition.variants
                if variant not in lesson.variants
            ]
    return found


def page_problem(markdown: str, error: ValueError) -> tuple[int, str]:
    """Returns the line (from 1) of a page that `error`, which read_page raised for it, is about, and what it says."""
    sentence = str(error)
    headings = [number for number, line in enumerate(markdown.split("\n"), 1) if line.startswith("## ")]
    if "sections" in sentence:
        return (headings[-1] if headings else 1), sentence
    if sentence.startswith("describes"):
        return headings[SECTIONS.index("steps")], sentence
    empty = sentence.partition("in: ")[2].partition(",")[0]
    return (headings[SECTIONS.index(empty)] if empty in SECTIONS else 1), sentence


def read_page(markdown: str, steps: int) -> Page:
    """Splits a page with `steps` steps into its parts; raises ValueError saying what it lacks."""
    head, *sections = re.split(r"^## .*\n", markdown, flags=re.MULTILINE)
    title, _, text = head.strip().partition("\n")
    if not title.startswith("# "):
        raise ValueError("does not begin with a title (# …)")
    if len(sections) != len(SECTIONS):
        raise ValueError(f"has {len(sections)} sections, but a page has {len(SECTIONS)}: {', '.join(SECTIONS)}")
    parts = {name: section.strip() for name, section in zip(SECTIONS, sections, strict=True)}
    empty = [name for name, section in parts.items() if not section] + ([] if text.strip() else ["text"])
    if empty:
        raise ValueError(f"has no text in: {', '.join(empty)}")
    items = tuple(
        re.sub(r"\s+", " ", item).strip() for item in re.split(r"^\d+\. ", parts.pop("steps"), flags=re.M)[1:]
    )
    if len(items) != steps:
        raise ValueError(f"describes {len(items)} steps, but lesson.toml declares {steps}")
    return Page(title=title[2:].strip(), markdown=markdown, text=text.strip(), steps=items, **parts)
