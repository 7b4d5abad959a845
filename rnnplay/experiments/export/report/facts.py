"""What a report says about a run: its measures, settings, validations, events, samples, and how to train it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.commands import quoted
from rnnplay.common.formatting import count_text, duration_text, fixed, model_text, moment_text, unknown_text
from rnnplay.config import GROUPS, RunConfig, knobs
from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.export.curves import Curves
from rnnplay.experiments.export.kept_records import kept_records
from rnnplay.knob_texts import corpus_label, corpus_parts
from rnnplay.knobs import typed
from rnnplay.presets import preset_config
from rnnplay.runs.browsing.parents import Origin, find_origin
from rnnplay.runs.checkpoint_state import TrainingState, read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.metrics.event_text import ENDS, event_text
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record, Step, Validation, best_validation
from rnnplay.runs.samples.logged import LoggedSample, SampleFile
from rnnplay.workspace import Workspace

MOST_ROWS = 200
"""Validations and events in a report; of more validations, a part, and of more events the last ones."""
MOST_SAMPLES = 6
"""Texts shown for each prompt, from the first to the last."""
SAMPLE_TOKENS = 400
_LONGEST_MEANING = 24


@dataclass(frozen=True)
class Setting:
    """A knob in the table of settings."""

    name: str
    value: str
    changed: bool
    """Whether it differs from the default."""
    help: str


@dataclass(frozen=True)
class Event:
    """What happened to the run at a step."""

    step: str
    text: str
    undone: bool


@dataclass(frozen=True)
class Facts:
    """Everything that the page shows, except its charts; all texts as they are, not yet escaped."""

    run: str
    model: str
    corpus: str
    created: str
    status: str
    measures: list[tuple[str, str, str]]
    """Name, value, and a remark."""
    settings: list[tuple[str, list[Setting]]]
    """By group."""
    validations: list[Validation]
    best_step: int | None
    """The step of the lowest finite loss."""
    left_out: int
    """Validations that are not in the list."""
    events: list[Event]
    samples: list[tuple[str, list[LoggedSample]]]
    """By prompt."""
    command: str
    repeatability: str


def facts(run: RunFolder, curves: Curves) -> Facts:
    """Collects everything. Raises InputError for files that cannot be used."""
    info = run.info()
    state = _state(run)
    origin = find_origin(info.parent, Workspace(run.path.parent.parent)) if info.parent is not None else None
    validations, events, finished = _records(run)
    best = best_validation(validations)
    shown = _spread(validations, MOST_ROWS)
    if best is not None and best not in shown:
        shown = sorted([*shown, best], key=lambda one: one.step)
    return Facts(
        run=run.name,
        model=model_text(info.config.cell, info.config.nonlinearity, info.config.layers, info.config.hidden),
        corpus=corpus_name(info.config),
        created=moment_text(info.created),
        status=_status(finished, curves, state),
        measures=list(_measures(info, state, validations, curves)),
        settings=_settings(info.config),
        validations=shown,
        best_step=best.step if best is not None else None,
        left_out=len(validations) - len(shown),
        events=events,
        samples=_samples(run),
        command=command_for(info, origin.name if origin is not None else ""),
        repeatability=_repeatability(info, state, origin),
    )


def corpus_name(config: RunConfig) -> str:
    """The corpus's name; of a path the file's name, as folders are nobody's business."""
    return corpus_label(config.corpus, suffix=False)


def command_for(info: RunInfo, origin: str = "") -> str:
    """The command that trains such a run: what differs from the preset that `rnnplay train` begins with.

    `origin`: the checkpoint that it was branched from, as --from takes it.
    """
    config, usual = info.config, preset_config()
    lengths = ("steps", "epochs", "minutes")
    words = ["rnnplay", "train"]
    if origin:
        words += ["--from", origin]
        if info.parent is not None and info.parent.shrink != 1:
            words += ["--shrink", f"{info.parent.shrink:g}"]
    if not any(getattr(config, name) for name in lengths):
        words += ["--minutes", "0"]
    for name, spec in knobs().items():
        value = getattr(config, name)
        if name in lengths and not value:
            continue
        if value == getattr(usual, name) and not (name in lengths and any(getattr(config, one) for one in lengths)):
            continue
        if name == "corpus":
            value = ",".join(Path(part).name if Path(part).is_absolute() else part for part in corpus_parts(value))
        if isinstance(value, bool):
            words.append(spec.option if value else f"--no-{spec.option[2:]}")
        else:
            words += [spec.option, f"{value:.10g}" if isinstance(value, float) else str(value)]
    return " ".join(map(quoted, words))


def _state(run: RunFolder) -> TrainingState | None:
    """The state at the latest checkpoint, if there is one that can be read."""
    found = run.checkpoints()
    return read_state(found[-1].path) if found else None


def _records(run: RunFolder) -> tuple[list[Validation], list[Event], Finished | None]:
    validations: list[Validation] = []
    events: list[Event] = []
    finished: Finished | None = None
    for record, undone in kept_records(run.log):
        if isinstance(record, Step):
            finished = None
        elif isinstance(record, Validation):
            if not undone:
                validations.append(record)
        elif not isinstance(record, Checkpoint):
            finished = record if isinstance(record, Finished) else finished
            events.append(Event(f"{record.step:,}", _event(record), undone))
    return validations, events[-MOST_ROWS:], finished


def _event(record: Record) -> str:
    if isinstance(record, Finished):
        return ENDS.get(record.reason, record.reason)
    return event_text(record)


def _status(finished: Finished | None, curves: Curves, state: TrainingState | None) -> str:
    if finished is None:
        step = max(curves.last_step, state.step if state is not None else 0)  # what it recorded may be lost
        return f"in training or interrupted, step {step:,}"
    return f"{ENDS.get(finished.reason, finished.reason)}, step {finished.step:,}"


def _measures(
    info: RunInfo, state: TrainingState | None, validations: list[Validation], curves: Curves
) -> Iterator[tuple[str, str, str]]:
    if (best := best_validation(validations)) is not None:
        unknown = unknown_text(best.unknown_fraction)
        yield "validation loss", fixed(best.loss, 4), f"nats per token, best, step {best.step:,}"
        yield "perplexity", fixed(best.perplexity, 3), f"e to the loss{unknown and ', '}{unknown}"
        yield "bits per character", fixed(best.bits_per_character, 4), "of the validation text"
    yield "parameters", f"{info.parameters:,}", f"{info.vocabulary:,} different tokens"
    if state is not None:
        yield "training time", duration_text(state.seconds), "minutes:seconds" if state.seconds < 3600 else ""
        if state.seconds > 0:
            yield "speed", f"{count_text(state.tokens / state.seconds)} tokens/s", "mean, validations included"
        yield "tokens read", count_text(state.tokens), f"{state.epoch:.2f} epochs, {state.step:,} steps"
    if len(curves.norm):
        fraction = float((curves.clipped < curves.norm).mean())
        yield "clipped steps", f"{fraction:.0%}", "of all steps"


def _settings(config: RunConfig) -> list[tuple[str, list[Setting]]]:
    groups: dict[str, list[Setting]] = {}
    for name, spec in knobs().items():
        if spec.relevant(config):
            value = getattr(config, name)
            shown = corpus_name(config) if name == "corpus" else _value(value)
            if 0 < len(meaning := spec.meaning(value)) <= _LONGEST_MEANING:
                shown = f"{typed(value)}: {meaning}"
            setting = Setting(name, shown, value != spec.default, spec.knob.help)
            groups.setdefault(GROUPS[spec.knob.group], []).append(setting)
    return list(groups.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _spread(values: list[Validation], most: int) -> list[Validation]:
    """At most `most` of the values, evenly over the list, its ends included."""
    if len(values) <= most:
        return values
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]


def _repeatability(info: RunInfo, state: TrainingState | None, origin: Origin | None) -> str:
    used = f"rnnplay {info.rnnplay}, torch {info.torch}"
    if state is not None:
        threads = "1 thread" if state.threads == 1 else f"{state.threads} threads"
        used += f", {state.device}, {state.precision}" + (f", {threads}" if state.device == "cpu" else "")
    parent = f"; branched from {origin.text}" if origin is not None else ""
    return f"{used}; text with SHA-256 {info.corpus_sha256}{parent}"


def _samples(run: RunFolder) -> list[tuple[str, list[LoggedSample]]]:
    """What the fixed prompts were completed with, some of the steps; a sample of now if none were kept."""
    by_prompt: dict[str, list[LoggedSample]] = {}
    for sample in SampleFile(run.path).read():
        by_prompt.setdefault(sample.prompt, []).append(sample)
    for samples in by_prompt.values():
        places = {round((len(samples) - 1) * (at / (MOST_SAMPLES - 1)) ** 2) for at in range(MOST_SAMPLES)}
        samples[:] = [samples[place] for place in sorted(places)]  # closer at the beginning, where more changes
    if by_prompt:
        return list(by_prompt.items())
    now = _sample_now(run)
    return [("", [now])] if now else []


def _sample_now(run: RunFolder) -> LoggedSample | None:
    """What the model writes on its own; None if there is no model that could."""
    from rnnplay.config import SamplingConfig

    try:
        best = run.checkpoint("latest")
        from rnnplay.model.generation.sampling import generate  # loads torch
        from rnnplay.training.checkpointing.checkpoints import load_model

        model, tokenizer, step = load_model(run, str(best.step))
        pieces = generate(model, tokenizer, "", SamplingConfig(length=SAMPLE_TOKENS, seed=1))
        return LoggedSample(step=step, prompt="", text="".join(pieces))
    except (InputError, RnnplayError):
        return None
