"""`rnnplay runs`: lists, shows and removes runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.commands.presets import shown
from rnnplay.cli.support.console import builtins, corpus_name, model_name, note, pairs, table, write_json
from rnnplay.cli.support.session import NearGroup, Session, find_run, json_option, pass_session, workspace_option
from rnnplay.common.formatting import count_text, fixed, fraction_of_tokens, is_much_unknown, moment_text, unknown_text
from rnnplay.errors import InputError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.index import ListedRun
    from rnnplay.runs.info import Parent, RunInfo
    from rnnplay.runs.records import Validation


@click.group("runs", cls=NearGroup, invoke_without_command=True, short_help="List, show or remove runs.")
@workspace_option
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, show or remove runs. Alone, it lists them."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


@command.command("list", short_help="List the runs in the workspace.")
@workspace_option
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the runs in the workspace, the newest first."""
    _list(session, as_json)


@command.command("show", short_help="Show a run's settings, checkpoints and validations.")
@click.argument("name", metavar="RUN")
@workspace_option
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show a run's settings, checkpoints and validations."""
    from rnnplay.config import RunConfig, knobs
    from rnnplay.runs.index import listed

    run = find_run(session, name)
    info, checkpoints = run.info(), run.checkpoints()
    described = _described(listed(run), info)
    validations = _validations(run)
    if as_json:
        write_json(
            {
                **described,
                "config": builtins(info.config),
                "corpus_sha256": info.corpus_sha256,
                "rnnplay": info.rnnplay,
                "torch": info.torch,
                "parent": builtins(info.parent) if info.parent is not None else None,
                "checkpoints": [{"step": c.step, "path": str(c.path), "loss": c.loss} for c in checkpoints],
                "validations": [builtins(validation) for validation in validations],
            }
        )
        return
    pairs(
        [
            ("run", run.name),
            ("folder", str(run.path)),
            ("created", moment_text(info.created)),
            *([("branched from", _origin(info.parent))] if info.parent is not None else []),
            ("corpus", info.config.corpus),
            (
                "model",
                f"{model_name(info.config)}, {info.parameters:,} parameters, {info.vocabulary:,} different tokens",
            ),
            ("step", f"{described['step']:,}"),
            ("validation loss", _number(validations[-1].loss if validations else None)),
            ("best", _number(described["best_loss"])),
            ("<unk>", fraction_of_tokens(info.unknown_fraction) if info.unknown_fraction is not None else "–"),
            ("checkpoints", ", ".join(f"{c.step:,}" for c in checkpoints) or "none"),
        ]
    )
    click.echo()
    defaults = RunConfig()
    pairs(
        (name, shown(getattr(info.config, name)) + ("" if getattr(info.config, name) == spec.default else "  *"))
        for name, spec in knobs().items()
        if spec.relevant(info.config)
    )
    if info.config != defaults:
        click.echo("\n* not the default")


@command.command("rm", short_help="Remove runs and their checkpoints.")
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
@pass_session
def remove(session: Session, names: tuple[str, ...], yes: bool) -> None:
    """Remove runs from the workspace, with all their checkpoints."""
    from rnnplay.runs import folder as run_folder

    # All names are checked before any run is removed.
    workspace = session.workspace.check_there()
    runs = {name: run_folder.find_run(run_folder.check_run_name(name), workspace) for name in names}
    checkpoints = workspace.checkpoints
    for name, run in runs.items():
        if run.path.is_symlink() or run.path.resolve().parent != checkpoints.resolve():
            raise InputError(f"The run {name!r} is not a folder in {checkpoints}; remove {run.path} by hand.")
    for name, run in runs.items():
        if not yes:
            try:
                agreed = click.confirm(f"Remove {name} and its {len(run.checkpoints())} checkpoints?", err=True)
            except click.Abort as error:
                raise InputError(
                    "Nothing more was removed, as the question was not answered; add --yes to skip it."
                ) from error
            if not agreed:
                click.echo(f"Kept {name}.")
                continue
        run_folder.remove_run(run)
        click.echo(f"Removed {name}.")


def _list(session: Session, as_json: bool) -> None:
    from rnnplay.runs.index import list_quickly
    from rnnplay.runs.info import moment

    described: list[dict[str, Any]] = []
    for run in list_quickly(session.workspace.check_there()):
        if run.info is None:
            note(run.problem)
        else:
            described.append(_described(run, run.info))
    described.sort(key=lambda run: (moment(run["created"]), run["run"]), reverse=True)
    if as_json:
        write_json(described)
        return
    if not described:
        train = session.workspace.command("train")
        note(f"There are no runs in {session.workspace.checkpoints} yet; train one with: {train}")
        return
    rows = [
        (
            run["run"],
            corpus_name(run["corpus"]),
            run["model"],
            count_text(run["parameters"]),
            shown(run["lr"]),
            _clip(run),
            f"{run['step']:,}",
            _with_unknown(_number(run["best_loss"]), run["unknown_fraction"]),
            moment_text(run["created"]),
        )
        for run in described
    ]
    columns = ("run", "corpus", "model", "parameters", "lr", "clip", "step", "best loss", "created")
    table(columns, rows, numbers=("parameters", "lr", "step", "best loss"), whole=("run", "lr", "step"))


def _described(run: ListedRun, info: RunInfo) -> dict[str, Any]:
    return {
        "run": run.name,
        "path": str(run.folder.path),
        "created": info.created,
        "corpus": info.config.corpus,
        "tokens": info.config.tokens,
        "model": model_name(info.config),
        "parameters": info.parameters,
        "vocabulary": info.vocabulary,
        "lr": info.config.lr,
        "clip": info.config.clip,
        "clip_threshold": info.config.clip_threshold,
        "step": run.step or 0,
        "best_loss": run.best_loss,
        "unknown_fraction": info.unknown_fraction,
    }


def _origin(parent: Parent) -> str:
    """Formats what a run was branched from: "first@1200, 5 tokens added"."""
    optimizer = ", with the optimizer's state" if parent.optimizer else ""
    return parent.name + optimizer + (f", {parent.added_tokens:,} tokens added" if parent.added_tokens else "")


def _clip(run: dict[str, Any]) -> str:
    """Formats the clipping: "norm 0.4", "value 1", "off"."""
    return str(run["clip"]) if run["clip"] == "off" else f"{run['clip']} {run['clip_threshold']:g}"


def _validations(run: RunFolder) -> list[Validation]:
    from rnnplay.runs.records import Validation
    from rnnplay.runs.thinned import ThinnedLog

    return [record for record in ThinnedLog(run.log).read() if isinstance(record, Validation)]


def _number(loss: float | None) -> str:
    return "–" if loss is None else fixed(loss, 4)


def _with_unknown(loss: str, fraction: float | None) -> str:
    return f"{loss} ({unknown_text(fraction)})" if is_much_unknown(fraction) else loss
