"""What a shell offers for runs, texts and presets; commands and options click knows by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete
from click.shell_completion import add_completion_class as add

from rnnplay.cli.support.session import Session

if TYPE_CHECKING:
    from rnnplay.workspace import Workspace

_WORD = re.compile(r"[\w.+@%-][\w.+@%/-]*")
"""Names that every shell takes as they are; others are left to be typed, in quotes."""

_READING = frozenset({"generate", "complete", "eval", "inspect"})
"""Commands that answer with the shipped model, too."""


def _runs(workspace: Workspace) -> list[str]:
    """The names of the runs, the newest first, from the folder alone: reading each run.json would take too long."""
    found = [(path.stat().st_mtime, path.parent.name) for path in workspace.checkpoints.glob("*/run.json")]
    return [name for _, name in sorted(found, reverse=True)]


def _models(workspace: Workspace) -> list[str]:
    """The runs, and the shipped model last, for commands that only read."""
    shipped = Path(__file__).parents[2] / "shipped"
    return _runs(workspace) + sorted(path.parent.name for path in shipped.glob("*/run.json"))


def _downloads(_workspace: Workspace) -> list[str]:
    from rnnplay.text.corpora.downloads import downloads

    return [one.name for one in downloads()]


def _corpora(workspace: Workspace) -> list[str]:
    from rnnplay.text.corpora.catalogue import list_corpora

    return [corpus.name for corpus in list_corpora(workspace)]


def _presets(workspace: Workspace) -> list[str]:
    from rnnplay.presets import all_presets

    return list(all_presets(workspace.presets)[0])


def _lessons(workspace: Workspace) -> list[str]:
    """The names of the lessons, those of the user's own last, from their folders alone, as with runs."""
    from rnnplay.lessons import TEXTS

    bundled = [place.name.partition("-") for place in TEXTS.glob("*-*")]
    names = [name for _, _, name in sorted(bundled, key=lambda parts: int(parts[0]))]
    return names + sorted(file.parent.name for file in workspace.lessons.glob("*/lesson.toml"))


def values(ctx: click.Context, param: click.Parameter) -> list[str] | None:
    """Returns what the option or argument may be given in this workspace; None leaves it to click.

    Decided by what --help says that it takes, so a new command has the completion that it announces.
    """
    if not isinstance(ctx.obj, Session):
        return None
    metavar = param.metavar or ""
    source: Callable[[Workspace], list[str]] | None = None
    if "RUN" in metavar or param.name == "run" or (param.name == "run_name" and metavar == "NAME"):
        read_only = ctx.info_name in _READING or "@STEP" in metavar
        source = _models if read_only else _runs
    elif metavar == "[NAME|URL]":
        source = _downloads
    elif param.name == "corpus" or (metavar == "NAME|PATH" and "corpora" in ctx.command_path):
        source = _corpora
    elif param.name == "preset":
        source = _presets
    elif param.name == "lesson":
        source = _lessons
    if source is None:
        words = metavar.split("|")
        return [word for word in words if word.islower() and len(word) > 1] if len(words) > 1 else None
    try:
        return source(ctx.obj.workspace)
    except (click.ClickException, OSError):
        return []


class _Values(ShellComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        from click.shell_completion import _resolve_context, _resolve_incomplete

        try:
            ctx = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
            asked, word = _resolve_incomplete(ctx, args, incomplete)
            found = values(ctx, asked) if isinstance(asked, click.Parameter) else None
        except Exception:
            return []
        if not found:
            return super().get_completions(args, incomplete)
        return [CompletionItem(one) for one in found if one.startswith(word) and _WORD.fullmatch(one)]


class _Bash(_Values, BashComplete):
    pass


class _Zsh(_Values, ZshComplete):
    pass


class _Fish(_Values, FishComplete):
    pass


def register() -> None:
    """Makes click use these for each shell."""
    for kind in (_Bash, _Zsh, _Fish):
        add(kind)
