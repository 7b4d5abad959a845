"""`rnnplay` without a command: opens the terminal interface."""

from __future__ import annotations

import os
import sys

import click

from rnnplay.cli.support.failures import tell
from rnnplay.cli.support.session import Session
from rnnplay.common.commands import shell_command
from rnnplay.common.encodings import encoding_of, is_utf8, utf8_setting
from rnnplay.common.limits import check_memory_limit
from rnnplay.errors import InputError


def play(session: Session, *, corpus: str | None, preset: str | None, run: str | None) -> int:
    """Opens the terminal interface; raises InputError if there is no suitable terminal, or for an unknown name."""
    check_terminal()
    check_memory_limit()
    workspace = session.workspace
    # Names are checked here, where an error stays on the screen.
    if preset is not None:
        from rnnplay.presets import find_preset

        find_preset(preset, workspace.presets)
    if corpus is not None:
        from rnnplay.cli.support.settings import lasting_corpus

        corpus = lasting_corpus(corpus, workspace)
    if run is not None:
        from rnnplay.runs.folder import find_run

        find_run(run, workspace.check_there())
    if not workspace.root.is_dir():
        workspace.create()  # if that fails, there is nothing to show either
    given = {"corpus": corpus, "preset": preset, "run": run}
    options = {name: value for name, value in given.items() if value is not None}
    warn_of_encoding(shell_command(workspace=session.workspace_option or "", **options))
    from rnnplay.tui.app import run_app

    return run_app(workspace=workspace, corpus=corpus, preset=preset, run=run)


def warn_of_encoding(command: str) -> None:
    """If the terminal's encoding is not UTF-8, says so with the `command` for UTF-8, and waits for Enter."""
    if is_utf8(sys.stderr):  # Textual draws on stderr
        return
    tell(
        f"The encoding here is {encoding_of(sys.stderr)}, in which the interface is drawn with ASCII (- | + #); press "
        f"Enter to open it anyway, or ctrl-C and, if your terminal shows UTF-8: {utf8_setting()} {command}"
    )
    if not sys.stdin.readline():
        raise click.Abort


def check_terminal() -> None:
    """Raises InputError unless there is a terminal that can draw and read keys."""
    train, every = shell_command("train"), shell_command(help=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):  # Textual draws on stderr
        raise InputError(
            "The interface needs a terminal for its input and output; in a pipe or a script use a command like "
            f"`{train}` ({every} lists them)."
        )
    if os.environ.get("TERM", "").lower() in ("dumb", "unknown") and sys.platform != "win32":
        raise InputError(
            f"The interface cannot draw on a terminal of the type TERM={os.environ['TERM']}; use another terminal, "
            f"or a command like `{train}` ({every} lists them)."
        )
