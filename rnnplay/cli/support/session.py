"""What commands have in common: the workspace, runs named on the command line, --json, and groups of commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rnnplay.common.commands import repeat_command
from rnnplay.errors import InputError
from rnnplay.workspace import Workspace, find_workspace

if TYPE_CHECKING:
    from rnnplay.config import RunConfig
    from rnnplay.runs.folder import RunFolder

F = TypeVar("F", bound=Callable[..., Any])


class Session:
    """One call of the command line. --workspace may be given before or after the command; the last one counts."""

    def __init__(self) -> None:
        self.workspace_option: str | None = None
        self.words: list[str] = []
        """The words typed, from the command's name on."""

    @property
    def workspace(self) -> Workspace:
        """Finds the workspace to use; creates nothing."""
        return find_workspace(self.workspace_option)

    def again(self, **options: str | float | bool) -> str:
        """Returns the command typed, with these options added or replaced."""
        return repeat_command(self.words, self.workspace_option or "", **options)


def _keep_workspace(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and isinstance(ctx.obj, Session):
        if not value.strip():
            raise click.BadParameter("the name of the folder is empty.", ctx, param)
        ctx.obj.workspace_option = value


def workspace_option(function: F) -> F:
    """Adds --workspace; it is stored in the Session, not passed to the callback."""
    return click.option(
        "--workspace",
        metavar="DIR",
        expose_value=False,
        callback=_keep_workspace,
        help="The folder with corpora/ and checkpoints/.  [default: $RNNPLAY_WORKSPACE, this folder, your data folder]",
    )(function)


def json_option(function: F) -> F:
    """Adds --json as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


pass_session = click.make_pass_decorator(Session)


def checkpoint_option(function: F) -> F:
    """Adds --checkpoint as the argument `checkpoint`."""
    return click.option(
        "--checkpoint",
        metavar="latest|best|STEP",
        default="latest",
        help="Which of the run's checkpoints to use.  [default: latest]",
    )(function)


def find_run(session: Session, name_or_path: str) -> RunFolder:
    """Finds the run of that name in the workspace, or the run folder at that path; raises InputError."""
    from rnnplay.runs import folder as run_folder

    separators = [separator for separator in (os.sep, os.altsep, "/") if separator]
    if any(separator in name_or_path for separator in separators):
        with suppress(OSError, ValueError, RuntimeError):  # unknown home folder, no permission, loop of links
            path = Path(name_or_path).expanduser()
            if (path / "run.json").is_file():
                return run_folder.RunFolder(path.resolve())
    return run_folder.find_run(name_or_path, session.workspace.check_there())


def find_model(session: Session, name_or_path: str) -> RunFolder:
    """Finds a run as `find_run` does, or the model that comes with rnnplay, to be read only; raises InputError."""
    from rnnplay.runs.shipped import is_shipped, shipped_run

    if is_shipped(name_or_path, session.workspace):
        return shipped_run()
    return find_run(session, name_or_path)


def new_folder(
    name: str | None, config: RunConfig, workspace: Workspace, otherwise: str = "choose another name with --run"
) -> RunFolder:
    """Returns the folder of a new run; raises InputError for a name that is taken or invalid."""
    from rnnplay.runs.folder import RunFolder, check_run_name
    from rnnplay.runs.naming import reserve_run

    if name is None:
        return reserve_run(config, workspace)
    folder = RunFolder(workspace.checkpoints / check_run_name(name))
    if folder.holds_run():
        onward = workspace.command("train", resume=True, run=name)
        raise InputError(f"There is a run {name!r} already; {otherwise}, or go on with it: {onward}")
    return folder


class NearGroup(click.Group):
    """A group that suggests the nearest command for an unknown one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not ctx.resilient_parsing and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(known)}."
            raise click.UsageError(f"There is no command '{ctx.command_path} {name}'; {hint}", ctx)
        return super().resolve_command(ctx, args)


def onward(workspace: Workspace, folder: RunFolder, resume: bool = False) -> str:
    """Says how to write with a run, or to `resume` it; or why that is impossible. Reads the latest checkpoint."""
    why, step = _usable_checkpoint(folder)
    if why:
        return f"It cannot be {'resumed' if resume else 'used'}: {why}"
    earlier = {} if step is None else {"checkpoint": str(step)}
    if resume:
        said = f"Go on with: {workspace.command('train', resume=True, run=folder.name, **earlier)}"
    else:
        said = f"Write with it: {workspace.command('generate', workspace.run_argument(folder.path), **earlier)}"
    return f"Its latest checkpoint is damaged. {said}" if earlier else said


def _usable_checkpoint(folder: RunFolder) -> tuple[str, int | None]:
    """Returns why no checkpoint can be used ("" if one can), and its step unless it is the latest."""
    from rnnplay.runs.checkpoint_state import is_intact

    try:
        folder.tokenizer()
        latest = folder.checkpoint()
    except InputError as error:
        return str(error), None
    if is_intact(latest.path):
        return "", None
    earlier = folder.another(latest.step)
    if earlier is None:
        return f"the checkpoints of {folder.name} are damaged; restore them, or train it again.", None
    return "", earlier
