"""Groups of commands that say which command was meant."""

from __future__ import annotations

import difflib

import click


class NearGroup(click.Group):
    """A group that answers a name it does not know with the nearest one it does."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not ctx.resilient_parsing and not name.startswith("-"):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(known)}."
            raise click.UsageError(f"There is no command '{ctx.command_path} {name}'; {hint}", ctx)
        return super().resolve_command(ctx, args)
