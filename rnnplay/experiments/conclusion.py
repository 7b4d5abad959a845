"""What a race has shown: each variant's figure over its seeds, and whether they tell the variants apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from rnnplay.experiments.fairness import Spread, spread, told_apart
from rnnplay.experiments.race import Race
from rnnplay.experiments.race_plan import RacePlan
from rnnplay.experiments.sharing import Measure
from rnnplay.experiments.standings import By, Quality, Standings


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a variant reached."""

    label: str
    runs: list[str]
    """Names of its runs, one a seed."""
    seeds: list[int]
    figures: list[float | None]
    """By run, what it was ranked by; None without a finite value."""
    spread: Spread | None
    """Mean and range of the finite figures; None if there are none."""
    parameters: int
    hidden: int
    steps: list[int]
    """By run, the steps done."""
    tokens_per_second: float
    """Over the training time of all its runs, validations and checkpoints included."""
    died: list[int | None]
    """The steps at which its runs diverged."""
    failures: list[str]
    """Why runs of it could not be trained, in sentences."""


class Conclusion(msgspec.Struct, frozen=True, kw_only=True, tag="result"):
    """The outcome of a race, best variant first."""

    measure: Measure
    at: list[float]
    """By seed: how many steps, tokens or seconds the variants had in common where they are compared."""
    by: By
    quality: Quality
    variants: list[Outcome]
    best_run: str | None
    """The run with the best figure of the best variant; None if there is none."""
    told_apart: list[str]
    """For each variant but the best, in a sentence, whether the seeds tell it from the best."""


def conclude(plan: RacePlan, races: Sequence[Race]) -> Conclusion:
    """Concludes from the races of `plan`, one a seed; one that was stopped counts only if no other has ended."""
    races = [
        race for race in races if not any(entry.progress.ended in ("", "stopped") for entry in race.entries)
    ] or races
    tables = [race.standings() for race in races]
    outcomes = [_outcome(variant.label, races, tables) for variant in plan.variants]
    outcomes.sort(key=lambda one: one.spread.mean if one.spread else math.inf)
    found = [(one.label, one.spread) for one in outcomes if one.spread is not None]
    return Conclusion(
        measure=plan.measure,
        at=[table.at for table in tables],
        by=plan.by,
        quality=plan.quality,
        variants=outcomes,
        best_run=_best_run(outcomes[0]),
        told_apart=[told_apart(found[0], other) for other in found[1:]],
    )


def _outcome(label: str, races: Sequence[Race], tables: Sequence[Standings]) -> Outcome:
    entries = [entry for race in races for entry in race.entries if entry.variant.label == label]
    rows = [row for table in tables for row in table.rows if row.label == label]
    seconds = sum(row.seconds for row in rows)
    figures = [row.equal if row.rank else None for row in rows]
    return Outcome(
        label=label,
        runs=[entry.run for entry in entries],
        seeds=[entry.variant.config.seed for entry in entries],
        figures=figures,
        spread=spread([figure for figure in figures if figure is not None]),
        parameters=max(row.parameters for row in rows),
        hidden=entries[0].variant.config.hidden,
        steps=[row.step for row in rows],
        tokens_per_second=sum(row.tokens for row in rows) / seconds if seconds else 0.0,
        died=[row.died for row in rows],
        failures=[entry.why for entry in entries if entry.why],
    )


def _best_run(outcome: Outcome) -> str | None:
    rated = [(figure, run) for figure, run in zip(outcome.figures, outcome.runs, strict=True) if figure is not None]
    return min(rated)[1] if rated else None
