"""`rnnplay compare`: runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rnnplay.cli.support.console import builtins, note, pairs, table, write_json, written
from rnnplay.cli.support.session import Session, find_run, json_option, pass_session, workspace_option
from rnnplay.common.formatting import moment_text

if TYPE_CHECKING:
    from rnnplay.experiments.comparison import ComparedRun, Comparison

LONGEST_SAMPLE = 300
"""Characters of a prompt with its continuation."""

_ROWS = {
    "parameters": "parameters",
    "step": "step",
    "tokens": "tokens",
    "seconds": "time",
    "best_validation_loss": "best validation loss",
    "best_step": "  at step",
    "best_bits_per_character": "  bits per character",
    "last_validation_loss": "last validation loss",
    "best_training_loss": "best training loss",
    "last_training_loss": "last training loss",
    "rollbacks": "rollbacks",
    "ended": "ended",
    "created": "created",
}
"""Rows of the table: fields of ComparedRun with their labels."""


@click.command("compare", short_help="Compare runs: settings that differ, and losses.")
@click.argument("names", metavar="RUN RUN…", nargs=-1, required=True)
@workspace_option
@json_option
@pass_session
def command(session: Session, names: tuple[str, ...], as_json: bool) -> None:
    """Compare runs: the settings in which they differ, their losses, and how far they have come.

    Training losses are means over 100 steps.
    """
    from rnnplay.experiments.comparison import compare

    comparison = compare([find_run(session, name) for name in names])
    if as_json:
        write_json(_as_json(comparison))
        return
    _write_table(comparison)
    _write_samples(comparison)
    for remark in comparison.remarks:
        note(remark)


def _write_table(comparison: Comparison) -> None:
    from rnnplay.experiments.comparison import value_text

    runs = comparison.runs
    rows = [[one.name, *(value_text(one.name, value) for value in one.values)] for one in comparison.differences]
    for name, label in _ROWS.items():
        cells = [_cell(run, name) for run in runs]
        if name == comparison.measure:
            cells = [f"{cell} *" if number == comparison.best else cell for number, cell in enumerate(cells)]
        if any(cell != cells[0] for cell in cells) or name not in ("rollbacks", "ended"):
            rows.append([label, *cells])
    names = [run.run for run in runs]
    table(["", *names], rows, numbers=names)


def _cell(run: ComparedRun, name: str) -> str:
    from rnnplay.experiments.comparison import measured_text

    if name == "created":
        return moment_text(run.created)
    return f"{run.parameters:,}" if name == "parameters" else measured_text(run, name)


def _write_samples(comparison: Comparison) -> None:
    """Writes what each prompt was last completed with, one line a run."""
    prompts = dict.fromkeys(prompt for samples in comparison.samples for prompt in samples)
    for prompt in prompts:
        click.echo()
        told = [
            (run.run, samples[prompt])
            for run, samples in zip(comparison.runs, comparison.samples, strict=True)
            if prompt in samples
        ]
        pairs((name, written(f"{prompt}{sample.text}"[:LONGEST_SAMPLE])) for name, sample in told)


def _as_json(comparison: Comparison) -> dict[str, object]:
    validations = [
        [[one.step, one.loss, one.bits_per_character] for one in course.validations] for course in comparison.courses
    ]
    samples = [[builtins(one) for one in samples.values()] for samples in comparison.samples]
    return {
        "differences": {one.name: one.values for one in comparison.differences},
        "runs": [
            {**builtins(run), "validations": losses, "samples": texts}
            for run, losses, texts in zip(comparison.runs, validations, samples, strict=True)
        ],
        "remarks": comparison.remarks,
    }
