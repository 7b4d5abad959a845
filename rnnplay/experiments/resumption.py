"""Finds a race that was stopped, from its runs alone, so that it can go on as a race."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import msgspec

from rnnplay.common.commands import quoted
from rnnplay.config import RunConfig, Value, knobs, with_values
from rnnplay.errors import ConfigError, FinishedError, InputError
from rnnplay.experiments.sharing import Reached
from rnnplay.experiments.standings import Progress, Validated
from rnnplay.experiments.variants import Variant, labels_of
from rnnplay.runs.checkpoint_state import TrainingState, check_kept, read_state
from rnnplay.runs.folder import RunFolder, names_in
from rnnplay.runs.lock import RunLock, holder
from rnnplay.runs.management.notes import RunNotes, changed_tags, read_notes, write_notes
from rnnplay.runs.metrics.records import Rollback, Started, Tuned, Validation
from rnnplay.runs.metrics.thinned import ThinnedLog
from rnnplay.training.length import LENGTHS, ends_at_once
from rnnplay.workspace import Workspace

_RUN = re.compile("(race-[0-9]{2,9})-.+")
DROPPED = "dropped"
"""The tag of a run that was dropped from its race."""
SIZES = ("hidden", "embedding")
"""Knobs that may differ because parameters were matched; labels leave them out where they can, as they do lengths."""


class StoppedRace(NamedTuple):
    """The runs of a race, one list a seed, and how far each is."""

    variants: list[list[Variant]]
    runs: list[list[str]]
    progress: dict[str, Progress]
    """By the name of the run."""


@contextmanager
def held(name: str, workspace: Workspace) -> Iterator[None]:
    """Keeps other processes from going on with the race, of which each would get some runs.

    Raises InputError if one does already. Where nothing can be written or locked it keeps nothing.
    """
    lock = None
    if re.fullmatch("race-[0-9]{2,9}", name):
        with suppress(OSError):
            folder = workspace.cache / "races" / name
            folder.mkdir(parents=True, exist_ok=True)
            lock = RunLock.take(folder, "race")
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def find_stopped(name: str, workspace: Workspace, changes: Mapping[str, Any]) -> StoppedRace:
    """Finds the race whose runs are called `name` and the variant, `changes` being knobs that change from here on.

    Raises InputError if there is none, or a run of it cannot be read or is being trained, and ConfigError for invalid
    changes.
    """
    names = names_in(workspace.checkpoints)
    folders = [
        RunFolder(workspace.checkpoints / run) for run in names if (match := _RUN.fullmatch(run)) and match[1] == name
    ]
    folders = [folder for folder in folders if folder.holds_run() and folder.checkpoints()]
    if len(folders) < 2:
        if folders:
            raise InputError(
                f"Of the race {quoted(name[:60])} only {folders[0].name} can go on; the others were renamed or "
                "removed, or have no checkpoint."
            )
        known = list(dict.fromkeys(match[1] for run in names if (match := _RUN.fullmatch(run))))
        there = f"the races are {', '.join(known[-20:])}" if known else "there is no race at all"
        raise InputError(f"There is no race {quoted(name[:60])} in {workspace.checkpoints}; {there}.")
    for folder in folders:
        if (by := holder(folder.path)) is not None:
            raise InputError(f"{folder.name}, a run of {name}, is being trained by {by}; stop it there first.")
    before = {folder.name: folder.info().config for folder in folders}
    for knob in changes:
        # Lengths differ where only some were given another one: those that had ended kept theirs.
        if knob not in LENGTHS and len({getattr(config, knob) for config in before.values()}) > 1:
            raise ConfigError(knob, f"{knob} is what varies in {name}, so it cannot be changed for all; leave it out.")
    configs = {run: with_values(config, changes) for run, config in before.items()}
    for run, config in before.items():
        check_kept(run, config, configs[run])
    progress = {folder.name: progress_of(folder, before[folder.name], configs[folder.name]) for folder in folders}
    if all(one.ended for one in progress.values()):
        lengths = {length: max(getattr(config, length) for config in before.values()) for length in LENGTHS}
        longer = {length: 2 * value for length, value in lengths.items() if value}
        raise FinishedError(
            f"All runs of {name} have ended; to go on, give them more {' or '.join(longer) or 'rollbacks'}.", longer
        )
    seeds = sorted({config.seed for config in configs.values()})
    if any(sum(config.seed == seed for config in configs.values()) < 2 for seed in seeds):
        seeds = []  # the seed is what was varied
    races = [[run for run, config in configs.items() if config.seed == seed] for seed in seeds] or [list(configs)]
    stems = {run: run.removesuffix(f"-seed-{config.seed}") if seeds else run for run, config in configs.items()}
    firsts: dict[str, RunConfig] = {}
    for (
        run,
        config,
    ) in before.items():  # a variant has the same label whatever its seed, and whatever a rollback changed
        firsts.setdefault(stems[run], with_values(config, {"seed": 0}) if seeds else config)
    tuned = {item.knob for folder in folders for item in ThinnedLog(folder.log).read() if isinstance(item, Tuned)}
    labelled = _labelled({stem.removeprefix(f"{name}-"): config for stem, config in firsts.items()}, tuned)
    return StoppedRace(
        variants=[
            [
                msgspec.structs.replace(labelled[stems[run].removeprefix(f"{name}-")], config=configs[run])
                for run in race
            ]
            for race in races
        ],
        runs=races,
        progress=progress,
    )


def known_as(run: str, workspace: Workspace) -> str:
    """A sentence about the race or the study that knows a run by its name; "" if none does."""
    from rnnplay.experiments.sweep.studies import study_names

    if match := _RUN.fullmatch(run):
        others = [name for name in names_in(workspace.checkpoints) if name.startswith(f"{match[1]}-") and name != run]
        return f"The race {match[1]} knows it by this name, and goes on without it." if others else ""
    study, _, number = run.rpartition("-")
    if number.isdecimal() and study in study_names(workspace):
        return f"The study {study} knows it by this name; unless the trial has ended, it begins anew."
    return ""


def _labelled(configs: Mapping[str, RunConfig], tuned: Collection[str]) -> dict[str, Variant]:
    """Labels variants, given by their names within runs' names, by the knobs in which their configs differ.

    Knobs that were tuned while they trained no longer say what was varied; where labels need them, names do.
    """
    specs = knobs()
    differing = [name for name in specs if len({getattr(config, name) for config in configs.values()}) > 1]
    for left_out in ({*SIZES, *LENGTHS, *tuned}, {*SIZES, *tuned}, tuned):
        changes = [
            {name: getattr(config, name) for name in differing if specs[name].relevant(config) and name not in left_out}
            for config in configs.values()
        ]
        labels = labels_of(changes)
        if len(set(labels)) == len(labels):
            break
    else:
        changes = [_varied_in(stem) for stem in configs]
        labels = labels_of(changes) if all(changes) else [_as_label(stem) for stem in configs]
    return {
        name: Variant(label=label, config=config, changed=changed)
        for (name, config), label, changed in zip(configs.items(), labels, changes, strict=True)
    }


def race_labels(folders: Sequence[RunFolder]) -> dict[str, str]:
    """Returns the label of each run's variant, if all are of one race; {} if not. Runs of several seeds share one.

    Raises InputError for a run that cannot be read.
    """
    races = {match[1] if (match := _RUN.fullmatch(folder.name)) else "" for folder in folders}
    if len(races) != 1 or "" in races:
        return {}
    race = races.pop()
    configs = {folder.name: folder.info().config for folder in folders}
    stems = {
        name: name.removesuffix(f"-seed-{config.seed}").removeprefix(f"{race}-") for name, config in configs.items()
    }
    firsts: dict[str, RunConfig] = {}
    for name, config in configs.items():
        firsts.setdefault(stems[name], config)
    if len(firsts) < 2:
        return {}
    tuned = {item.knob for folder in folders for item in ThinnedLog(folder.log).read() if isinstance(item, Tuned)}
    labelled = _labelled(firsts, {*tuned, "seed"} if len(firsts) < len(configs) else tuned)
    return {name: labelled[stem].label for name, stem in stems.items()}


def _varied_in(stem: str) -> dict[str, Value]:
    """Returns the knobs and values of which the name of a variant consists, such as lr-0.1; {} if it says more."""
    specs = knobs()
    places = [match for match in re.finditer("(?:^|-)([a-z][a-z_]*)-", stem) if match[1] in specs]
    if not places or places[0].start():
        return {}
    ends = [*(match.start() for match in places[1:]), len(stem)]
    given = {match[1]: stem[match.end() : end] for match, end in zip(places, ends, strict=True)}
    return {name: specs[name].parse(text) for name, text in given.items() if specs[name].takes(text)}


def _as_label(stem: str) -> str:
    """Returns the name of a variant in the words of its label: "clip 0.25"."""
    first, _, rest = stem.partition("-")
    return f"{first} {rest}" if first in knobs() and rest else stem


def progress_of(folder: RunFolder, before: RunConfig, config: RunConfig) -> Progress:
    """Returns what a run with the config `before` has done up to its last checkpoint, and whether it ends there.

    With `config` it goes on, unless it has reached that length, was dropped or has diverged.

    The training time of a validation is not on disk; it follows from its step, as if the pace had been even.
    """
    state = read_state(folder.checkpoint("latest").path)
    progress = Progress()
    info = folder.info()
    progress.started = Started(
        run=folder.name, parameters=info.parameters, vocabulary=info.vocabulary, device=state.device
    )
    for item in ThinnedLog(folder.log).read():
        if isinstance(item, Validation) and item.step <= state.step:
            at = Reached(item.step, *_part(state, item.step))
            progress.validations.append(Validated(at, item.loss, item.bits_per_character))
        elif isinstance(item, Rollback):
            progress.take(item)
    progress.reached = Reached(state.step, state.tokens, state.seconds)
    progress.ended = _ending(folder, before, config, state)
    progress.died = state.step if progress.ended == "diverged" else None
    return progress


def _ending(folder: RunFolder, before: RunConfig, config: RunConfig, state: TrainingState) -> str:
    """Why a run does not go on; "" if it does."""
    if state.finished == "diverged" and not any(getattr(before, name) != getattr(config, name) for name in LENGTHS):
        return "diverged"
    if ended := ends_at_once(before, config, state):
        return ended
    return "dropped" if was_dropped(folder) else ""


def was_dropped(folder: RunFolder) -> bool:
    """Whether the run was dropped from its race."""
    try:
        return DROPPED in read_notes(folder.path).tags
    except InputError:
        return False


def tag_dropped(folder: RunFolder) -> None:
    """Tags a run as dropped from its race, so that it stays out when that goes on. Raises InputError."""
    notes = read_notes(folder.path)
    write_notes(folder.path, RunNotes(notes.note, changed_tags(notes.tags, DROPPED)))


def _part(state: TrainingState, step: int) -> tuple[int, float]:
    fraction = step / state.step if state.step else 0.0
    return round(fraction * state.tokens), fraction * state.seconds
