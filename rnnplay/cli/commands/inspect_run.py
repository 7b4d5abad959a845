"""`rnnplay inspect`: look inside a run's model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from rnnplay.cli.support.console import note, note_unknown, write_json
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import (
    Session,
    checkpoint_option,
    find_run,
    json_option,
    pass_session,
    workspace_option,
)
from rnnplay.cli.support.text_input import prompt_text
from rnnplay.common.numbers import meant, real_number
from rnnplay.common.quality import unknown_warning
from rnnplay.errors import CheckpointError, InputError
from rnnplay.inspection.results import Forced, GradientCurve, Order, Property, Quantity

if TYPE_CHECKING:
    from rnnplay.inspection.subject import SavedRun

OPTIONS: dict[str, tuple[str, ...]] = {
    "gradients": ("distance", "initial"),
    "predictions": ("text", "force"),
    "gates": ("text", "force", "layer", "quantity", "order", "property", "first", "count"),
    "connectivity": ("text", "position"),
    "clipping": (),
}
"""Every view, with the options that are its own."""

_FORCED = re.compile(
    r"\s*(\d{1,4})\.([a-z_]+)(?:\[((?:\s*(?:0|[1-9]\d{0,5})\s*,)*\s*(?:0|[1-9]\d{0,5})\s*)\])?\s*=\s*([^=]{1,40}?)\s*"
)


@click.command("inspect", short_help="Look inside a run's model.")
@click.argument("run_names", metavar="RUN...", nargs=-1, required=True)
@click.option("--view", type=click.Choice(list(OPTIONS)), default="gradients", help="What to look at.")
@click.option(
    "--text",
    metavar="TEXT|-",
    help="The text to read, for predictions, gates and connectivity; -: from standard input.",
)
@click.option(
    "--distance",
    metavar="K",
    type=WholeNumber(0, 4096),
    default=64,
    help="How many timesteps the gradient goes back.  [default: 64]",
)
@click.option("--initial", is_flag=True, help="Gradients of the weights as they were before the first step.")
@click.option("--layer", metavar="N", type=WholeNumber(0), default=0, help="Gates: the layer.  [default: 0]")
@click.option("--quantity", type=click.Choice(get_args(Quantity)), default="hidden", help="Gates: what to show.")
@click.option("--order", type=click.Choice(get_args(Order)), default="variance", help="Gates: the units' order.")
@click.option(
    "--property", type=click.Choice(get_args(Property)), default="quotes", help="Gates: what --order property follows."
)
@click.option("--first", metavar="N", type=WholeNumber(0), default=0, help="Gates: the first place of that order.")
@click.option("--count", metavar="N", type=WholeNumber(1), default=16, help="Gates: how many units.  [default: 16]")
@click.option(
    "--position",
    metavar="N",
    type=WholeNumber(),
    default=-1,
    help="Connectivity: after which token.  [default: the last]",
)
@click.option(
    "--force",
    metavar="LAYER.QUANTITY=X",
    multiple=True,
    help="What if: hold it at X, as in 0.forget_gate=1 or, for some units, 0.cell[3,7]=0.",
)
@checkpoint_option
@workspace_option
@json_option
@pass_session
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    /,
    run_names: tuple[str, ...],
    view: str,
    force: tuple[str, ...],
    checkpoint: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Look inside the model of RUN.

    \b
    gradients     how much of a loss's gradient arrives k timesteps earlier (several RUNs side by side)
    predictions   TEXT, token by token: what the model expected
    gates         what a layer's units compute while they read TEXT
    connectivity  which earlier tokens of TEXT a prediction depends on
    clipping      the next step's gradient before and after it is clipped
    """
    _check_options(ctx, view)
    if view == "gradients":
        _gradients(session, run_names, checkpoint, as_json, values["distance"], values["initial"])
        return
    if len(run_names) > 1:
        raise InputError(f"--view {view} shows one run; only gradients takes several.")
    if "text" in OPTIONS[view] and values["text"] is None:
        raise InputError(f"--view {view} needs a text to read; give one with --text.")
    forced = [parse_forced(one) for one in force]
    if values["text"] is not None:
        values["text"] = prompt_text(values["text"])
    run = _open(session, run_names[0], checkpoint)
    if values["text"]:
        note_unknown(run.tokenizer.unknown_in(values["text"]))
    if view == "predictions":
        _predictions(run, values["text"], forced, as_json)
    elif view == "gates":
        _gates(run, forced, as_json, values)
    elif view == "connectivity":
        _connectivity(run, values["text"], values["position"], as_json)
    else:
        _clipping(run, as_json)


def parse_forced(text: str) -> Forced:
    """ "0.forget_gate=1" or "0.cell[3,7]=-0.5"; raises InputError."""
    match = _FORCED.fullmatch(text)
    value = real_number(match[4]) if match is not None else None
    if match is None or value is None or match[2] not in get_args(Quantity):
        hint = (
            f"; write {text[: match.start(4)]}{meant(match[4])}"
            if match is not None and meant(match[4])
            else (
                "; write LAYER.QUANTITY=X as in 0.forget_gate=1 or 0.cell[3,7]=0 "
                f"(quantities: {', '.join(get_args(Quantity))})"
            )
        )
        raise InputError(f"--force {text[:60]!r} cannot be read{hint}.")
    units = [int(unit) for unit in match[3].split(",")] if match[3] else []
    quantity: Any = match[2]
    return Forced(layer=int(match[1]), quantity=quantity, value=value, units=units)


def _check_options(ctx: click.Context, view: str) -> None:
    """Raises InputError for an option that the view would ignore."""
    own = {name for names in OPTIONS.values() for name in names}
    for name in sorted(own - set(OPTIONS[view])):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            where = ", ".join(f"--view {other}" for other, names in OPTIONS.items() if name in names)
            raise InputError(f"--{name} does not go with --view {view}; it is for {where}.")


def _open(session: Session, name: str, checkpoint: str) -> SavedRun:
    folder = find_run(session, name)
    from rnnplay.inspection.subject import SavedRun
    from rnnplay.training.threads import use_free_cores

    use_free_cores()
    return SavedRun(folder, checkpoint, session.workspace)


def _gradients(
    session: Session, names: Sequence[str], checkpoint: str, as_json: bool, distance: int, initial: bool
) -> None:
    curves: list[GradientCurve] = []
    for name in names:
        try:
            run = _open(session, name, checkpoint)
        except CheckpointError as error:
            if len(names) == 1:
                raise
            raise InputError(str(error)) from error  # another --checkpoint would be for all of them
        from rnnplay.inspection.gradients import gradient_curve
        from rnnplay.inspection.probe import probe_batch
        from rnnplay.inspection.subject import initial_model

        probe = probe_batch(run.corpus.validation, run.corpus.feed, distance)
        if probe.distance < distance:
            note(f"Note: the text of {run.run} has no windows so long; its distance is {probe.distance}.")
        model, step = (initial_model(run), 0) if initial else (run.model, run.step)
        curve = gradient_curve(model, probe, run.run, step)
        if as_json:
            norms = {"h": curve.hidden, "c": curve.cell or None}
            write_json({"distances": curve.distances, "norms": norms, "run": curve.run, "step": curve.step})
        curves.append(curve)
    if not as_json:
        from rnnplay.cli.commands.inspect_text import show_gradients

        show_gradients(curves)


def _predictions(run: SavedRun, text: str, forced: list[Forced], as_json: bool) -> None:
    from rnnplay.inspection.predictions import predictions
    from rnnplay.inspection.what_if import forcing
    from rnnplay.model.generation.sampling import complete

    hook = forcing(run.config, forced)
    found = predictions(run.model, run.tokenizer, text, run.run, run.step, hook)
    if warning := unknown_warning(found.unknown_fraction, "the text"):
        note(f"Warning: {warning}")
    if as_json:
        write_json(found)
        return
    from rnnplay.cli.commands.inspect_text import show_predictions, show_what_if

    show_predictions(found, run.tokenizer.kind)
    if hook is not None:
        untouched = predictions(run.model, run.tokenizer, text, run.run, run.step)
        suggestions = [complete(run.model, run.tokenizer, text, 5, own).suggestion for own in (None, hook)]
        show_what_if(text, untouched, found, suggestions)


def _gates(run: SavedRun, forced: list[Forced], as_json: bool, values: dict[str, Any]) -> None:
    from rnnplay.inspection.gates import gate_map
    from rnnplay.inspection.unrolled import unroll_text
    from rnnplay.inspection.what_if import check, forcing

    check(run.config, Forced(layer=values["layer"], quantity=values["quantity"], value=0))
    unrolled = unroll_text(run.model, run.tokenizer, values["text"], forcing(run.config, forced))
    chosen = {name: values[name] for name in ("layer", "quantity", "order", "property", "first", "count")}
    found = gate_map(unrolled, run.tokenizer, **chosen, run=run.run, step=run.step)
    if as_json:
        write_json(found)
        return
    from rnnplay.cli.commands.inspect_text import show_gates

    show_gates(found)


def _connectivity(run: SavedRun, text: str, position: int, as_json: bool) -> None:
    from rnnplay.inspection.connectivity import connectivity

    found = connectivity(run.model, run.tokenizer, text, position, run.run, run.step)
    count = len(found.tokens)
    if not -count <= position < count:
        raise InputError(
            f"--position {position} is not in the text, which has {count} {'token' if count == 1 else 'tokens'}; "
            f"take 0 to {count - 1}, or -1 to -{count} from the end."
        )
    if as_json:
        write_json(found)
        return
    from rnnplay.cli.commands.inspect_text import show_connectivity

    show_connectivity(found, run.tokenizer.kind)


def _clipping(run: SavedRun, as_json: bool) -> None:
    from rnnplay.inspection.clipping import clipped_step

    batch, state = run.next_batch()
    config = run.config
    found = clipped_step(run.raw_model, batch, state, config.clip, config.clip_threshold, run.run, run.step)
    if as_json:
        write_json(found)
        return
    from rnnplay.cli.commands.inspect_text import show_clipping

    show_clipping(found)
