"""`rnnplay samples`: what a run completed fixed prompts with, by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rnnplay.cli.support.console import TextOut, builtins, note, table, write_json, written
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import Session, find_run, json_option, onward, pass_session, workspace_option
from rnnplay.common.formatting import fixed
from rnnplay.common.terminal_text import sanitize_line
from rnnplay.errors import InputError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.samples.logged import LoggedSample

MOST_STEPS = 20
"""Steps shown of a long log, the first and the last among them."""


@click.command("samples", short_help="Show what a run wrote while it learned.")
@click.argument("run_name", metavar="RUN")
@click.option("--step", type=WholeNumber(low=0), metavar="N", help="Only the samples of this step, in full.")
@click.option("--prompt", "number", type=WholeNumber(low=1), metavar="K", help="Only the K-th prompt's samples.")
@click.option("--all", "whole", is_flag=True, help=f"All steps, where there are more than {MOST_STEPS}.")
@workspace_option
@json_option
@pass_session
def command(
    session: Session, /, run_name: str, step: int | None, number: int | None, whole: bool, as_json: bool
) -> None:
    """Show how a run has completed fixed prompts, by step, so that you can see it learn. The knob sample_prompts says
    which prompts; they are completed at validations, always with the same random numbers.
    """
    from rnnplay.runs.samples.logged import SampleFile, prompts_of

    run = find_run(session, run_name)
    samples = SampleFile(run.path).read()
    if not samples:
        raise InputError(_why_none(session, run))
    prompts = prompts_of(samples)
    if number is not None:
        if number > len(prompts):
            has = f"{len(prompts)} prompts" if len(prompts) > 1 else "one prompt"
            raise InputError(f"The run {run.name!r} has {has} in its sample log, not {number}.")
        samples = [sample for sample in samples if sample.prompt == prompts[number - 1]]
    if step is not None:
        samples = _of_step(samples, step, run)
    if as_json:
        write_json([builtins(sample) for sample in samples])
    elif step is not None:
        _write_whole(samples)
    else:
        _write_tables(samples, prompts, whole)


def _why_none(session: Session, run: RunFolder) -> str:
    if run.info().config.sample_prompts == "off":
        return f"The run {run.name!r} keeps no samples, as its sample_prompts is off."
    return f"The run {run.name!r} has no samples. {onward(session.workspace, run)}"


def _of_step(samples: Sequence[LoggedSample], step: int, run: RunFolder) -> list[LoggedSample]:
    found = [sample for sample in samples if sample.step == step]
    if not found:
        steps = sorted({sample.step for sample in samples}, key=lambda one: abs(one - step))[:2]
        near = " and ".join(f"{one:,}" for one in sorted(steps))
        raise InputError(f"The run {run.name!r} has no samples of step {step:,}; the nearest are those of {near}.")
    return found


def _write_whole(samples: Sequence[LoggedSample]) -> None:
    out = TextOut()
    for at, sample in enumerate(samples):
        out.write("\n" if at else "")
        out.write(sample.prompt + sample.text)
        out.end()


def _write_tables(samples: Sequence[LoggedSample], prompts: Sequence[str], whole: bool) -> None:
    left_out = 0
    for number, prompt in enumerate(prompts, start=1):
        rows = [sample for sample in samples if sample.prompt == prompt]
        shown = rows if whole else thinned(rows)
        left_out = max(left_out, len(rows) - len(shown))
        if not shown:
            continue
        click.echo(written(f"{number}  {sanitize_line(prompt)} …"))
        table(
            ("step", "loss", "text"),
            [(f"{one.step:,}", "–" if one.loss is None else fixed(one.loss, 3), written(one.text)) for one in shown],
            numbers=("step", "loss"),
            whole=("step", "loss"),
        )
        click.echo()
    if left_out:
        note(f"{left_out:,} steps are not shown; --all shows them, --json prints them.")


def thinned(samples: Sequence[LoggedSample], most: int = MOST_STEPS) -> list[LoggedSample]:
    """At most `most` of `samples`, at equal distances, the first and the last among them."""
    if len(samples) <= most:
        return list(samples)
    return [samples[round(at * (len(samples) - 1) / (most - 1))] for at in range(most)]
