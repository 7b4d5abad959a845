"""`rnnplay lessons`: the lessons, to read and to play without the interface."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import builtins, note, printable, table, write_json
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import NearGroup, Session, json_option, pass_session, workspace_option
from rnnplay.common.encodings import encoding_of, utf8_setting
from rnnplay.common.formatting import duration_text
from rnnplay.lessons.languages import LANGUAGES, Language, can_show, choose_language

if TYPE_CHECKING:
    from rnnplay.cli.commands.lesson_run import Played
    from rnnplay.cli.support.reporters import Reporter
    from rnnplay.lessons.lesson import Lesson

MAX_WIDTH = 100
"""Most columns of a page."""

language_option = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Language of the lessons.  [default: the interface's setting, else the locale's]",
)


@click.group("lessons", cls=NearGroup, invoke_without_command=True, short_help="List, read or play the lessons.")
@language_option
@workspace_option
@json_option
@click.pass_context
def command(ctx: click.Context, language: str | None, as_json: bool) -> None:
    """List, read or play the lessons. Alone, it lists them."""
    if ctx.invoked_subcommand is None:
        _list(chosen(language, as_json), as_json)


@command.command("list", short_help="List the lessons and your progress.")
@language_option
@workspace_option
@json_option
def list_(language: str | None, as_json: bool) -> None:
    """List the lessons in their order, and how many of their steps are ticked."""
    _list(chosen(language, as_json), as_json)


@command.command("show", short_help="Show the page of a lesson.")
@click.argument("lesson", metavar="N|NAME")
@language_option
@workspace_option
@json_option
def show(lesson: str, language: str | None, as_json: bool) -> None:
    """Show the page of a lesson: its text, the equation, what to do and to watch, a question and its answer.

    In a pipe it is plain text; --json has its Markdown.
    """
    from rnnplay.lessons.reader import find_lesson, page

    found = find_lesson(lesson)
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
@click.argument("lesson", metavar="N|NAME")
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
    from rnnplay.cli.commands.lesson_run import play
    from rnnplay.lessons.reader import find_lesson
    from rnnplay.workspace import Workspace

    found = find_lesson(lesson)
    spoken = chosen(language, as_json)

    def reporter(title: str, steps: int) -> Reporter:
        from rnnplay.cli.support.reporters import Silent, choose_reporter

        return Silent() if as_json else choose_reporter(False, title, steps)

    if keep:
        played = play(found, seed, session.workspace, reporter)
    else:
        with tempfile.TemporaryDirectory(prefix="rnnplay-lesson-", ignore_cleanup_errors=True) as folder:
            played = play(found, seed, Workspace(Path(folder)), reporter)
    _keep_progress(found, played)
    if as_json:
        write_json(played_object(played))
    else:
        _tell(found, played, spoken)
    return 0 if played.holds else 1


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
    from rnnplay.cli.commands.lesson_run import condition_object

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


def _list(language: Language, as_json: bool) -> None:
    from rnnplay.lessons.progress import load_progress
    from rnnplay.lessons.reader import lessons, page
    from rnnplay.tui.settings import progress_path

    progress = load_progress(progress_path())
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
                for lesson in lessons()
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
        for lesson in lessons()
    ]
    table(("lesson", "name", "title", "ticked", "takes"), rows, numbers=("lesson", "ticked", "takes"))


def _keep_progress(lesson: Lesson, played: Played) -> None:
    from rnnplay.lessons.progress import load_progress, save_progress
    from rnnplay.tui.settings import progress_path

    progress = load_progress(progress_path())
    new = [progress.tick(lesson, number) for number, step in enumerate(played.steps) if step.holds]
    if any(new):
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
