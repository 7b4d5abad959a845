"""Compares runs: the settings in which they differ, and how far each has come."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from rnnplay.common.formatting import count_text, duration_text, fixed
from rnnplay.common.terminal_text import sanitize_line
from rnnplay.config import RunConfig, Value, knobs
from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.variants import TOKEN_KNOBS
from rnnplay.runs.checkpoint_state import TrainingState, read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.metrics.records import Finished, Rollback, Step, Validation, best_validation, lowest
from rnnplay.runs.metrics.step_columns import StepColumns
from rnnplay.runs.metrics.thinned import ThinnedLog
from rnnplay.runs.samples.logged import LoggedSample, SampleFile

BLOCK = 100
"""Steps over which a training loss is averaged: that of one step is mostly noise."""
APART = 1.05
"""Runs whose tokens differ by more than this factor are said to have read different amounts."""


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come. Losses are in nats per token; None stands for what is not known."""

    run: str
    created: str
    parameters: int
    vocabulary: int
    step: int
    """The last step on disk."""
    tokens: int | None
    """Tokens read up to there."""
    seconds: float | None
    """Training time up to the last checkpoint."""
    best_validation_loss: float | None
    best_step: int | None
    last_validation_loss: float | None
    best_bits_per_character: float | None
    best_training_loss: float | None
    """The lowest mean over 100 steps; of a run of millions of steps, over those that are read."""
    last_training_loss: float | None
    """The mean over the last 100 steps."""
    rollbacks: int
    ended: str
    """The reason in its last record; "" if it was not ended."""


class Difference(msgspec.Struct, frozen=True):
    """A setting in which the runs differ, with the value of each; None where it has no effect."""

    name: str
    values: list[Value | None]


@dataclass
class Course:
    """What a run recorded, rollbacks applied: steps rise; of a long run most are left out."""

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    last: Step | None = None
    rollbacks: int = 0
    ended: str = ""

    @property
    def tokens_per_step(self) -> float | None:
        """Tokens of a step, on average; None if not known."""
        return self.last.tokens / self.last.step if self.last is not None and self.last.step else None


Measure = Literal["best_validation_loss", "best_bits_per_character"]


@dataclass
class Comparison:
    """Several runs side by side, all lists in their order."""

    runs: list[ComparedRun]
    courses: list[Course]
    differences: list[Difference]
    samples: list[dict[str, LoggedSample]]
    """What each prompt was last completed with, by the prompt."""
    remarks: list[str]
    """What to mind when comparing, one sentence each."""
    measure: Measure | None = "best_validation_loss"
    """What the runs can be ranked by; None where their validation texts differ."""

    @property
    def best(self) -> int | None:
        """The run that is best by `measure`; None without one."""
        found = [None if self.measure is None else getattr(run, self.measure) for run in self.runs]
        values = [math.inf if value is None or math.isnan(value) else value for value in found]
        return values.index(min(values)) if min(values, default=math.inf) < math.inf else None


def compare(folders: Sequence[RunFolder], cache: Path | None = None) -> Comparison:
    """Compares the runs in `folders`, leaving out those that cannot be read.

    Raises InputError for one that is named twice, and where fewer than two are left.
    """
    if len(folders) < 2:
        raise InputError("A comparison takes two runs or more; name another one.")
    paths = [folder.path.resolve() for folder in folders]
    twice = next((folder.name for at, folder in enumerate(folders) if paths[at] in paths[:at]), None)
    if twice is not None:
        raise InputError(f"The run {twice!r} is named twice; name each once.")
    infos: list[RunInfo] = []
    courses: list[Course] = []
    kept: list[RunFolder] = []
    left_out: list[str] = []
    for folder in folders:
        try:
            info, course = folder.info(), read_course(folder, cache)
        except (RnnplayError, OSError) as error:
            left_out.append(str(error))
            continue
        infos.append(info)
        courses.append(course)
        kept.append(folder)
    if len(kept) < 2:
        raise InputError(left_out[0])
    runs = [_compared(*parts) for parts in zip(kept, infos, courses, strict=True)]
    samples = [{one.prompt: one for one in SampleFile(folder.path).read()} for folder in kept]
    told = [*remarks(infos, runs), *(f"One run is left out. {why}" for why in left_out)]
    configs = [info.config for info in infos]
    return Comparison(runs, courses, differences(configs), samples, told, _measure(infos))


def _measure(infos: Sequence[RunInfo]) -> Measure | None:
    if _differ(infos, _validated_on):
        return None
    return "best_bits_per_character" if _differ(infos, _tokenization) else "best_validation_loss"


def _validated_on(info: RunInfo) -> tuple[str, str]:
    return info.corpus_sha256, info.config.split


def _tokenization(info: RunInfo) -> tuple[object, ...]:
    return info.vocabulary, *(getattr(info.config, name) for name in TOKEN_KNOBS)


def read_course(folder: RunFolder, cache: Path | None = None) -> Course:
    """Reads what a run recorded. Raises InputError, or OSError."""
    course = Course()
    for item in ThinnedLog(folder.log, cache).read():
        match item:
            case StepColumns():
                course.steps += item.step
                course.losses += item.loss
                if item.last:
                    course.last = item.last[-1]
                course.ended = ""
            case Step():
                course.steps.append(item.step)
                course.losses.append(item.loss)
                course.last, course.ended = item, ""
            case Validation():
                course.validations.append(item)
            case Rollback():
                course.rollbacks += 1
                while course.steps and course.steps[-1] > item.to:
                    course.steps.pop()
                    course.losses.pop()
                course.validations = [one for one in course.validations if one.step <= item.to]
            case Finished():
                course.ended = item.reason
            case _:
                pass
    return course


def differences(configs: Sequence[RunConfig]) -> list[Difference]:
    """Returns the knobs whose values differ, among those that have an effect."""
    found = []
    for name, spec in knobs().items():
        values = [getattr(config, name) if spec.relevant(config) else None for config in configs]
        if any(value != values[0] for value in values):
            found.append(Difference(name, values))
    return found


def remarks(infos: Sequence[RunInfo], runs: Sequence[ComparedRun]) -> list[str]:
    """Returns what to mind when the losses of these runs are compared."""
    found = []
    configs = [info.config for info in infos]
    if _differ(infos, _validated_on):
        found.append("Their validation texts differ, so their losses are not of the same thing.")
    elif _differ(infos, _tokenization):
        found.append("Their tokens differ: compare bits per character rather than losses.")
    if _differ(configs, lambda config: config.eval_tokens):
        found.append("They were validated on different amounts of text.")
    read = [run.tokens for run in runs if run.tokens]
    if read and max(read) > APART * min(read):
        found.append(f"They have read from {min(read):,} to {max(read):,} tokens.")
    return found


def _differ(items: Sequence[RunInfo] | Sequence[RunConfig], told: Callable[..., object]) -> bool:
    return any(told(item) != told(items[0]) for item in items)


def value_text(name: str, value: Value | None) -> str:
    """Formats the value of the knob `name`, 0 in the words of the form; "–" where it has no effect."""
    if value is None:
        return "–"
    spec = knobs()[name]
    return f"{value:,}" if spec.kind == "int" and value else sanitize_line(spec.text(value))


def _compared(folder: RunFolder, info: RunInfo, course: Course) -> ComparedRun:
    best = best_validation(course.validations)
    blocks = _blocks(course.losses)
    state = _last_state(folder)
    kept = state if not course.steps and not course.validations else None  # what it recorded was lost
    seen = kept.validations if kept is not None and kept.validations.best_step >= 0 else None
    return ComparedRun(
        run=folder.name,
        created=info.created,
        parameters=info.parameters,
        vocabulary=info.vocabulary,
        step=course.steps[-1] if course.steps else kept.step if kept is not None else 0,
        tokens=course.last.tokens if course.last is not None else kept.tokens if kept is not None else None,
        seconds=None if state is None else state.seconds,
        best_validation_loss=best.loss if best is not None else seen.best_loss if seen is not None else None,
        best_step=best.step if best is not None else seen.best_step if seen is not None else None,
        last_validation_loss=course.validations[-1].loss if course.validations else seen.last_loss if seen else None,
        best_bits_per_character=None if best is None else best.bits_per_character,
        best_training_loss=lowest(blocks),
        last_training_loss=blocks[-1] if blocks else None,
        rollbacks=course.rollbacks,
        ended=course.ended,
    )


def _blocks(losses: Sequence[float]) -> list[float]:
    """Means of blocks of BLOCK losses, the last of which ends with the last loss."""
    first = len(losses) % BLOCK if len(losses) >= BLOCK else 0
    return [sum(losses[at : at + BLOCK]) / len(losses[at : at + BLOCK]) for at in range(first, len(losses), BLOCK)]


def _last_state(folder: RunFolder) -> TrainingState | None:
    checkpoints = folder.checkpoints()
    return read_state(checkpoints[-1].path) if checkpoints else None


def measured_text(run: ComparedRun, name: str) -> str:
    """Formats what is measured of a run, by the name of its field; "–" where it is not known."""
    value = getattr(run, name)
    if value is None or value == "":
        return "–"
    match name:
        case "tokens":
            return count_text(value)
        case "seconds":
            return duration_text(value) or "–"
        case "step" | "best_step" | "rollbacks":
            return f"{value:,}"
        case "ended":
            return str(value)
    return fixed(value, 4)
