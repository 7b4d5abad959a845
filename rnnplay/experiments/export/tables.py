"""Tables of a run's records: steps, validations and events, as CSV files or as JSON Lines.

Losses are in nats per token, gradient norms L2 norms over all parameters, and numbers that are not finite are written
nan, inf and -inf, which pandas, R and numpy read. Steps and validations that a rollback undid are left out; events that
it undid stay, marked.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from rnnplay.common.jsonl import encode_line
from rnnplay.experiments.export.destination import make_folder, writing
from rnnplay.experiments.export.kept_records import kept_records
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.event_text import event_text
from rnnplay.runs.metrics.records import Record, Step, Validation

EVENT_FIELDS = ("to", "knob", "value", "cause", "where", "remedy", "reason", "threads", "others")
"""Fields of the events, each present in some kinds of record."""

COLUMNS = {
    "steps": ("run", *Step.__struct_fields__),
    "validations": ("run", *Validation.__struct_fields__),
    "events": ("run", "step", "event", *EVENT_FIELDS, "message", "undone"),
}
"""The columns of each table."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(runs: Sequence[RunFolder], paths: Sequence[Path]) -> None:
    """Writes the tables of COLUMNS to `paths`, all in one folder, a run after the other. Raises InputError."""
    make_folder(paths[0].parent)
    with ExitStack() as stack:
        files = [io.TextIOWrapper(stack.enter_context(writing(path)), "utf-8", newline="") for path in paths]
        tables = {name: csv.writer(file, lineterminator="\n") for name, file in zip(COLUMNS, files, strict=True)}
        for name, table in tables.items():
            table.writerow(COLUMNS[name])
        for run in runs:
            for record, undone in kept_records(run.log):
                if isinstance(record, Step | Validation):
                    if not undone:
                        name = "steps" if isinstance(record, Step) else "validations"
                        tables[name].writerow([run.name, *map(_cell, msgspec.structs.astuple(record))])
                else:
                    tables["events"].writerow([run.name, *map(_cell, _event(record, undone))])
        for file in files:
            file.detach().flush()


def write_jsonl(runs: Sequence[RunFolder], path: Path) -> None:
    """Writes a line about each run (`"type":"run"`, with its settings), followed by its records. Raises InputError."""
    with writing(path) as file:
        for run in runs:
            file.writelines(_lines(run))


def _lines(run: RunFolder) -> Iterator[bytes]:
    yield encode_line({"type": "run", **msgspec.to_builtins(run.info()), "run": run.name})
    for record, undone in kept_records(run.log):
        if not undone:
            yield encode_line(record)
        elif not isinstance(record, Step | Validation):
            yield encode_line({**msgspec.to_builtins(record), "undone": True})


def _event(record: Record, undone: bool) -> list[object]:
    fields = [getattr(record, name, None) for name in EVENT_FIELDS]
    return [record.step, type(record).__name__.lower(), *fields, event_text(record), undone]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"  # a spreadsheet would compute it
    return "" if value is None else value
