"""`rnnplay completion`: prints the script that lets a shell complete commands, options, names and paths."""

from __future__ import annotations

import click

from rnnplay.cli.support.shell_scripts import SCRIPTS


@click.command("completion", short_help="Let the shell complete commands, runs and texts.")
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print a script for bash, zsh or fish, which completes commands, options, runs, corpora, presets and paths.

    \b
    bash  rnnplay completion bash >> ~/.bashrc
    zsh   rnnplay completion zsh >> ~/.zshrc
    fish  rnnplay completion fish > ~/.config/fish/completions/rnnplay.fish
    """
    click.echo(SCRIPTS[shell], nl=False)
