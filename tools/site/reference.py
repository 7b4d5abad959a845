"""Makes the pages of reference from the program itself: every command's --help, every key, every line of JSON."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import msgspec

from rnnplay.cli.main import program
from rnnplay.cli.support.completion_server import Request
from rnnplay.cli.support.session import Session
from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.inspection.results import GradientCurve, Result
from rnnplay.runs.info import Parent, RunInfo
from rnnplay.runs.metrics.records import Record
from rnnplay.runs.samples.logged import LoggedSample
from rnnplay.runs.samples.written import Written
from rnnplay.tui.keys.catalogue import PLACES, catalogue
from rnnplay.tui.keys.names import key_label

WIDTH = 84
"""Characters of a line of --help."""


def help_page() -> str:
    """Returns a page with what --help says of every command."""
    parts = [
        "# Options of every command",
        "What `--help` prints. Which command does what, with examples: [Commands](../commands.md); the knobs of a run, "
        "which several commands have as options: [Options](../options.md).",
    ]
    for name, text in _helps(program, click.Context(program, info_name="rnnplay", obj=Session())):
        parts += [f"## {name}", f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yields the command's path and help, then those of the commands below it."""
    context.max_content_width = context.terminal_width = WIDTH
    yield context.command_path, context.get_help().rstrip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _helps(below, click.Context(below, parent=context, info_name=name, obj=context.obj))


def keys_page() -> str:
    """Returns a page with the id, the default keys and the meaning of everything that has a key."""
    parts = [
        "# Keys and their ids",
        "Every key of the interface with the id by which `keymap.toml` changes it, as `rnnplay keys` prints them. "
        "What the keys are for, and how to change them: [Keys](../keys.md).",
    ]
    place = ""
    for entry in catalogue({}):
        if entry.place != place:
            place = entry.place
            parts.append(f"\n## {PLACES[place][0]}\n\n| keys | id | does |\n| --- | --- | --- |")
        keys = " ".join(f"`{_cell(key_label(key))}`" for key in entry.keys)
        parts.append(f"| {keys} | `{entry.id}` | {_cell(entry.what)} |")
    return "\n\n".join(parts[:2]) + "\n" + "\n".join(parts[2:]) + "\n"


def json_page() -> str:
    """Returns a page with the fields of what is written as JSON: records, files of a run, inspections, requests."""
    groups = [
        (
            "Records of a training",
            "A line each in a run's `metrics.jsonl` (but for `started`) and with `rnnplay train --json` and "
            "`rnnplay watch --json`. A number that is not finite is the string `nan`, `inf` or `-inf`.",
            get_args(Record),
        ),
        ("run.json", "What a run is.", (RunInfo, Parent)),
        ("samples.jsonl", "", (LoggedSample,)),
        ("written.jsonl", "", (Written,)),
        (
            "Inspections",
            "What `rnnplay inspect RUN --json` prints for each `--view`; for gradients it is one object for each "
            "run, with `distances`, `norms` (lists `h` and, of an LSTM, `c`), `run` and `step`.",
            [one for one in get_args(Result) if one is not GradientCurve],
        ),
        (
            "Requests of other programs",
            "A line each on the standard input of `rnnplay complete RUN --serve`; the answers: "
            "[Commands](../commands.md#for-other-programs).",
            (Request,),
        ),
    ]
    parts = [
        "# JSON and JSON Lines",
        "The fields of what rnnplay writes for programs, and reads from them. A field with a default may be left out. "
        "Examples of whole lines: [Commands](../commands.md#for-other-programs); the files of a run: "
        "[A run's folder](../run-folder.md).",
    ]
    told: set[type] = {RunConfig, SamplingConfig}  # they are knobs: docs/options.md
    for title, about, structs in groups:
        parts += [f"## {title}", *([about] if about else [])]
        waiting = list(structs)
        while waiting:
            one = waiting.pop(0)
            if one not in told:
                told.add(one)
                parts += _struct(one)
                waiting[:0] = [found for field in msgspec.structs.fields(one) for found in _inner(field.type)]
    return "\n\n".join(parts) + "\n"


def _inner(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Yields the structs that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for part in get_args(kind):
        yield from _inner(part)


def _struct(struct: type[msgspec.Struct]) -> list[str]:
    """Returns heading, meaning and table of fields of a struct."""
    tag = struct.__struct_config__.tag
    what = inspect.cleandoc(struct.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    parts = [f"### {tag}" if tag else f"### {struct.__name__}", what]
    notes, rows = _field_notes(struct), ["| field | type | default | what |", "| --- | --- | --- | --- |"]
    if tag:
        rows.append(f'| `type` | `"{tag}"` | | |')
    for field in msgspec.structs.fields(struct):
        default = "" if field.required else f"`{_cell(_default(field))}`"
        about = _cell(_told(notes.get(field.name, "")))
        rows.append(f"| `{field.encode_name}` | {_cell(_type(field.type))} | {default} | {about} |")
    return [*parts, "\n".join(rows)]


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return msgspec.json.encode(value).decode()


def _field_notes(struct: type) -> dict[str, str]:
    """Returns the string under each field of a class and of those it is derived from."""
    notes: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if not issubclass(one, msgspec.Struct) or one is msgspec.Struct:
            continue
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(node, ast.ClassDef)
        for field, note in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant):
                assert isinstance(field.target, ast.Name)
                notes[field.target.id] = " ".join(str(note.value.value).split())
    return notes


def _type(kind: Any) -> str:
    """Says in JSON's terms what a field holds."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(inner[0])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_type, inner)))
    if origin is Literal:
        return ", ".join(f'`"{value}"`' for value in inner)
    if origin in (list, tuple, set, frozenset):
        return f"list of {_type(inner[0])}" if inner else "list"
    if origin is dict:
        return f"object of {_type(inner[1])}"
    names = {int: "whole number", float: "number", str: "string", bool: "true or false", type(None): "null"}
    if kind in names:
        return names[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"object (`{kind.__struct_config__.tag or kind.__name__}`)"
    return "any"


def _told(note: str) -> str:
    """Names Python's None as JSON has it."""
    return note.replace("None", "null")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
