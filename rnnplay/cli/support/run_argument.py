"""A run named on the command line, and its model."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rnnplay.cli.support.session import Session

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder

F = TypeVar("F", bound=Callable[..., Any])


def checkpoint_option(function: F) -> F:
    """Adds --checkpoint as the argument `checkpoint`."""
    return click.option(
        "--checkpoint",
        metavar="latest|best|STEP",
        default="latest",
        help="Which of the run's checkpoints to use.  [default: latest]",
    )(function)


def find_run(session: Session, name_or_path: str) -> RunFolder:
    """The run of that name in the workspace, or the run folder at that path; raises InputError."""
    from rnnplay.runs import folder as run_folder

    separators = [separator for separator in (os.sep, os.altsep, "/") if separator]
    if any(separator in name_or_path for separator in separators):
        with suppress(OSError, ValueError, RuntimeError):  # no such home folder, no right to look, a loop of links
            path = Path(name_or_path).expanduser()
            if (path / "run.json").is_file():
                return run_folder.RunFolder(path.resolve())
    return run_folder.find_run(name_or_path, session.workspace.check_there())
