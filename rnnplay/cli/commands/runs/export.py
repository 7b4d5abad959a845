"""`rnnplay export`: takes runs to other programs: tables, charts, a report, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rnnplay.cli.support.console import note, printable, write_json
from rnnplay.cli.support.session import (
    Session,
    checkpoint_option,
    find_run,
    json_option,
    pass_session,
    workspace_option,
)
from rnnplay.cli.support.working import working
from rnnplay.common.formatting import size_text
from rnnplay.common.limits import check_memory_limit
from rnnplay.experiments.export.formats import FORMATS


class ExportCommand(click.Command):
    """A command whose --help lists the formats."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Formats"):
            formatter.write_dl([(name, kind.help) for name, kind in FORMATS.items()])
        super().format_epilog(ctx, formatter)


@click.command("export", cls=ExportCommand, short_help="Take runs to other programs: tables, charts, weights.")
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@click.option("--to", "format_", type=click.Choice(list(FORMATS)), required=True, help="The format.")
@click.option(
    "--out",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The file or folder to write.  [default: named after the run, in this folder]",
)
@click.option(
    "--x",
    type=click.Choice(["steps", "tokens"]),
    default="steps",
    help="The horizontal axis of svg and png; tokens: to compare runs with other batch sizes.  [default: steps]",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@checkpoint_option
@workspace_option
@json_option
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    format_: str,
    out: Path | None,
    x: str,
    force: bool,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Write runs to files that other programs read.

    Steps and validations that a rollback undid are left out; in csv and jsonl, events that it undid stay, marked. No
    file is replaced without --force. What each format holds is in docs/export.md.
    """
    from rnnplay.experiments.export.export import export
    from rnnplay.experiments.export.request import Export

    if FORMATS[format_].weights:
        check_memory_limit()
    runs = [find_run(session, name) for name in names]
    with working(f"exporting to {format_}"):
        done = export(Export(runs, format_, out, checkpoint, x, force))
    if as_json:
        described: dict[str, Any] = {"format": format_, "runs": [run.name for run in runs]}
        write_json({**described, "files": [str(path.absolute()) for path in done.files], "code": done.code})
        return
    for path in done.files:
        click.echo(printable(f"{path}  {size_text(path.stat().st_size)}"))
    if done.note:
        note(done.note)
    if done.code:
        click.echo(f"\n{printable(done.code)}", nl=False)
