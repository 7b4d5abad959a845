"""The command `rnnplay`: opens the terminal interface, or runs one of the commands below.

A command's module is imported when the command is called; `rnnplay --help` imports none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from rnnplay import __version__
from rnnplay.cli.support.failures import drop_stdout, guarded, keep_short_writes, open_closed_streams
from rnnplay.cli.support.session import NearGroup, Session, workspace_option
from rnnplay.common.encodings import soften_streams
from rnnplay.common.limits import check_memory_limit
from rnnplay.errors import InputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "train": "Train a model in the foreground.",
    "race": "Train variants of a setup side by side, and rank them.",
    "sweep": "Train runs with varied settings and compare them.",
    "lr-range": "Test which learning rates make the loss fall.",
    "watch": "Follow a run that another process trains.",
    "generate": "Write text with a trained model.",
    "samples": "Show what a run wrote while it learned.",
    "complete": "Complete a word and list the most probable next tokens.",
    "eval": "Loss and perplexity of a run on held-out text.",
    "inspect": "Look inside a run's model.",
    "runs": "List, show, note, rename or remove runs.",
    "compare": "Compare runs: settings that differ, and losses.",
    "export": "Take runs to other programs: tables, charts, weights.",
    "import": "Make a run of a PyTorch model's weights.",
    "corpora": "List, show or add texts to train on.",
    "lessons": "List, read or play the lessons.",
    "serve": "Open the playground to a class, in the browser.",
    "presets": "List the named settings to start from.",
    "completion": "Let the shell complete commands, runs and texts.",
    "keys": "Print the interface's keys, and change them.",
    "doctor": "Report what rnnplay finds on this machine.",
}
"""Every command with its line of help, in the order of --help."""

NEED_TORCH = {"train", "lr-range", "race", "generate", "complete", "eval", "inspect", "import"}

MODULES = {
    "train": "training.train",
    "race": "training.race",
    "sweep": "training.sweep",
    "lr-range": "training.lr_range",
    "watch": "training.watch",
    "generate": "model.generate",
    "samples": "runs.samples",
    "complete": "model.complete",
    "eval": "model.evaluate",
    "inspect": "model.inspect_run",
    "runs": "runs.runs",
    "compare": "runs.compare",
    "export": "runs.export",
    "import": "runs.import_run",
    "corpora": "setup.corpora",
    "lessons": "interface.lessons",
    "serve": "interface.serve",
    "presets": "setup.presets",
    "completion": "setup.completion",
    "keys": "interface.keys",
    "doctor": "setup.doctor",
}
"""The module of each command, in rnnplay.cli.commands."""


class LazyGroup(NearGroup):
    """A group that knows its commands by name and imports its module when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module = import_module(f"rnnplay.cli.commands.{MODULES[cmd_name]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Completes commands by the table of them; click would import each for its line of help."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if isinstance(ctx.obj, Session):
            ctx.obj.words = list(args)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError as error:  # when it prints --help
            drop_stdout()
            raise click.exceptions.Exit(0) from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # As with `| head`, this is not a failure; click itself would exit with 1.
            drop_stdout()
            return 0

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Runs a command and exits with 0 (done), 2 (bad usage or input) or 1 (failed); errors go to stderr.

        click's standalone mode is never used, as exit codes and messages are chosen in one place, `guarded`.
        """
        open_closed_streams()
        keep_short_writes()
        soften_streams()
        session = Session()
        if "_RNNPLAY_COMPLETE" in os.environ:
            from rnnplay.cli.support import shell_completion

            shell_completion.register()
        run = super().main

        def call() -> object:
            return run(args, prog_name or "rnnplay", standalone_mode=False, obj=session, **extra)

        sys.exit(guarded(call, session))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND …]",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@workspace_option
@click.option("--corpus", metavar="NAME|PATH", help="The text to start with.")
@click.option("--preset", metavar="NAME", help="The settings to start with (`rnnplay presets` lists them).")
@click.option("--run", "run_name", metavar="NAME", help="A run to open.")
@click.version_option(__version__, message="%(prog)s %(version)s", prog_name="rnnplay")
@click.pass_context
def program(ctx: click.Context, corpus: str | None, preset: str | None, run_name: str | None) -> int:
    """A playground in the terminal for recurrent language models.

    Without a command, rnnplay opens its terminal interface.
    """
    given = {"--corpus": corpus, "--preset": preset, "--run": run_name}
    if ctx.invoked_subcommand is None:
        from rnnplay.cli.commands.interface.play import play

        return play(ctx.obj, corpus=corpus, preset=preset, run=run_name)
    if ctx.invoked_subcommand in NEED_TORCH and not {"--help", "-h"} & set(ctx.obj.words):
        check_memory_limit()
    misplaced = {name[2:]: value for name, value in given.items() if value is not None}
    if not misplaced:
        return 0
    name = str(ctx.invoked_subcommand)
    command = program.get_command(ctx, name)
    known = {option for param in command.params for option in param.opts} if command is not None else set()
    for option in misplaced:
        if f"--{option}" not in known:
            raise click.UsageError(f"--{option} is for the interface and for `train`; {name} has no such option", ctx)
    options = " and ".join(f"--{option}" for option in misplaced)
    raise InputError(f"{options} must come after the command: {ctx.obj.again(**misplaced)}")
