"""`rnnplay runs`: what is done with whole runs: removing, bringing back, renaming, noting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rnnplay.cli.support.console import note, pairs, table, write_json
from rnnplay.cli.support.session import Session, find_run, json_option, pass_session, workspace_option
from rnnplay.common.formatting import moment_text, size_text
from rnnplay.errors import InputError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.management.trash import TrashedRun
    from rnnplay.workspace import Workspace

_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.command("rm", short_help="Move runs to the trash, or delete them for good.")
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@click.option("--permanently", is_flag=True, help="Delete them for good, after a question.")
@_YES
@workspace_option
@pass_session
def remove(session: Session, names: tuple[str, ...], permanently: bool, yes: bool) -> None:
    """Move runs, with all their checkpoints, to the workspace's trash, from which `rnnplay runs restore` takes them.

    They take as much of the disk as before until `rnnplay runs trash --empty`.
    """
    from rnnplay.runs.management.trash import move_to_trash, remove_run

    workspace = session.workspace.check_there()
    for name, run in _own_runs(names, workspace).items():
        if permanently:
            question = f"Delete {name} and its {len(run.checkpoints())} checkpoints for good?"
            if not yes and not _agreed(question, "removed"):
                click.echo(f"Kept {name}.")
                continue
            remove_run(run)
            click.echo(f"Deleted {name}.")
        else:
            move_to_trash(run, workspace)
            click.echo(f"Removed {name}; to bring it back: {workspace.command('runs', 'restore', name)}")
        _tell_known(name, workspace)


@click.command("restore", short_help="Bring removed runs back from the trash.")
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@workspace_option
@pass_session
def restore(session: Session, names: tuple[str, ...]) -> None:
    """Bring removed runs back from the trash; of several with the same name, the one removed last."""
    from rnnplay.runs.management.trash import find_trashed, restore_run

    workspace = session.workspace.check_there()
    for trashed in [find_trashed(name, workspace) for name in names]:
        restore_run(trashed, workspace)
        click.echo(f"{trashed.name} is back.")


@click.command("trash", short_help="List the removed runs, or empty the trash.")
@click.option("--empty", is_flag=True, help="Delete what is in it for good, after a question.")
@_YES
@workspace_option
@json_option
@pass_session
def trash(session: Session, empty: bool, yes: bool, as_json: bool) -> None:
    """List the runs in the trash, or delete them for good."""
    from rnnplay.runs.management.disk_use import disk_use
    from rnnplay.runs.management.trash import delete_trashed, list_trash

    workspace = session.workspace.check_there()
    runs = [(run, disk_use(run.path)) for run in list_trash(workspace)]
    total = sum(size for _, size in runs)
    if empty:
        what = "1 run" if len(runs) == 1 else f"{len(runs):,} runs"
        if not runs:
            note(f"The trash of {workspace.root} is empty.")
        elif yes or _agreed(f"Delete {what} ({size_text(total)}) in the trash for good?", "deleted"):
            for run, _ in runs:
                delete_trashed(run)
            note(f"Deleted {what}, {size_text(total)}.")
        else:
            note("Nothing was deleted.")
        return
    if as_json:
        write_json([_trashed(run, size) for run, size in runs])
    elif not runs:
        note(f"The trash of {workspace.root} is empty.")
    else:
        rows = [(run.name, moment_text(run.removed.isoformat()), size_text(size)) for run, size in runs]
        table(("run", "removed", "size"), rows, numbers=("size",), whole=("run",))


@click.command("rename", short_help="Rename a run.")
@click.argument("name", metavar="RUN")
@click.argument("new_name", metavar="NEW")
@workspace_option
@pass_session
def rename(session: Session, name: str, new_name: str) -> None:
    """Rename a run that is not being trained."""
    from rnnplay.runs.management.renaming import rename_run

    workspace = session.workspace.check_there()
    (run,) = _own_runs((name,), workspace).values()
    click.echo(f"{name} is called {rename_run(run, new_name, workspace).name} now.")
    _tell_known(name, workspace)


@click.command("note", short_help="Show or set the note and the tags of a run.")
@click.argument("name", metavar="RUN")
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Add a tag; may be given several times.")
@click.option("--untag", "untags", metavar="TAG", multiple=True, help="Remove a tag.")
@workspace_option
@json_option
@pass_session
def note_(
    session: Session, name: str, text: str | None, tags: tuple[str, ...], untags: tuple[str, ...], as_json: bool
) -> None:
    """Show the note and the tags of a run, or set them. An empty TEXT ("") removes the note."""
    from rnnplay.runs.management.notes import RunNotes, checked_tags, read_notes, write_notes

    run = find_run(session, name)
    notes = read_notes(run.path)
    if text is not None or tags or untags:
        kept = checked_tags([*(tag for tag in notes.tags if tag not in untags), *tags])
        notes = RunNotes(notes.note if text is None else text, kept)
        write_notes(run.path, notes)
        notes = read_notes(run.path)
    if as_json:
        write_json({"run": run.name, "note": notes.note, "tags": list(notes.tags)})
    elif notes:
        pairs([("note", notes.note or "–"), ("tags", " ".join(notes.tags) or "–")])
    else:
        note(f"{run.name} has neither a note nor tags.")


SUBCOMMANDS: tuple[click.Command, ...] = (note_, rename, remove, restore, trash)


def _own_runs(names: tuple[str, ...], workspace: Workspace) -> dict[str, RunFolder]:
    """Finds all runs before anything is done with one of them; raises InputError for one that is elsewhere."""
    from rnnplay.runs.folder import check_run_name
    from rnnplay.runs.folder import find_run as find_by_name

    runs = {name: find_by_name(check_run_name(name), workspace) for name in names}
    for name, run in runs.items():
        if run.path.is_symlink() or run.path.resolve().parent != workspace.checkpoints.resolve():
            raise InputError(f"The run {name!r} is not a folder in {workspace.checkpoints}; change {run.path} by hand.")
    return runs


def _tell_known(name: str, workspace: Workspace) -> None:
    """Says which race or study knew a run, that is gone, by its name."""
    from rnnplay.experiments.resumption import known_as

    if known := known_as(name, workspace):
        note(known)


def _agreed(question: str, done: str) -> bool:
    """Asks on standard error; raises InputError if there is no answer."""
    try:
        return click.confirm(question, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise
        raise InputError(f"Nothing more was {done}, as the question was not answered; add --yes to skip it.") from error


def _trashed(run: TrashedRun, size: int) -> dict[str, object]:
    return {"run": run.name, "removed": run.removed.isoformat(), "path": str(run.path), "disk_bytes": size}
