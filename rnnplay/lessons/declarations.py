"""Checks what a lesson.toml declares, and says everything that is wrong with it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from rnnplay.common.commands import shell_command
from rnnplay.common.toml.repair import Path
from rnnplay.config import RunConfig, knobs, with_values
from rnnplay.errors import ConfigError, InputError
from rnnplay.knobs import shown
from rnnplay.lessons.languages import LANGUAGES
from rnnplay.lessons.lesson import Lesson, Step
from rnnplay.lessons.metrics import METRICS, split_metric
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.workspace import Workspace

_LIMITS = {"ge": "from {} on", "gt": "above {}", "le": "at most {}", "min_length": "with at least {}"}
_KINDS = {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}


class Mistake(NamedTuple):
    """What is wrong in a lesson.toml."""

    path: Path
    """The value that is wrong."""
    sentence: str


def misfits(value: Any, kind: Any = Lesson, path: Path = ()) -> Iterator[Mistake]:
    """Yields each value of a parsed lesson.toml that is missing, unknown, or of another kind than the lesson's."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    parts: list[tuple[Any, Any, Path]] = []
    found: list[Mistake] = []
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct) and isinstance(value, dict):
        fields = {field.name: field for field in msgspec.structs.fields(bare) if path or field.name != "pages"}
        meant: set[str] = set()
        for name in value:
            if name not in fields:
                near = difflib.get_close_matches(name, fields, n=1)
                meant.update(near)
                instead = f"did you mean {near[0]}?" if near else f"what may stand here: {', '.join(fields)}."
                found.append(Mistake((*path, name), f"{name!r} is unknown here; {instead}"))
        for name, field in fields.items():
            if name in value:
                parts.append((value[name], field.type, (*path, name)))
            elif field.required and name not in meant:
                found.append(Mistake((*path, name), f"{name} is missing; it needs to be {_in_words(field.type)}."))
    elif get_origin(bare) is list and isinstance(value, list):
        parts = [(element, get_args(bare)[0], (*path, at)) for at, element in enumerate(value)]
    elif get_origin(bare) is dict and isinstance(value, dict):
        parts = [(element, get_args(bare)[1], (*path, name)) for name, element in value.items()]
    for part in parts:
        found += misfits(*part)
    if not found:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            name = next((str(one) for one in reversed(path) if isinstance(one, str)), "")
            found.append(Mistake(path, f"{name} cannot be {_given(value)}; it needs to be {_in_words(kind)}."))
    yield from found


def problems(lesson: Lesson, languages: Sequence[str] = LANGUAGES) -> list[Mistake]:
    """Returns what is wrong with declarations of the right kind: values that do not go together, or do not exist."""
    values = {name: {"values": declared.values} for name, declared in lesson.variants.items()}
    refused = list(refused_settings({"common": lesson.common, "variants": values}))
    found = [*refused]
    for variant, declared in lesson.variants.items():
        place: Path = ("variants", variant)
        if not set(languages) <= set(declared.title):
            sentence = f"The variant {variant!r} needs a title in each language: {', '.join(languages)}."
            found.append(Mistake((*place, "title"), sentence))
        found += [
            Mistake(
                (*place, "values", knob),
                f"The variant {variant!r} sets {knob!r} to the value that it has in [common]; remove one of the two.",
            )
            for knob, value in declared.values.items()
            if knob in knobs() and lesson.common.get(knob) == value
        ]
        if not refused:
            found += _of_config(lesson, variant)
    lengths = {} if found else {variant: lesson.config(variant).steps for variant in lesson.variants}
    for number, step in enumerate(lesson.steps, 1):
        for at, condition in enumerate(step.conditions):
            where: Path = ("steps", number - 1, "conditions", at)
            try:
                split_metric(condition.metric)
            except ValueError as error:
                sentence = f"Step {number} cannot be measured: {error}; the metrics are {', '.join(METRICS)}."
                found.append(Mistake((*where, "metric"), sentence))
            found += [
                Mistake(where, f"Step {number} looks at the variant {variant!r}, which the lesson does not have.")
                for variant in condition.variants
                if variant not in lesson.variants
            ]
            found += [
                Mistake(
                    where, f"Step {number} is measured from step {condition.after:,} on; {variant!r} ends at {steps:,}."
                )
                for variant, steps in lengths.items()
                if variant in condition.variants and 0 < steps < condition.after
            ]
    return found


def refused_settings(declared: dict[str, Any]) -> Iterator[Mistake]:
    """Yields each setting of a parsed lesson.toml, of [common] and of the variants, that is invalid by itself."""
    tables: list[tuple[Path, Any]] = [(("common",), declared.get("common"))]
    variants = declared.get("variants")
    for name, variant in variants.items() if isinstance(variants, dict) else ():
        if isinstance(variant, dict):
            tables.append((("variants", name, "values"), variant.get("values")))
    for path, values in tables:
        for knob in values if isinstance(values, dict) else ():
            if mistake := _refused(values, knob, path):
                yield mistake


def missing_texts(lesson: Lesson, workspace: Workspace) -> Iterator[Mistake]:
    """Yields each `corpus` of a lesson that does not exist."""
    tables: dict[Path, dict[str, Any]] = {("common",): lesson.common}
    tables |= {("variants", name, "values"): variant.values for name, variant in lesson.variants.items()}
    for path, values in tables.items():
        if "corpus" in values:
            try:
                find_corpus(values["corpus"], workspace)
            except InputError as error:
                yield Mistake((*path, "corpus"), str(error))


def _refused(values: dict[str, Any], knob: str, table: Path) -> Mistake | None:
    """Returns what is wrong with one setting by itself; None if nothing is."""
    if knob not in knobs():
        near = difflib.get_close_matches(knob, knobs(), n=1)
        help_ = shell_command("train", help=True)
        instead = f"did you mean {near[0]}?" if near else f"{help_} lists them (with - for _)."
        return Mistake((*table, knob), f"There is no setting {knob!r}; {instead}")
    try:
        with_values(RunConfig(), {knob: values[knob]})
    except ConfigError as error:
        if error.knob == knob and str(error).startswith(f"{knob} must be"):  # else it may be right with the others
            return Mistake((*table, knob), str(error))
    return None


def _of_config(lesson: Lesson, variant: str) -> list[Mistake]:
    """Returns what is wrong with a variant's settings together, and with what it branches from."""
    place: Path = ("variants", variant)
    declared = lesson.variants[variant]
    try:
        config = lesson.config(variant)
    except ConfigError as error:
        at = (*place, "values", error.knob) if error.knob in declared.values else ("common", error.knob)
        return [Mistake(at, f"The variant {variant!r} cannot be run: {error}")]
    found: list[Mistake] = []
    names = list(lesson.variants)
    if declared.branch and declared.branch not in names[: names.index(variant)]:
        sentence = f"The variant {variant!r} branches from {declared.branch!r}, which is no variant before it."
        found.append(Mistake((*place, "branch"), sentence))
    elif declared.branch:
        try:
            parent = lesson.config(declared.branch)
        except ConfigError:
            return found  # said of that one
        kept = [
            name
            for name, spec in knobs().items()
            if not spec.knob.may_branch(getattr(parent, name), getattr(config, name))
        ]
        if kept:
            sentence = f"The variant {variant!r} branches from {declared.branch!r}, whose {kept[0]} it has to keep."
            found.append(Mistake((*place, "branch"), sentence))
    if declared.learning_rates and config.lr not in declared.learning_rates:
        sentence = f"The variant {variant!r} has a learning rate that is not in its grid: {config.lr:g}."
        found.append(Mistake((*place, "learning_rates"), sentence))
    return found


def _in_words(kind: Any) -> str:
    """Says what a value of the type is, as one writes it in TOML."""
    meta: Sequence[msgspec.Meta] = ()
    if get_origin(kind) is Annotated:
        kind, *meta = get_args(kind)
    limits = [
        text.format(f"{value:g}")
        for one in meta
        for name, text in _LIMITS.items()
        if (value := getattr(one, name)) is not None
    ]
    choices = [word for one in (kind, *get_args(kind)) if get_origin(one) is Literal for word in get_args(one)]
    if choices:
        return f"one of {', '.join(choices)}"
    if kind == list[Step]:
        return "a list, each of its elements headed [[steps]]"
    if get_origin(kind) is list:
        what = "a list, [ … ]," if limits else "a list, [ … ]"
    else:
        what = _KINDS.get(kind, "a table")
    return " ".join((what, ", ".join(limits))).strip()


def _given(value: Any) -> str:
    if isinstance(value, dict | list):
        return ("a table" if isinstance(value, dict) else "a list") if value else "empty"
    return str(value).lower() if isinstance(value, bool) else shown(value)
