"""What a shell offers for runs, texts, presets and paths; commands and options click knows by itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

from rnnplay.cli.support.session import Session
from rnnplay.cli.support.shell_scripts import for_bash, split_line

if TYPE_CHECKING:
    from rnnplay.workspace import Workspace

_PATHS = {"FILE": "file", "PATH": "file", "DIR": "dir", "FOLDER": "dir"}
"""What a word in an option's metavar says of the paths that it takes."""

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


def _trashed(workspace: Workspace) -> list[str]:
    """The names of the runs in the trash, in folders <time>-<name>, the one removed last first."""
    places = sorted(workspace.trash.glob("*T*-*"), reverse=True)
    return list(dict.fromkeys(place.name.partition("-")[2] for place in places))


def _races(workspace: Workspace) -> list[str]:
    matches = (re.match("(race-[0-9]{2,9})-.", name) for name in _runs(workspace))
    return list(dict.fromkeys(match[1] for match in matches if match))


def _studies(workspace: Workspace) -> list[str]:
    return sorted(place.parent.name for place in (workspace.root / "studies").glob("*/journal.jsonl"))


def _downloads(_workspace: Workspace) -> list[str]:
    from rnnplay.text.corpora.downloads import downloads

    return [one.name for one in downloads()]


def _corpora(workspace: Workspace) -> list[str]:
    from rnnplay.text.corpora.catalogue import list_corpora

    return [corpus.name for corpus in list_corpora(workspace)]


def _presets(workspace: Workspace) -> list[str]:
    from rnnplay.presets import all_presets

    return list(all_presets(workspace.presets)[0])


def _own_lessons(workspace: Workspace) -> list[str]:
    return sorted(file.parent.name for file in workspace.lessons.glob("*/lesson.toml"))


def _lessons(workspace: Workspace) -> list[str]:
    """The names of the lessons, those of the user's own last, from their folders alone, as with runs."""
    from rnnplay.lessons import TEXTS

    bundled = [place.name.partition("-") for place in TEXTS.glob("*-*")]
    names = [name for _, _, name in sorted(bundled, key=lambda parts: int(parts[0]))]
    return names + _own_lessons(workspace)


def values(ctx: click.Context, param: click.Parameter) -> list[str] | None:
    """Returns what the option or argument may be given in this workspace; None leaves it to click.

    Decided by what --help says that it takes, so a new command has the completion that it announces.
    """
    if not isinstance(ctx.obj, Session):
        return None
    metavar = param.metavar or ""
    source: Callable[[Workspace], list[str]] | None = None
    if "RUN" in metavar or param.name == "run" or (param.name == "run_name" and metavar == "NAME"):
        if ctx.info_name == "import":  # makes a run, of a name that is free
            return []
        read_only = ctx.info_name in _READING or "@STEP" in metavar
        source = _trashed if ctx.info_name == "restore" else _models if read_only else _runs
    elif metavar == "race-NN":
        source = _races
    elif param.name in ("study", "show") and ctx.info_name == "sweep":
        source = _studies
    elif metavar == "[NAME|URL]":
        source = _downloads
    elif param.name == "corpus" or (metavar == "NAME|PATH" and "corpora" in ctx.command_path):
        source = _corpora
    elif param.name == "preset":
        source = _presets
    elif "NAME|PATH" in metavar:
        source = _own_lessons if ctx.info_name == "check" else _lessons
    if source is None:
        words = metavar.split("|")
        return [word for word in words if word.islower() and len(word) > 1] if len(words) > 1 else None
    try:
        return source(ctx.obj.workspace)
    except (click.ClickException, OSError):
        return []


def paths(param: click.Parameter, word: str) -> str | None:
    """Returns the kind of path that it may be given, "file" or "dir", or None; a run's only once a path was begun."""
    words = re.findall("[A-Z]+", param.metavar or "")
    if "RUN" in words and "/" in word:
        return "dir"
    return next((_PATHS[one] for one in words if one in _PATHS), None)


class _Values(ShellComplete):
    def complete(self) -> str:
        line = os.environ.get("COMP_LINE", "")
        *args, word = split_line(line)[0]
        items = self.get_completions([os.path.expandvars(one) for one in args[1:]], word)
        helps = (" ".join((one.help or "").split()) for one in items)
        return "\n".join(
            f"{one.type}\t{self.written(one, line)}\t{text}" for one, text in zip(items, helps, strict=True)
        )

    def written(self, item: CompletionItem[Any], _line: str) -> str:
        """Returns the item as the shell takes it."""
        return str(item.value)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Returns what is offered in place of the word begun: whole words; of paths, what stands before them."""
        from click.shell_completion import _resolve_context, _resolve_incomplete

        try:
            ctx = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
            asked, word = _resolve_incomplete(ctx, args, incomplete)
            found = _offered(ctx, asked, word)
        except Exception:
            return []
        option = incomplete.removesuffix(word)  # of --option=word
        for one in found:
            one.value = option + one.value
        return found


def _offered(ctx: click.Context, asked: click.Command | click.Parameter, word: str) -> list[CompletionItem[Any]]:
    """Returns values that begin with `word`, or else the kind of path that is asked for."""
    if isinstance(asked, click.Command):
        return asked.shell_complete(ctx, word)
    names = values(ctx, asked)
    if names:
        # A name with a dash first would be taken for an option.
        fitting = [one for one in names if one.startswith(word) and one.isprintable() and one[0] != "-"]
        found: list[CompletionItem[Any]] = [CompletionItem(one) for one in fitting]
    else:
        found = [one for one in asked.shell_complete(ctx, word) if one.type == "plain"]
    kind = paths(asked, word)
    return found or ([CompletionItem("", type=kind)] if kind else [])


class Bash(_Values):
    """Answers bash."""

    name = "bash"

    def written(self, item: CompletionItem[Any], line: str) -> str:
        return for_bash(item.value, line, os.environ.get("COMP_WORD", "")) if item.type == "plain" else ""


class Zsh(_Values):
    """Answers zsh."""

    name = "zsh"


class Fish(_Values):
    """Answers fish."""

    name = "fish"


SHELLS = (Bash, Zsh, Fish)


def register() -> None:
    """Makes click use these for each shell."""
    for shell in SHELLS:
        add_completion_class(shell)
