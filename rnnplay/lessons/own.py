"""Lessons of one's own: a skeleton to begin with, and reading and checking them from a folder or a zip archive.

They lie in the workspace's lessons/, a folder or an archive each: lesson.toml and a page in each of their languages,
named by its code (en.md, fr.md). An archive is read where it lies and never unpacked, so nothing in it can reach
another place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

import msgspec

from rnnplay.common.commands import shell_command
from rnnplay.common.files import remove_tree
from rnnplay.common.limits import reason, way_out
from rnnplay.common.terminal_text import sanitize_name
from rnnplay.common.toml.repair import line_of, places, read_past_faults
from rnnplay.common.toml.text import toml_text
from rnnplay.errors import InputError
from rnnplay.lessons.declarations import Mistake, misfits, missing_texts, problems, refused_settings
from rnnplay.lessons.lesson import Lesson, preferred
from rnnplay.lessons.reader import lessons as bundled_lessons
from rnnplay.lessons.reader import page_problems
from rnnplay.workspace import Workspace

FIRST_NUMBER = 100
"""The lowest number of a lesson of one's own; those below are rnnplay's."""
DECLARATIONS = "lesson.toml"
SKELETON = Path(__file__).parent / "skeleton"
"""The files that a lesson begins with."""
MAX_BYTES = 256 * 1024
"""Longest file of a lesson."""
MAX_FILES = 64
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
"""A language's code, as in en, de or pt-BR."""


class Problem(NamedTuple):
    """What is wrong with a lesson, and where."""

    file: str
    line: int | None
    """The line, from 1; None if it is about the file or folder as a whole."""
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.sentence}" if self.line is None else f"{self.file}:{self.line}: {self.sentence}"


def own_lessons(folder: Path) -> tuple[list[Lesson], list[Problem]]:
    """Reads the lessons in `folder` in the order of their numbers, and the first problem of each that is invalid.

    Of two with the same number or name the one whose file comes first counts.
    """
    found: list[Lesson] = []
    wrong: list[Problem] = []
    try:
        places = sorted(place for place in folder.iterdir() if not place.name.startswith("."))
    except OSError:
        return [], []
    for place in places:
        if not (place.suffix.lower() == ".zip" or place.is_dir()):
            continue
        lesson, complaints = check_lesson(place)
        if lesson is None:
            wrong += complaints[:1]
        elif any(lesson.number == other.number or lesson.name == other.name for other in found):
            sentence = (
                f"Another lesson here has the number {lesson.number} or the name {lesson.name!r}; change this one's."
            )
            wrong.append(Problem(str(place), None, sentence))
        else:
            found.append(lesson)
    return sorted(found, key=lambda lesson: lesson.number), wrong


def read_own(place: Path) -> Lesson:
    """Reads the lesson in a folder or a zip archive; raises InputError with its first problem."""
    lesson, complaints = check_lesson(place)
    if lesson is None:
        more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
        raise InputError(f"{complaints[0]}{more}")
    return lesson


def shown_in_one_language(lesson: Lesson, chosen: str) -> Lesson:
    """Returns a lesson in the language that it is shown in, by the command line and the interface alike.

    That is `chosen` (what --language or the settings say, "" if neither says anything) if the lesson has it, otherwise
    `preferred`'s. One of rnnplay's own stays as it is: its pages are in the language of the interface.
    """
    return in_language(lesson, preferred(lesson.pages, chosen)) if lesson.pages else lesson


def in_language(lesson: Lesson, code: str) -> Lesson:
    """Returns one of the user's lessons with its page and titles in that language alone; raises InputError if none."""
    if code not in lesson.pages:
        there = ", ".join(lesson.pages)
        raise InputError(f"Lesson {lesson.number} ({lesson.name}) has no page in {code!r}; its languages are {there}.")
    variants = {
        name: msgspec.structs.replace(variant, title={code: variant.title[code]})
        for name, variant in lesson.variants.items()
    }
    return msgspec.structs.replace(lesson, pages={code: lesson.pages[code]}, variants=variants)


def check_lesson(place: Path, workspace: Workspace | None = None) -> tuple[Lesson | None, list[Problem]]:
    """Returns the lesson in a folder or a zip archive, with its pages; or None and everything that is wrong with it.

    With a workspace a text that is not in it is wrong, too.
    """
    try:
        files = _read_files(place)
    except InputError as error:
        return None, [Problem(str(place), None, str(error))]
    wrong: list[Problem] = []
    lesson: Lesson | None = None
    steps: int | None = None
    if DECLARATIONS not in files:
        wrong.append(Problem(str(place), None, f"There is no {DECLARATIONS} in it."))
    else:
        named = str(place / DECLARATIONS)
        languages = tuple(name.removesuffix(".md") for name in sorted(files) if _is_page(name))
        try:
            text = toml_text(files[DECLARATIONS], named)
        except InputError as error:
            wrong.append(Problem(named, None, f"This file {str(error).removeprefix(f'{named} ')}"))
        else:
            lesson, steps, found = _declared(text, languages, workspace)
            wrong += [Problem(named, line, sentence) for line, sentence in found]
    pages, complaints = _pages(place, files, steps)
    wrong += complaints
    if lesson is None or wrong:
        return None, wrong
    return msgspec.structs.replace(lesson, pages=pages), []


def _declared(
    text: str, languages: tuple[str, ...], workspace: Workspace | None
) -> tuple[Lesson | None, int | None, list[tuple[int, str]]]:
    """Reads a lesson.toml; returns the lesson, how many steps it has, and its mistakes with their lines.

    None for the lesson if it lacks something, for the number of steps if that is uncertain.
    """
    read = read_past_faults(text)
    wrong = [(fault.line, fault.sentence) for fault in read.faults]
    if read.faults and not read.values:
        return None, None, wrong
    lines = places(text)
    misfitting = list(misfits(read.values))
    if read.lost:  # what is missing may stand in the lines that were left out
        misfitting = [one for one in misfitting if one.path in lines]
    declared = read.values.get("steps")
    steps = len(declared) if isinstance(declared, list) and not read.lost else None
    lesson: Lesson | None = None
    if misfitting or read.lost:
        mistakes = [*misfitting, *refused_settings(read.values)]
    else:
        lesson = msgspec.convert(read.values, Lesson)
        mistakes = [*_own_problems(lesson), *problems(lesson, languages)]
        if workspace:
            mistakes += missing_texts(lesson, workspace)
    wrong += [(line_of(lines, one.path), one.sentence) for one in mistakes]
    return lesson, steps, sorted(wrong)


def _is_page(name: str) -> bool:
    return name.endswith(".md") and CODE.fullmatch(name.removesuffix(".md")) is not None


def _pages(place: Path, files: dict[str, bytes], steps: int | None) -> tuple[dict[str, str], list[Problem]]:
    """Returns the pages by their languages' codes, and what is wrong with them; `steps` as read_page has it."""
    pages: dict[str, str] = {}
    wrong: list[Problem] = []
    for name, data in sorted(files.items()):
        file, code = str(place / name), name.removesuffix(".md")
        if name == DECLARATIONS:
            continue
        if not _is_page(name):
            wrong.append(Problem(file, None, "A page is named by its language's code, as in en.md or pt-BR.md."))
            continue
        try:
            pages[code] = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            wrong.append(Problem(file, line, "This is not UTF-8 text; save it as UTF-8."))
            continue
        lacking = page_problems(pages[code], steps)
        wrong += [Problem(file, line, f"The page {what}.") for line, what in lacking]
    if not pages and not wrong:
        wrong.append(
            Problem(str(place), None, "There is no page; write one, named by its language's code, as in en.md.")
        )
    return pages, wrong


def _own_problems(lesson: Lesson) -> Iterator[Mistake]:
    if lesson.number < FIRST_NUMBER:
        sentence = f"The numbers below {FIRST_NUMBER} are rnnplay's own lessons'; choose a higher one."
        yield Mistake(("number",), sentence)
    if not NAME.fullmatch(lesson.name):
        yield Mistake(
            ("name",), "The name needs to be lower-case letters, digits and hyphens, at most 40, as in my-lesson."
        )
    if lesson.name in {one.name for one in bundled_lessons()}:
        yield Mistake(("name",), f"A lesson of rnnplay's is called {lesson.name!r}; choose another name.")


def _read_files(place: Path) -> dict[str, bytes]:
    """Reads lesson.toml and the pages; raises InputError for what is no lesson at all, or too large."""
    import zipfile

    try:
        if place.is_dir():
            return _bounded(
                (file.name, file.open("rb"))
                for file in sorted(place.iterdir())
                if _belongs(file.name) and file.is_file()
            )
        with zipfile.ZipFile(place) as archive:
            inside = [
                one for one in archive.infolist() if not one.is_dir() and _belongs(PurePosixPath(one.filename).name)
            ]
            inside = [one for one in inside if not _is_hidden(one.filename)]
            folders = {str(PurePosixPath(one.filename).parent) for one in inside}
            if len(folders) > 1:
                raise InputError("The archive holds files in several folders; put one lesson in each archive.")
            if any(one.flag_bits & 1 for one in inside):
                raise InputError("The archive is locked with a password; pack it without one.")
            return _bounded((PurePosixPath(one.filename).name, archive.open(one)) for one in inside)
    except OSError as error:
        raise InputError(
            f"It cannot be read ({error.strerror or error}); give a lesson's folder or zip archive."
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError("This is not a whole zip archive; pack the lesson's folder again.") from error


def _is_hidden(path: str) -> bool:
    """Whether macOS put the file there, or another program that hides its own."""
    return any(part != ".." and part.startswith((".", "__MACOSX")) for part in PurePosixPath(path).parts)


def _belongs(name: str) -> bool:
    return name == DECLARATIONS or name.endswith(".md")


def _bounded(files: Iterator[tuple[str, IO[bytes]]]) -> dict[str, bytes]:
    """Reads the files; raises InputError for more than MAX_FILES, and one longer than MAX_BYTES."""
    import zlib

    found: dict[str, bytes] = {}
    for name, opened in files:
        with opened:
            if len(found) >= MAX_FILES:
                raise InputError(f"There are more than {MAX_FILES} files in it; a lesson has one page a language.")
            try:
                data = opened.read(MAX_BYTES + 1)  # whatever size an archive claims
            except zlib.error as error:
                raise InputError("This is not a whole zip archive; pack the lesson's folder again.") from error
            if len(data) > MAX_BYTES:
                raise InputError(f"{sanitize_name(name)} is larger than {MAX_BYTES // 1024} KiB; shorten it.")
            found[name] = data
    return found


def write_skeleton(folder: Path, name: str, language: str, number: int) -> Path:
    """Writes the skeleton of a lesson to `folder`/`name`, and returns that path; raises InputError if it is there."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{sanitize_name(name)!r} cannot be a lesson's name; use lower-case letters, digits and hyphens, at "
            "most 40, as in my-lesson."
        )
    if not CODE.fullmatch(language):
        raise InputError(f"{sanitize_name(language)!r} is not a language's code; give one such as en, fr or pt-BR.")
    if name in {lesson.name for lesson in bundled_lessons()}:
        raise InputError(f"A lesson of rnnplay's is called {name!r}; choose another name.")
    place = folder / name
    try:
        place.mkdir(parents=True)
        text = (SKELETON / DECLARATIONS).read_text(encoding="utf-8")
        for mark, value in (("NUMBER", str(number)), ("NAME", name), ("LANGUAGE", language)):
            text = text.replace(mark, value)
        (place / DECLARATIONS).write_text(text, encoding="utf-8", newline="\n")
        (place / f"{language}.md").write_bytes((SKELETON / "page.md").read_bytes())
    except FileExistsError as error:
        check = shell_command("lessons", "check", str(place))
        raise InputError(f"{place} is there already; choose another name, or check it: {check}") from error
    except OSError as error:
        with suppress(OSError):
            remove_tree(place)
        raise InputError(
            f"{place} cannot be written ({reason(error)}); {way_out(error)}, or use another workspace."
        ) from error
    return place
