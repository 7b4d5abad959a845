"""Names of the runs of a race, race-03-lstm: by them a race is known, and found again."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rnnplay.common.files import as_name, is_name
from rnnplay.experiments.variants import Variant
from rnnplay.runs.naming import reserve_runs
from rnnplay.workspace import Workspace


def run_names(races: Sequence[Sequence[Variant]], taken: Collection[str], number: int | None = None) -> list[list[str]]:
    """Names the runs of races that belong together, none as one of `taken`: race-03-lstm, race-03-lstm-seed-2.

    `number`: that of the race, if there are runs of it already; None for a new one.
    """
    if number is None:
        number = max(map(race_number, taken), default=0) + 1
    names: list[list[str]] = []
    used = set(taken)
    for at, race in enumerate(races):
        names.append([])
        for variant in race:
            seed = f"-seed-{variant.config.seed}" if at else ""
            stem = f"race-{number:02d}-{_label_in_name(variant.label)}"
            name, again = f"{stem}{seed}", 1
            while name in used:
                again += 1
                name = f"{stem}-{again}{seed}"
            used.add(name)
            names[-1].append(name)
    return names


def reserve_names(
    races: Sequence[Sequence[Variant]], workspace: Workspace, number: int | None = None, taken: Collection[str] = ()
) -> list[list[str]]:
    """Names the runs as `run_names` does, and creates their folders, so that no other race has the same number."""

    def flat(there: Collection[str]) -> list[str]:
        return [name for race in run_names(races, {*there, *taken}, number) for name in race]

    names = iter(reserve_runs(flat, workspace))
    return [[next(names) for _ in race] for race in races]


def race_number(run: str) -> int:
    """Returns the number of the race that a run is named after; 0 if it is named otherwise."""
    match = re.match("race-([0-9]{2,9})-", run)
    return int(match[1]) if match else 0


def _label_in_name(label: str) -> str:
    words = re.split("[ =]+", label.lower())
    named = "-".join(filter(None, (word if is_name(word, 40) else as_name(word, 40) for word in words)))
    return named if is_name(named, 40) else as_name(named, 40) or "variant"
