"""`rnnplay completion`: prints the script that lets a shell complete commands, options, runs, corpora and presets."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Let the shell complete commands, runs and texts.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script for bash, zsh or fish, which completes commands, options, runs, corpora and presets.

    \b
    bash  rnnplay completion bash >> ~/.bashrc
    zsh   rnnplay completion zsh >> ~/.zshrc
    fish  rnnplay completion fish > ~/.config/fish/completions/rnnplay.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, shell
    click.echo(kind(ctx.find_root().command, {}, "rnnplay", "_RNNPLAY_COMPLETE").source())
