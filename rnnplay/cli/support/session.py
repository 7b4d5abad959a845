"""What the options before and after a command have in common: the workspace, and whether to answer in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rnnplay.common.commands import again
from rnnplay.workspace import Workspace, find_workspace

F = TypeVar("F", bound=Callable[..., Any])


class Session:
    """One call of the command line. --workspace may stand before or after the command; the last one holds."""

    def __init__(self) -> None:
        self.workspace_option: str | None = None
        self.words: list[str] = []
        """What was typed, from the command's name on."""

    @property
    def workspace(self) -> Workspace:
        """The workspace to use; nothing is created."""
        return find_workspace(self.workspace_option)

    def again(self, **options: str | float) -> str:
        """What was typed, with these options put in or changed, to be pasted."""
        return again(self.words, self.workspace_option or "", **options)


def _keep_workspace(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and isinstance(ctx.obj, Session):
        if not value.strip():
            raise click.BadParameter("the name of the folder is empty.", ctx, param)
        ctx.obj.workspace_option = value


def workspace_option(function: F) -> F:
    """Adds --workspace; the callback gets it by way of the Session, not as an argument."""
    return click.option(
        "--workspace",
        metavar="DIR",
        expose_value=False,
        callback=_keep_workspace,
        help="The folder with corpora/ and checkpoints/.  [default: $RNNPLAY_WORKSPACE, this folder, your data folder]",
    )(function)


def json_option(function: F) -> F:
    """Adds --json as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(function)


pass_session = click.make_pass_decorator(Session)
