"""`rnnplay lessons`: the lessons, to read and to play without the interface."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import builtins, note, printable, table, write_json
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import NearGroup, Session, json_option, pass_session, workspace_option
from rnnplay.common.confinement import check_reachable
from rnnplay.common.encodings import encoding_of, utf8_setting
from rnnplay.common.formatting import duration_text
from rnnplay.errors import InputError
from rnnplay.lessons.languages import LANGUAGES, Language, can_show, choose_language

if TYPE_CHECKING:
    from rnnplay.cli.commands.interface.lesson_run import Played
    from rnnplay.cli.support.reporters import Reporter
    from rnnplay.lessons.lesson import Lesson

MAX_WIDTH = 100
"""Most columns of a page."""

language_option = click.option(
    "--language",
    metavar="CODE",
    callback=lambda _ctx, _option, code: _known_code(code),
    shell_complete=lambda _ctx, _option, begun: [code for code in LANGUAGES if code.startswith(begun)],
    help="Language of the lessons: en, zh, or any other that a lesson of your own has, as in de or pt-BR.  "
    "[default: the interface's setting, else the locale's]",
)


@click.group("lessons", cls=NearGroup, invoke_without_command=True, short_help="List, read or play the lessons.")
@language_option
@workspace_option
@json_option
@click.pass_context
def command(ctx: click.Context, language: str | None, as_json: bool) -> None:
    """List, read or play the lessons. Alone, it lists them."""
    if ctx.invoked_subcommand is None:
        _list(ctx.ensure_object(Session), language, as_json)


@command.command("list", short_help="List the lessons and your progress.")
@language_option
@workspace_option
@json_option
@pass_session
def list_(session: Session, language: str | None, as_json: bool) -> None:
    """List the lessons in their order, your own after them, and how many of their steps are ticked."""
    _list(session, language, as_json)


@command.command("show", short_help="Show the page of a lesson.")
@click.argument("lesson", metavar="N|NAME|PATH")
@language_option
@workspace_option
@json_option
@pass_session
def show(session: Session, lesson: str, language: str | None, as_json: bool) -> None:
    """Show the page of a lesson: its text, the equation, what to do and to watch, a question and its answer.

    In a pipe it is plain text; --json has its Markdown.
    """
    from rnnplay.lessons.reader import page

    found = _find(session, lesson)
    found = _in_code(found, language)
    read = page(found, chosen(language, as_json))
    if as_json:
        write_json({"lesson": found.number, "name": found.name, **asdict(read)})
        return
    from rnnplay.lessons.wrapping import plain_text, wrapped

    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        console = Console()
        width = min(console.width, MAX_WIDTH)
        console.print(Markdown(wrapped(read.markdown, width)), width=width)
    else:
        click.echo(plain_text(read.markdown), nl=False)


@command.command("run", short_help="Play a lesson to its end in the terminal.")
@click.argument("lesson", metavar="N|NAME|PATH")
@click.option("--seed", type=WholeNumber(0, 2**63 - 1), default=1, help="The seed of each of its runs.  [default: 1]")
@click.option("--keep", is_flag=True, help="Keep the runs in the workspace, as lesson-N-VARIANT-SEED.")
@language_option
@workspace_option
@json_option
@pass_session
def run(session: Session, lesson: str, seed: int, keep: bool, language: str | None, as_json: bool) -> int:
    """Play a lesson to its end: train each of its models, inspect it, and print what was measured for each condition.

    Exit code 0 if every condition holds, else 1. Steps whose conditions hold are ticked in your progress.
    """
    from rnnplay.cli.commands.interface.lesson_run import play
    from rnnplay.workspace import Workspace

    found = _in_code(_find(session, lesson), language)
    spoken = chosen(language, as_json)

    def reporter(title: str, steps: int) -> Reporter:
        from rnnplay.cli.support.reporters import Silent, choose_reporter

        return Silent() if as_json else choose_reporter(False, title, steps)

    if keep:
        played = play(found, seed, session.workspace, reporter)
    else:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="rnnplay-lesson-", ignore_cleanup_errors=True) as folder:
            played = play(found, seed, Workspace(Path(folder)), reporter)
    _keep_progress(found, played)
    if as_json:
        write_json(played_object(played))
    else:
        _tell(found, played, spoken)
    return 0 if played.holds else 1


@command.command("new", short_help="Begin a lesson of your own.")
@click.argument("name", metavar="NAME")
@click.option("--language", "code", default="en", metavar="CODE", help="Language of its page, as in fr.  [default: en]")
@workspace_option
@pass_session
def new(session: Session, name: str, code: str) -> None:
    """Begin a lesson of your own: write lesson.toml and a page to the workspace's lessons/NAME, ready to be changed.

    It is in the list at once, in the interface too. As a zip archive of that folder it can be given to others.
    """
    from rnnplay.lessons.own import FIRST_NUMBER, own_lessons, write_skeleton

    folder = session.workspace.lessons
    numbers = {lesson.number for lesson in own_lessons(folder)[0]}
    number = next(number for number in range(FIRST_NUMBER, FIRST_NUMBER + len(numbers) + 1) if number not in numbers)
    place = write_skeleton(folder, name, code, number)
    click.echo(printable(f"Wrote {place / 'lesson.toml'} and {code}.md beside it."))
    click.echo(printable(f"Check it: {session.workspace.command('lessons', 'check', str(place))}"))
    click.echo(printable(f"Play it: {session.workspace.command('lessons', 'run', name)}"))


@command.command("check", short_help="Say what is wrong with a lesson of your own.")
@click.argument("path", metavar="NAME|PATH")
@workspace_option
@json_option
@pass_session
def check(session: Session, path: str, as_json: bool) -> int:
    """Say what is wrong with a lesson of your own, and in which lines.

    It is a folder or a zip archive, or the name of one in the workspace's lessons. Each problem is a line: the file,
    the line number unless it concerns the whole file, and a sentence. Exit code 2 if there is any.
    """
    from rnnplay.lessons.own import NAME, check_lesson

    check_reachable(path)
    place = Path(path).expanduser()
    if NAME.fullmatch(path) and not place.exists() and (session.workspace.lessons / path).is_dir():
        place = session.workspace.lessons / path
    lesson, wrong = check_lesson(place, session.workspace)
    if as_json:
        write_json({"valid": lesson is not None, "problems": [problem._asdict() for problem in wrong]})
    elif lesson is not None:
        steps, pages = len(lesson.steps), ", ".join(lesson.pages)
        click.echo(printable(f"Lesson {lesson.number} ({lesson.name}) is valid: {steps} steps; pages: {pages}."))
    for problem in [] if as_json else wrong:
        click.echo(printable(str(problem)), err=True)
    return 2 if wrong else 0


@command.command("report", short_help="Write the progress of a class as CSV.")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True)
@click.option("--out", metavar="FILE", required=True, help="The CSV file to write; - writes to standard output.")
def report(folders: tuple[str, ...], out: str) -> None:
    """Write the progress of a class as CSV: a row for each student, each lesson they began, and each of its steps.

    FOLDER is the folder with a student's lessons.json, such as their workspace under `rnnplay serve`, or a folder of
    such folders. done is 1 or 0; tries counts the runs started in the lesson, seconds is how long those took.
    """
    import csv

    from rnnplay.lessons.progress import COLUMNS
    from rnnplay.lessons.progress import report as rows_of

    for folder in (*folders, out):
        check_reachable(folder)
    rows = [row for folder in folders for row in rows_of(Path(folder).expanduser())]
    if out == "-":
        csv.writer(sys.stdout, lineterminator="\n").writerows([COLUMNS, *map(_harmless, rows)])
        return
    place = Path(out).expanduser()
    try:
        with place.open("w", encoding="utf-8-sig", newline="") as file:  # Excel takes it for Latin-1 without the mark
            csv.writer(file).writerows([COLUMNS, *map(_harmless, rows)])
    except OSError as error:
        raise InputError(f"{place} cannot be written ({error.strerror}); give another --out.") from error
    students = len({row[0] for row in rows})
    click.echo(printable(f"Wrote {place}: {students} student{'s' * (students != 1)}, {len(rows)} rows."))


def _harmless(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns the row for a spreadsheet: a name that begins like a formula gets an apostrophe before it."""
    return tuple(f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@" else cell for cell in row)


def chosen(language: str | None, as_json: bool) -> Language:
    """Returns the language to use: --language, else the interface's setting, else the locale's.

    English, with a note, if the encoding of stdout lacks its characters. JSON has them in any encoding.
    """
    from rnnplay.tui.settings import load_settings

    wanted = choose_language(language or load_settings().language)
    if as_json or can_show(sys.stdout.encoding, wanted):
        return wanted
    note(
        f"Note: The encoding here is {encoding_of(sys.stdout)}, which lacks the lessons' Chinese characters, so this "
        f"is in English; if your terminal shows UTF-8, put {utf8_setting()} before the command."
    )
    return "en"


def played_object(played: Played) -> dict[str, Any]:
    """Converts the results for JSON: conditions without unused fields, with their measured values."""
    from rnnplay.cli.commands.interface.lesson_run import condition_object

    steps = [
        {
            "view": step.view,
            "holds": step.holds,
            "conditions": [
                {**condition_object(judged.condition), "measured": judged.measured, "holds": judged.holds}
                for judged in step.conditions
            ],
        }
        for step in played.steps
    ]
    return {**builtins(played), "steps": steps}


def _find(session: Session, wanted: str) -> Lesson:
    """Finds a lesson by number or name, also one of the user's own in the workspace; or by its folder or archive."""
    from rnnplay.lessons.own import own_lessons, read_own
    from rnnplay.lessons.reader import find_lesson

    if "/" in wanted or "\\" in wanted or wanted.lower().endswith(".zip"):
        check_reachable(wanted)
        return read_own(Path(wanted).expanduser())
    own, wrong = own_lessons(session.workspace.lessons)
    for problem in wrong:
        if wanted in (Path(problem.file).name, Path(problem.file).parent.name):
            raise InputError(str(problem))
    return find_lesson(wanted, own=own)


def _known_code(code: str | None) -> str | None:
    """Returns a language's code as it is; raises InputError for what is none."""
    if code is None:
        return None
    from rnnplay.lessons.own import CODE

    if not CODE.fullmatch(code):
        raise InputError(f"--language: {printable(code)!r} is not a language's code; give one such as en, zh or pt-BR.")
    return code


def _in_code(lesson: Lesson, code: str | None) -> Lesson:
    """Returns the lesson in the language in which it is shown; raises InputError if `code` is none of its languages."""
    from rnnplay.lessons.own import in_language, shown_in_one_language
    from rnnplay.tui.settings import load_settings

    if not lesson.pages:
        if code is not None and code not in LANGUAGES:
            raise InputError(
                f"Lesson {lesson.number} ({lesson.name}) has no page in {code!r}; its languages are "
                f"{', '.join(LANGUAGES)}."
            )
        return lesson
    return in_language(lesson, code) if code else shown_in_one_language(lesson, load_settings().language)


def _list(session: Session, code: str | None, as_json: bool) -> None:
    language = chosen(code, as_json)
    from rnnplay.lessons.own import own_lessons, shown_in_one_language
    from rnnplay.lessons.progress import load_progress
    from rnnplay.lessons.reader import lessons, page
    from rnnplay.tui.settings import load_settings, progress_path

    progress = load_progress(progress_path())
    own, wrong = own_lessons(session.workspace.lessons)
    asked = code or load_settings().language
    known = (*lessons(), *(shown_in_one_language(one, asked) for one in own))
    for problem in wrong:
        note(f"Note: This lesson is left out: {problem}")
    if as_json:
        write_json(
            [
                {
                    "lesson": lesson.number,
                    "name": lesson.name,
                    "title": page(lesson, language).title,
                    "minutes": lesson.minutes,
                    "steps": len(lesson.steps),
                    "ticked": [step + 1 for step in progress.done(lesson)],
                }
                for lesson in known
            ]
        )
        return
    rows = [
        (
            str(lesson.number),
            lesson.name,
            page(lesson, language).title,
            f"{len(progress.done(lesson))}/{len(lesson.steps)}",
            duration_text(60 * lesson.minutes),
        )
        for lesson in known
    ]
    table(("lesson", "name", "title", "ticked", "takes"), rows, numbers=("lesson", "ticked", "takes"))


def _keep_progress(lesson: Lesson, played: Played) -> None:
    from rnnplay.lessons.progress import load_progress, save_progress
    from rnnplay.tui.settings import progress_path

    progress = load_progress(progress_path())
    for number, step in enumerate(played.steps):
        if step.holds:
            progress.tick(lesson, number)
    progress.begin(lesson, len(played.variants))
    progress.spend(lesson, played.seconds)
    save_progress(progress, progress_path())


def _tell(lesson: Lesson, played: Played, language: Language) -> None:
    from rnnplay.lessons.measurements import condition_text
    from rnnplay.lessons.reader import page

    read = page(lesson, language)
    click.echo(printable(f"{lesson.number}. {read.title}"))
    for text, step in zip(read.steps, played.steps, strict=True):
        click.echo(printable(f"{'✓' if step.holds else '✗'} {text}"))
        for judged in step.conditions:
            value = "?" if judged.measured is None else f"{judged.measured:.4g}"
            sign = "✓" if judged.holds else "✗"
            click.echo(printable(f"    {sign} {condition_text(judged.condition, lesson, language)}: {value}"))
    holding = sum(step.holds for step in played.steps)
    click.echo(f"{holding}/{len(played.steps)} · {duration_text(played.seconds)}")
