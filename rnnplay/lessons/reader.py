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

from rnnplay.common.toml.text import parse_toml
from rnnplay.errors import InputError
from rnnplay.lessons import TEXTS as TEXTS
from rnnplay.lessons.declarations import misfits, problems
from rnnplay.lessons.languages import LANGUAGES, Language
from rnnplay.lessons.lesson import Lesson, Page, preferred

SECTIONS = ("equation", "steps", "watch", "question", "answer", "change")


def lessons() -> tuple[Lesson, ...]:
    """Returns all lessons in order, reading them only once; raises InputError for an invalid one."""
    return _read_all(TEXTS)


@cache
def _read_all(folder: Path) -> tuple[Lesson, ...]:
    found = [read_lesson(place) for place in sorted(folder.iterdir()) if (place / "lesson.toml").is_file()]
    return tuple(sorted(found, key=lambda lesson: lesson.number))


def find_lesson(wanted: str, own: Sequence[Lesson] = ()) -> Lesson:
    """Finds a lesson by number or name, also among the user's `own`; raises InputError if there is none."""
    known = (*lessons(), *own)
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
        declared = parse_toml(file.read_bytes(), str(file))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); install rnnplay again.") from error
    for mistake in misfits(declared):
        raise InputError(f"{file}: {mistake.sentence}")
    lesson = msgspec.convert(declared, Lesson)
    if place.name != f"{lesson.number}-{lesson.name}":
        raise InputError(
            f"{file} declares lesson {lesson.number}-{lesson.name}, but its folder is called {place.name}; "
            "rename one of them."
        )
    for mistake in problems(lesson):
        raise InputError(f"{file}: {mistake.sentence}")
    for language in LANGUAGES:
        page(lesson, language, place.parent)
    return lesson


def page_problems(markdown: str, steps: int | None) -> list[tuple[int, str]]:
    """Returns what a page with `steps` steps (None: any number) lacks: the line, from 1, and what the page does."""
    head, *sections = _parts(markdown)
    headings = [number for number, line in enumerate(markdown.split("\n"), 1) if line.startswith("## ")]
    title, _, text = head.strip().partition("\n")
    found: list[tuple[int, str]] = []
    if not title.startswith("# "):
        found.append((1, "does not begin with a title (# …)"))
    elif not text.strip():
        found.append((1, "has no text in: text"))
    if len(sections) != len(SECTIONS):
        sentence = f"has {len(sections)} sections, but a page has {len(SECTIONS)}: {', '.join(SECTIONS)}"
        return [*found, (headings[-1] if headings else 1, sentence)]
    for name, heading, section in zip(SECTIONS, headings, sections, strict=False):
        if not section.strip():
            found.append((heading, f"has no text in: {name}"))
        elif name == "steps" and steps not in (None, count := len(_items(section))):
            numbered = "" if count else ": number them, 1. and so on"
            found.append(
                (heading, f"describes {count} step{'s' * (count != 1)}, but lesson.toml declares {steps}{numbered}")
            )
    return found


def read_page(markdown: str, steps: int) -> Page:
    """Splits a page with `steps` steps into its parts; raises ValueError saying what it lacks."""
    for _, lacking in page_problems(markdown, steps):
        raise ValueError(lacking)
    head, *sections = _parts(markdown)
    title, _, text = head.strip().partition("\n")
    parts = {name: section.strip() for name, section in zip(SECTIONS, sections, strict=True)}
    items = _items(parts.pop("steps"))
    return Page(title=title[2:].strip(), markdown=markdown, text=text.strip(), steps=items, **parts)


def _parts(markdown: str) -> list[str]:
    """The head of a page, and its sections without their headings."""
    return re.split(r"^## .*\n", markdown, flags=re.MULTILINE)


def _items(section: str) -> tuple[str, ...]:
    """The items of a numbered list, each in one line."""
    return tuple(re.sub(r"\s+", " ", item).strip() for item in re.split(r"^\d+\. ", section, flags=re.M)[1:])
