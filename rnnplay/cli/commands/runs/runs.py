"""`rnnplay runs`: lists and shows runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.commands.runs.run_management import SUBCOMMANDS
from rnnplay.cli.support.console import builtins, corpus_name, model_name, note, pairs, table, write_json
from rnnplay.cli.support.session import NearGroup, Session, find_run, json_option, pass_session, workspace_option
from rnnplay.common.formatting import (
    count_text,
    fixed,
    fraction_of_tokens,
    is_much_unknown,
    moment_text,
    size_text,
    unknown_text,
)
from rnnplay.knobs import typed

if TYPE_CHECKING:
    from rnnplay.runs.browsing.parents import Origin
    from rnnplay.runs.browsing.training_now import Training
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.index import ListedRun
    from rnnplay.runs.info import RunInfo
    from rnnplay.runs.metrics.records import Validation

SORTABLE = ("run", "corpus", "model", "parameters", "lr", "clip", "step", "valid", "created", "tags")

_filter_option = click.option(
    "--filter",
    "filter_text",
    metavar="TEXT",
    default="",
    help='Only these, for example "lr>=0.001 cell=lstm valid<1.5 tag:good".',
)
_sort_option = click.option(
    "--sort", type=click.Choice(SORTABLE), default="created", show_default=True, help="Order them by this column."
)
_reverse_option = click.option("--reverse", is_flag=True, help="Order them the other way round.")


@click.group("runs", cls=NearGroup, invoke_without_command=True, short_help="List, show, note, rename or remove runs.")
@workspace_option
@_filter_option
@_sort_option
@_reverse_option
@json_option
@click.pass_context
def command(ctx: click.Context, filter_text: str, sort: str, reverse: bool, as_json: bool) -> None:
    """List, show, note, rename or remove runs. Alone, it lists them."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, filter_text, sort, reverse, as_json)


@command.command("list", short_help="List the runs in the workspace.")
@workspace_option
@_filter_option
@_sort_option
@_reverse_option
@json_option
@pass_session
def list_(session: Session, filter_text: str, sort: str, reverse: bool, as_json: bool) -> None:
    """List the runs in the workspace, the newest first.

    The filter is text that is looked for in names, corpora, models, notes and tags, and terms: a knob, step, valid,
    parameters, created, tag, note or parent; one of = != < <= > >=; and a value. Put it between quotes. parent=NAME
    and parent=NAME@STEP find the branches of the run that is called so now, also if it was renamed since.
    """
    _list(session, filter_text, sort, reverse, as_json)


@command.command("show", short_help="Show a run's settings, checkpoints and validations.")
@click.argument("name", metavar="RUN")
@workspace_option
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show a run's settings, checkpoints and validations."""
    from rnnplay.config import RunConfig, knobs
    from rnnplay.runs.browsing.parents import find_origin
    from rnnplay.runs.browsing.training_now import training_of
    from rnnplay.runs.health import health_of
    from rnnplay.runs.index import listed
    from rnnplay.runs.management.disk_use import disk_use

    run = find_run(session, name)
    info, checkpoints = run.info(), run.checkpoints()
    described = _described(listed(run), info)
    origin = find_origin(info.parent, session.workspace) if info.parent is not None else None
    verdict = health_of(run)
    validations, training, size = _validations(run), training_of(run.path), disk_use(run.path)
    if as_json:
        write_json(
            {
                **described,
                "config": builtins(info.config),
                "corpus_sha256": info.corpus_sha256,
                "rnnplay": info.rnnplay,
                "torch": info.torch,
                "parent": {**builtins(info.parent), "now": origin.now} if origin is not None else None,
                "checkpoints": [{"step": c.step, "path": str(c.path), "loss": c.loss} for c in checkpoints],
                "validations": [builtins(validation) for validation in validations],
                "health": builtins(verdict) if verdict is not None else None,
                "training": _training(training),
                "disk_bytes": size,
            }
        )
        return
    pairs(
        [
            ("run", run.name),
            ("folder", str(run.path)),
            ("created", moment_text(info.created)),
            *([("branched from", _origin(origin))] if origin is not None else []),
            ("corpus", info.config.corpus),
            (
                "model",
                f"{model_name(info.config)}, {info.parameters:,} parameters, {info.vocabulary:,} different tokens",
            ),
            ("step", f"{described['step']:,}"),
            ("validation loss", _number(validations[-1].loss if validations else None)),
            ("best", _number(described["best_loss"])),
            *([("health", verdict.text)] if verdict is not None else []),
            ("<unk>", fraction_of_tokens(info.unknown_fraction) if info.unknown_fraction is not None else "–"),
            ("checkpoints", ", ".join(f"{c.step:,}" for c in checkpoints) or "none"),
            ("on disk", size_text(size)),
            *([("training", f"by {training.who}, {training.text}")] if training is not None else []),
            *([("tags", " ".join(described["tags"]))] if described["tags"] else []),
            *([("note", described["note"])] if described["note"] else []),
        ]
    )
    click.echo()
    defaults = RunConfig()
    pairs(
        (name, spec.text(getattr(info.config, name)) + ("" if getattr(info.config, name) == spec.default else "  *"))
        for name, spec in knobs().items()
        if spec.relevant(info.config)
    )
    if info.config != defaults:
        click.echo("\n* not the default")


for _subcommand in SUBCOMMANDS:
    command.add_command(_subcommand)


def _list(session: Session, filter_text: str, sort: str, reverse: bool, as_json: bool) -> None:
    from rnnplay.runs.browsing.filtering import read_filter
    from rnnplay.runs.browsing.sorting import Order, first_order, in_order
    from rnnplay.runs.browsing.training_now import training_of
    from rnnplay.runs.index import list_quickly

    chosen = read_filter(filter_text)
    order = first_order(sort)
    found = list(list_quickly(session.workspace.check_there()))
    described: list[dict[str, Any]] = []
    for run in in_order(chosen.chosen(found), Order(sort, order.descending is not reverse)):
        if run.info is None:
            note(run.problem)
        else:
            described.append({**_described(run, run.info), "training": _training(training_of(run.folder.path))})
    if as_json:
        write_json(described)
        return
    if found and not described:
        note(f"None of the {len(found):,} runs is like that." if filter_text else "No run can be read.")
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
            typed(run["lr"]),
            _clip(run),
            f"{run['step']:,}",
            _with_unknown(_number(run["best_loss"]), run["unknown_fraction"]),
            moment_text(run["created"]),
            _remark(run),
        )
        for run in described
    ]
    columns = ("run", "corpus", "model", "parameters", "lr", "clip", "step", "best loss", "created", "remarks")
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
        "tags": list(run.notes.tags),
        "note": run.notes.note,
    }


def _training(training: Training | None) -> dict[str, Any] | None:
    """Describes a run that is being trained, for JSON."""
    if training is None:
        return None
    return {"by": str(training.who), "step": training.step, "steps_per_second": training.steps_per_second}


def _remark(run: dict[str, Any]) -> str:
    """What is special about a run, in the list: that it is being trained, and its tags."""
    training = "being trained" if run["training"] else ""
    return "  ".join(part for part in (training, " ".join(run["tags"])) if part)


def _origin(origin: Origin) -> str:
    """Formats what a run was branched from: "first@1200, 5 tokens added"."""
    parent = origin.parent
    optimizer = ", with the optimizer's state" if parent.optimizer else ""
    shrunk = f", weights × {parent.shrink:g}" if parent.shrink != 1 else ""
    return origin.text + shrunk + optimizer + (f", {parent.added_tokens:,} tokens added" if parent.added_tokens else "")


def _clip(run: dict[str, Any]) -> str:
    """Formats the clipping: "norm 0.4", "value 1", "off"."""
    return str(run["clip"]) if run["clip"] == "off" else f"{run['clip']} {run['clip_threshold']:g}"


def _validations(run: RunFolder) -> list[Validation]:
    from rnnplay.runs.metrics.records import Validation
    from rnnplay.runs.metrics.thinned import ThinnedLog

    return [record for record in ThinnedLog(run.log).read() if isinstance(record, Validation)]


def _number(loss: float | None) -> str:
    return "–" if loss is None else fixed(loss, 4)


def _with_unknown(loss: str, fraction: float | None) -> str:
    return f"{loss} ({unknown_text(fraction)})" if is_much_unknown(fraction) else loss
