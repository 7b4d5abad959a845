"""Writes the outcome of a race: the table, what it shows, and the commands to go on with."""

from __future__ import annotations

from collections.abc import Sequence

import click

from rnnplay.cli.support.console import corpus_name, note, printable, table
from rnnplay.cli.support.session import Session
from rnnplay.cli.support.training.race_reporters import ENDS, amount_text, loss_text
from rnnplay.common.formatting import count_text
from rnnplay.experiments.conclusion import Conclusion, Outcome
from rnnplay.experiments.race import Race
from rnnplay.experiments.race_plan import RacePlan
from rnnplay.runs.folder import RunFolder


def tell_outcome(session: Session, plan: RacePlan, conclusion: Conclusion) -> None:
    """Writes the table of a race, whether seeds tell the variants apart, and what to do with the best run."""
    what = "bits per character" if plan.quality == "bits_per_character" else "validation loss"
    places = [f"at {amount_text(at, conclusion.measure)}" if at else "each at its end" for at in conclusion.at]
    compared = ", ".join(dict.fromkeys(places))
    click.echo(printable(f"{corpus_name(plan.setup.corpus)}: {conclusion.by} {what}, compared {compared}."))
    repeats = plan.repeats > 1
    columns = ("rank", "variant", *(("mean", "range", "seeds") if repeats else ("valid", "steps")))
    columns = (*columns, "tok/s", "hidden", "params", "died", "run")
    rows = [_row(number, one, repeats, plan.parameters) for number, one in enumerate(conclusion.variants, 1)]
    if not any(row[-2] for row in rows):  # a column less for a narrow terminal
        columns, rows = (*columns[:-2], columns[-1]), [(*row[:-2], row[-1]) for row in rows]
    table(columns, rows, numbers=[name for name in columns if name not in ("variant", "run")], whole=("run",))
    if repeats:
        for sentence in conclusion.told_apart:
            click.echo(printable(sentence))
    elif conclusion.told_apart:
        again = "" if "--resume" in session.words else session.again(repeat=3)
        click.echo(
            f"With one seed a small difference may be noise{'; for means and ranges over three:' if again else '.'}"
        )
        if again:
            click.echo(printable(f"  {again}"))
    if conclusion.best_run is not None:
        workspace = session.workspace
        click.echo(printable(f"Write with the best: {workspace.command('generate', conclusion.best_run)}"))
        click.echo(printable(f"Look inside it: {workspace.command('inspect', conclusion.best_run)}"))


def _row(number: int, one: Outcome, repeats: bool, wanted: int | None) -> tuple[str, ...]:
    """The cells of a variant; `wanted`: the number of parameters that its own was matched to, None if it was not."""
    spread = one.spread
    mean = loss_text(spread.mean if spread else None)
    figures: tuple[str, ...] = (mean, f"{one.steps[0]:,}")
    if repeats:
        ranged = f"{loss_text(spread.low)} to {loss_text(spread.high)}" if spread else ""
        figures = (mean, ranged, str(spread.n if spread else 0))
    speed = count_text(one.tokens_per_second) if one.tokens_per_second else ""
    parameters = count_text(one.parameters) if one.parameters else ""
    if wanted and one.parameters:
        parameters = f"{one.parameters:,} ({one.parameters / wanted - 1:+.1%})"
    size = (f"{one.hidden:,}", parameters)
    died = ", ".join(f"× {step:,}" for step in one.died if step is not None) or ("failed" if one.failures else "")
    return (str(number) if spread else "", one.label, *figures, speed, *size, died, one.runs[0])


def already_over(races: Sequence[Race]) -> str:
    """Says which variants of a race that is resumed are not trained on, and why; "" if all are."""
    parts = []
    for race in races:
        for entry in race.entries:
            seed = f" with seed {entry.variant.config.seed}" if len(races) > 1 else ""
            if entry.over:
                parts.append(f"{entry.variant.label}{seed} ({ENDS.get(entry.state, entry.state)})")
    return f"Not trained on: {', '.join(parts)}." if parts else ""


def tell_onward(session: Session, races: Sequence[Race]) -> None:
    """Says how to go on with a race whose runs were stopped or whose engines failed."""
    if runs := _cut_off(session, races):
        note(f"To {how_to_go_on(session, races)}")
        note(f"Or with one run of it alone: {session.workspace.command('train', resume=True, run=runs[0])}")


def how_to_go_on(session: Session, races: Sequence[Race]) -> str:
    """Returns how to go on with a race that was cut off, or how to start anew if nothing of it is left."""
    if not _cut_off(session, races):
        return f"start it again with: {session.again()}"
    name = "-".join(races[0].entries[0].run.split("-")[:2])
    return f"go on with the race: {session.workspace.command('race', resume=name)}"


def _cut_off(session: Session, races: Sequence[Race]) -> list[str]:
    """Names of the runs that were stopped or whose engines failed, and that have a checkpoint."""
    cut = ("", "stopped", "failed")
    runs = [entry.run for race in races for entry in race.entries if entry.progress.ended in cut]
    return [run for run in runs if RunFolder(session.workspace.checkpoints / run).checkpoints()]


def no_result(races: Sequence[Race]) -> str:
    """Says why a race has no result."""
    whys = dict.fromkeys(entry.why for race in races for entry in race.entries if entry.why)
    if whys:
        return f"No variant could be trained to a validation. {' '.join(whys)}"
    return (
        "No variant has a finite validation loss: all diverged or ended before the first validation. Choose a smaller "
        "--lr, clip with --clip norm, or validate sooner with --eval-every."
    )
