"""Lessons of one's own: a skeleton to begin with, and reading and checking them from a folder or a zip archive.

They lie in the workspace's lessons/, a folder or an archive each: lesson.toml and a page in each of their languages,
named by its code (en.md, fr.md). An archive is read where it lies and never unpacked, so nothing in it can reach
another place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Literal, NamedTuple, get_args, get_origin

import msgspec

from rnnplay.common.commands import shell_command
from rnnplay.common.terminal_text import sanitize_name
from rnnplay.common.toml_text import parse_toml, toml_text
from rnnplay.errors import InputError
from rnnplay.lessons.lesson import Condition, Lesson, Step
from rnnplay.lessons.reader import lessons as bundled_lessons
from rnnplay.lessons.reader import page_problem, problems, read_page

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
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


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
            wrong.append(Problem(str(place), 1, sentence))
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


def check_lesson(place: Path) -> tuple[Lesson | None, list[Problem]]:
    """Returns the lesson in a folder or a zip archive, with its pages; or None and everything that is wrong with it."""
    try:
        files = _read_files(place)
    except InputError as error:
        return None, [Problem(str(place), 1, str(error))]
    named = str(place / DECLARATIONS)
    if DECLARATIONS not in files:
        return None, [Problem(str(place), 1, f"There is no {DECLARATIONS} in it.")]
    try:
        text = toml_text(files[DECLARATIONS], named)
        raw = parse_toml(files[DECLARATIONS], named)
    except InputError as error:
        at = re.search(r"line (\d{1,6})", str(error))
        return None, [Problem(named, int(at[1]) if at else 1, str(error).removeprefix(f"{named} "))]
    try:
        if "pages" in raw:
            raise msgspec.ValidationError("Object contains unknown field `pages`")
        lesson = msgspec.convert(raw, Lesson)
    except msgspec.ValidationError as error:
        return None, [Problem(named, _line_of(text, str(error)), f"{_in_words(str(error))}.")]
    wrong = [Problem(named, _line_of(text, about), sentence) for about, sentence in _own_problems(lesson)]
    pages: dict[str, str] = {}
    for name, data in sorted(files.items()):
        code = name.removesuffix(".md")
        if name == DECLARATIONS:
            continue
        if not CODE.fullmatch(code):
            wrong.append(
                Problem(str(place / name), 1, "A page is named by its language's code, as in en.md or pt-BR.md.")
            )
            continue
        try:
            pages[code] = data.decode("utf-8-sig")
            read_page(pages[code], len(lesson.steps))
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            wrong.append(Problem(str(place / name), line, "This is not UTF-8 text; save it as UTF-8."))
        except ValueError as error:
            line, sentence = page_problem(pages[code], error)
            wrong.append(Problem(str(place / name), line, f"The page {sentence}."))
    if not pages and not wrong:
        wrong.append(Problem(str(place), 1, "There is no page; write one, named by its language's code, as in en.md."))
    languages = tuple(pages)
    wrong += [Problem(named, _line_of(text, about), sentence) for about, sentence in problems(lesson, languages)]
    return (None, wrong) if wrong else (msgspec.structs.replace(lesson, pages=pages), [])


def _own_problems(lesson: Lesson) -> Iterator[tuple[str, str]]:
    bundled = bundled_lessons()
    if lesson.number < FIRST_NUMBER:
        yield "$.number", f"The numbers below {FIRST_NUMBER} are rnnplay's own lessons'; choose a higher one."
    if not NAME.fullmatch(lesson.name):
        yield "$.name", "The name needs to be lower-case letters, digits and hyphens, at most 40, as in my-lesson."
    if lesson.name in {one.name for one in bundled}:
        yield "$.name", f"A lesson of rnnplay's is called {lesson.name!r}; choose another name."


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


def _in_words(error: str) -> str:
    """Returns what msgspec says, with the words that are allowed where another one was given."""
    given = re.match(r"Invalid enum value ('.*') - at `.*?(\w+)`", error)
    allowed = [
        word
        for struct in (Condition, Step)
        for field in msgspec.structs.fields(struct)
        if given and field.name == given[2]
        for kind in (field.type, *get_args(field.type))
        if get_origin(kind) is Literal
        for word in get_args(kind)
    ]
    if given and allowed:
        return f"{given[2]} cannot be {given[1]}; take one of {', '.join(allowed)}"
    return error.rstrip(".")


def _line_of(text: str, about: str) -> int:
    """Returns the line of lesson.toml (from 1) that `about` is about: "… - at `$.steps[0].conditions[1].metric`".

    The nearest line above it where the line itself is not found.
    """
    place = re.search(r"\$[\w.\[\]-]*", about)
    parts = re.findall(r"\w[\w-]*", place[0][1:]) if place else []
    unknown = re.search(r"(?:unknown|required) field `([^`]+)`", about)
    if unknown and "unknown" in about:
        parts.append(unknown[1])
    lines = text.split("\n")
    at, table = 0, ""
    for part in parts:
        if part.isdigit():
            heads = (
                [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{table}\s*\]\]", line)]
                if table == "steps"
                else [n for n, line in enumerate(lines) if n >= at and re.search(r"\{", line)]
            )
            at = heads[min(int(part), len(heads) - 1)] if heads else at
            table = ""
            continue
        pattern = rf"\s*(?:\[+\s*(?:[\w-]+\.)?[\"']?{re.escape(part)}[\"']?\s*\]+|[\"']?{re.escape(part)}[\"']?\s*=)"
        at = next((n for n in range(at, len(lines)) if re.match(pattern, lines[n])), at)
        table = part
    return at + 1


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
        raise InputError(
            f"{place} cannot be written ({error.strerror}); allow it, or use another workspace."
        ) from error
    return place
