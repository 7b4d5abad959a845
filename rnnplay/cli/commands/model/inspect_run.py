"""`rnnplay inspect`: looks inside a run's model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from rnnplay.cli.support.console import note, note_unknown, write_json
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import (
    Session,
    checkpoint_option,
    find_model,
    json_option,
    pass_session,
    workspace_option,
)
from rnnplay.cli.support.text_input import prompt_text
from rnnplay.cli.support.working import working
from rnnplay.common.formatting import unknown_warning
from rnnplay.common.numbers import meant, real_number
from rnnplay.errors import CheckpointError, InputError
from rnnplay.inspection.questions import (
    ClippingQuestion,
    ConnectivityQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    TimestepQuestion,
    WhatIfQuestion,
)
from rnnplay.inspection.results import (
    ClippedStep,
    Connectivity,
    DistanceAccuracy,
    Forced,
    ForcedCompletion,
    GateMap,
    GradientCurve,
    Order,
    Predictions,
    Property,
    Quantity,
    Result,
    Timestep,
)

if TYPE_CHECKING:
    from rnnplay.inspection.loaded_model import SavedRun

OPTIONS: dict[str, tuple[str, ...]] = {
    "gradients": ("distance", "initial"),
    "predictions": ("text", "force"),
    "gates": ("text", "force", "layer", "quantity", "order", "property", "first", "count"),
    "connectivity": ("text", "position"),
    "clipping": (),
    "distances": (),
    "timestep": ("text", "position", "first"),
}
"""Every view with its own options."""

QUESTIONS: dict[str, Callable[..., Question]] = {
    "predictions": PredictionsQuestion,
    "gates": GatesQuestion,
    "connectivity": ConnectivityQuestion,
    "clipping": ClippingQuestion,
    "distances": DistancesQuestion,
    "timestep": TimestepQuestion,
}
"""The question class of each view of a single run."""

_FORCED = re.compile(
    r"\s*(\d{1,4})\.([a-z_]+)(?:\[((?:\s*(?:0|[1-9]\d{0,5})\s*,)*\s*(?:0|[1-9]\d{0,5})\s*)\])?\s*=\s*([^=]{1,40}?)\s*"
)


@click.command("inspect", short_help="Look inside a run's model.")
@click.argument("run_names", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--view", type=click.Choice(list(OPTIONS)), default="gradients", help="What to look at.  [default: gradients]"
)
@click.option(
    "--text",
    metavar="TEXT|-",
    help="The text to read, for predictions, gates, connectivity and timestep; - reads standard input.",
)
@click.option(
    "--distance",
    metavar="K",
    type=WholeNumber(0, 4096),
    default=64,
    help="How many timesteps the gradient goes back.  [default: 64]",
)
@click.option("--initial", is_flag=True, help="Gradients: with the weights as they were before the first step.")
@click.option("--layer", metavar="N", type=WholeNumber(0), default=0, help="Gates: the layer.  [default: 0]")
@click.option(
    "--quantity",
    type=click.Choice(get_args(Quantity)),
    default="hidden",
    help="Gates: what to show.  [default: hidden]",
)
@click.option(
    "--order",
    type=click.Choice(get_args(Order)),
    default="variance",
    help="Gates: the order of the units.  [default: variance]",
)
@click.option(
    "--property",
    type=click.Choice(get_args(Property)),
    default="quotes",
    help="Gates: the property that --order property sorts by.  [default: quotes]",
)
@click.option(
    "--first",
    metavar="N",
    type=WholeNumber(0),
    default=0,
    help="Gates: the first unit to show, counted in that order; timestep: the first of two units.  [default: 0]",
)
@click.option("--count", metavar="N", type=WholeNumber(1), default=16, help="Gates: how many units.  [default: 16]")
@click.option(
    "--position",
    metavar="N",
    type=WholeNumber(),
    default=-1,
    help="Connectivity, timestep: the token after which to predict.  [default: the last]",
)
@click.option(
    "--force",
    metavar="LAYER.QUANTITY=X",
    multiple=True,
    help="What if: hold a quantity at X, as in 0.forget_gate=1, or only some of its units, as in 0.cell[3,7]=0.",
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
    distances     accuracy by distance, of a run on recall, brackets, agreement or copy
    timestep      one timestep of an LSTM in numbers, forward and backward, while it reads TEXT
    """
    _check_options(ctx, view)
    if view == "gradients":
        curve = GradientsQuestion(distance=values["distance"], initial=values["initial"])
        _gradients(session, run_names, checkpoint, as_json, curve)
        return
    if len(run_names) > 1:
        raise InputError(f"--view {view} shows one run; only gradients takes several.")
    if "text" in OPTIONS[view] and values["text"] is None:
        raise InputError(f"--view {view} needs a text to read; give one with --text.")
    forced = [parse_forced(one) for one in force]
    text = None if values["text"] is None else prompt_text(values["text"])
    run = _open(session, run_names[0], checkpoint)
    if text:
        note_unknown(run.tokenizer.unknown_in(text))
    chosen = {name: values[name] for name in OPTIONS[view] if name in values} | {"text": text}
    if "force" in OPTIONS[view]:
        chosen["forced"] = forced
    if view == "gates":
        from rnnplay.inspection.what_if import check_forced

        check_forced(run.config, Forced(layer=values["layer"], quantity=values["quantity"], value=0))
    question = QUESTIONS[view](**{name: value for name, value in chosen.items() if value is not None})
    found = _answer(session, run, question)
    if isinstance(found, Connectivity):
        _check_position(values["position"], len(found.tokens))
    if isinstance(found, Timestep):
        _check_position(values["position"], len(found.tokens) - 1, "with one after them")
        if values["first"] > found.units[0]:
            raise InputError(
                f"--first {values['first']} leaves no two units of the layer's {found.hidden}; "
                f"choose 0 to {max(0, found.hidden - 2)}."
            )
    if isinstance(found, Predictions) and (warning := unknown_warning(found.unknown_fraction, "the text")):
        note(f"Warning: {warning}")
    if as_json:
        write_json(found)
    else:
        _show(session, run, question, found)


def parse_forced(text: str) -> Forced:
    """Parses "0.forget_gate=1" or "0.cell[3,7]=-0.5"; raises InputError."""
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
        raise InputError(f"--force {text[:60]!r} is invalid{hint}.")
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
    folder = find_model(session, name)
    with working("loading the model"):
        from rnnplay.inspection.loaded_model import SavedRun
        from rnnplay.training.threads.free_cores import use_free_cores

        use_free_cores()
        return SavedRun(folder, checkpoint, session.workspace)


def _answer(session: Session, run: SavedRun, question: Question) -> Result:
    with working("computing"):
        from rnnplay.inspection.answer import answer

        return answer(run, question, session.workspace)


def _gradients(
    session: Session, names: Sequence[str], checkpoint: str, as_json: bool, question: GradientsQuestion
) -> None:
    curves: list[GradientCurve] = []
    for name in names:
        try:
            run = _open(session, name, checkpoint)
        except CheckpointError as error:
            if len(names) == 1:
                raise
            raise InputError(str(error)) from error  # without the suggestion of one --checkpoint for all
        curve = _answer(session, run, question)
        assert isinstance(curve, GradientCurve)
        if (longest := curve.distances[-1]) < question.distance:
            note(f"Note: the text of {run.run} has no windows that long; its longest distance is {longest}.")
        if as_json:
            norms = {"h": curve.hidden, "c": curve.cell or None}
            write_json({"distances": curve.distances, "norms": norms, "run": curve.run, "step": curve.step})
        curves.append(curve)
    if not as_json:
        from rnnplay.cli.commands.model.inspect_text import show_gradients

        show_gradients(curves)


def _check_position(position: int, count: int, which: str = "") -> None:
    """Raises InputError for a position outside the `count` tokens, for which the answer is that of the nearest one."""
    if not -count <= position < count:
        tokens = f"{count} {'token' if count == 1 else 'tokens'}{which and ' '}{which}"
        raise InputError(
            f"--position {position} is outside the text, which has {tokens}; "
            f"choose 0 to {count - 1}, or -1 to -{count} from the end."
        )


def _show(session: Session, run: SavedRun, question: Question, found: Result) -> None:
    """Prints the result as text and tables."""
    from rnnplay.cli.commands.model import inspect_text

    match found:
        case Predictions():
            inspect_text.show_predictions(found, run.tokenizer.kind)
            assert isinstance(question, PredictionsQuestion)
            if question.forced:
                untouched = _answer(session, run, PredictionsQuestion(text=question.text))
                both = _answer(session, run, WhatIfQuestion(text=question.text, forced=question.forced))
                assert isinstance(untouched, Predictions) and isinstance(both, ForcedCompletion)
                inspect_text.show_what_if(question.text, untouched, found, both)
        case GateMap():
            inspect_text.show_gates(found)
        case Connectivity():
            inspect_text.show_connectivity(found, run.tokenizer.kind)
        case ClippedStep():
            inspect_text.show_clipping(found)
        case DistanceAccuracy():
            inspect_text.show_distances(found)
        case Timestep():
            inspect_text.show_timestep(found)
        case _:
            raise AssertionError(found)
