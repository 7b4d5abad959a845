"""`rnnplay lr-range`: the learning-rate range test."""

from __future__ import annotations

import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from rnnplay.cli.support.console import note, note_idle, write_json
from rnnplay.cli.support.options import KnobCommand, KnobType, WholeNumber, given, knob_options, setting_options
from rnnplay.cli.support.session import Session, json_option, pass_session, workspace_option
from rnnplay.cli.support.settings import new_settings, settings_in
from rnnplay.cli.support.working import working
from rnnplay.common.encodings import encodable
from rnnplay.config import RunConfig, knobs
from rnnplay.errors import RnnplayError
from rnnplay.experiments.lr_range import (
    HIGH,
    LEAST_STEPS,
    LOW,
    MOST_STEPS,
    STEPS,
    UNUSED,
    RangePoint,
    check_range,
    rates,
    result_of,
)

ROWS = 18


@click.command("lr-range", cls=KnobCommand, short_help="Test which learning rates make the loss fall.")
@click.option(
    "--low", metavar="LR", type=KnobType(knobs()["lr"]), default=LOW, help=f"The first rate.  [default: {LOW:g}]"
)
@click.option(
    "--high", metavar="LR", type=KnobType(knobs()["lr"]), default=HIGH, help=f"The last rate.  [default: {HIGH:g}]"
)
@click.option(
    "--test-steps",
    metavar="N",
    type=WholeNumber(LEAST_STEPS, MOST_STEPS),
    default=STEPS,
    help=f"Steps from the first rate to the last.  [default: {STEPS}]",
)
@setting_options
@workspace_option
@json_option
@knob_options(RunConfig, exclude=UNUSED)
@pass_session
def command(
    session: Session,
    /,
    low: float,
    high: float,
    test_steps: int,
    config_file: Path | None,
    preset: str | None,
    as_json: bool,
    **values: Any,
) -> int:
    """Raise the learning rate step by step from --low to --high and draw the loss (Smith 2017).

    A new model of these settings is trained for --test-steps steps and thrown away; no run is written. Marked are the
    steepest descent, the lowest loss and where it blows up. A tenth of the rate with the lowest loss, or the steepest
    if that is larger, is one to begin with; it promises nothing, as the best rate of a whole run may be another.

    With --json, one record per line on stdout: point (each step), result.
    """
    from rnnplay.common.signals import StopSignals
    from rnnplay.experiments.lr_range_training import encode_text, train_at_rates
    from rnnplay.training.optim import decay_remark

    check_range(low, high)
    config = new_settings(preset, config_file, given(values), session.workspace)
    note_idle([name for name in {**settings_in(config_file), **given(values)} if name not in UNUSED], [config])
    workspace = session.workspace.for_reading()
    corpus = encode_text(config, workspace)
    with StopSignals() as stop:
        taken: list[RangePoint] = []
        take = write_json if as_json else taken.append
        with nullcontext() if as_json else working("testing", lambda: len(taken) / test_steps):
            points = train_at_rates(config, corpus, rates(low, high, test_steps), take, lambda: stop.asked)
    if stop.asked:
        raise RnnplayError(f"Stopped after {len(points)} of {test_steps} steps; nothing was kept.")
    if remark := decay_remark(config):
        note(f"Note: {remark}")
    result = result_of(points)
    if as_json:
        write_json(result)
        return 0
    from rnnplay.tui.chart.canvas import Layout
    from rnnplay.tui.value_plot.rates import rates_plot
    from rnnplay.tui.value_plot.value_frame import draw

    width = max(40, min(100, shutil.get_terminal_size().columns))
    for row in draw(rates_plot(points, low, high, result), Layout(width, ROWS)).text():
        click.echo(encodable(row.rstrip(), sys.stdout))
    click.echo()
    click.echo(result.sentence)
    if result.suggested is not None:
        note(f"Try: {_training(session, preset, config_file, given(values), result.suggested)}")
    return 0


def _training(
    session: Session, preset: str | None, config_file: Path | None, knobs_given: dict[str, Any], lr: float
) -> str:
    """Returns the command that trains with the same settings at the rate `lr`."""
    options: dict[str, Any] = {"preset": preset or False, "config": str(config_file) if config_file else False}
    for name, value in knobs_given.items():
        options["no_" + name if value is False else name] = True if isinstance(value, bool) else value
    return session.workspace.command("train", **options, lr=lr)
