"""What the list of runs says of each, and which columns fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len

from rnnplay.common.formatting import fixed, is_much_unknown, model_text, moment_text, unknown_text
from rnnplay.knob_texts import corpus_label
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.index import ListedRun
from rnnplay.tui.widgets.visible import visible_line

COLUMNS = ("run", "now", "corpus", "model", "lr", "clip", "step", "valid", "created", "tags")
"""All columns, from the left; `now` is there while runs are being trained."""
NUMBERS = frozenset(("lr", "step", "valid"))
"""Columns aligned on the right."""
SORTED_BY = {"now": None, **{name: name for name in COLUMNS if name != "now"}}
DROPPED = ("clip", "tags", "corpus", "lr", "created", "model", "valid", "now", "step")
"""The order in which columns are left out where the window is narrow."""
GAP = 2
MIN_NAME = 24
"""Columns are left out before names are shortened to fewer cells than this."""
LONGEST = {"corpus": 20, "tags": 24}
"""Cells that these columns have at most."""
TRAINING = "●"
"""Marks a run that is being trained."""

Cells = Mapping[str, str]
_EMPTY = dict.fromkeys(COLUMNS, "")


class Column(NamedTuple):
    """A column that is shown, and its width in cells."""

    name: str
    width: int


def cells_of(run: ListedRun, year: int) -> dict[str, str]:
    """Returns the text of each column for `run`; in the year `year` the year of a date is left out.

    An unreadable run has a name, since it can be removed.
    """
    cells = {**_EMPTY, "run": visible_line(run.name), "tags": " ".join(run.notes.tags)}
    info = run.info
    if info is None:
        cells["model"] = "cannot be read"
        return cells
    config = info.config
    cells["corpus"] = _corpus_text(config.corpus)
    cells["model"] = _model_text(config.cell, config.nonlinearity, config.layers, config.hidden)
    if config.tokens != "char":
        cells["model"] += f" {config.tokens}"
    cells["lr"] = f"{config.lr:g}"
    cells["clip"] = config.clip if config.clip == "off" else f"{config.clip} {config.clip_threshold:g}"
    cells["step"] = "none" if run.step is None else f"{run.step:,}"
    if run.best_loss is not None:
        unknown = f" {unknown_text(info.unknown_fraction)}" if is_much_unknown(info.unknown_fraction) else ""
        cells["valid"] = f"{fixed(run.best_loss, 3)}{unknown}"
    cells["created"] = moment_text(info.created).removeprefix(f"{year}-")
    return cells


@lru_cache
def _corpus_text(corpus: str) -> str:
    return visible_line(corpus_label(corpus))


_model_text = lru_cache(model_text)


def training_text(training: Training) -> str:
    """Returns the mark and the pace of a run that is being trained."""
    return f"{TRAINING} {training.text}"


def natural_widths(rows: Collection[Cells]) -> dict[str, int]:
    """Returns the width of each column that shows every text in full, its title included."""
    widths = {name: _widest({row[name] for row in rows}) for name in COLUMNS}
    for name, longest in LONGEST.items():
        widths[name] = min(widths[name], longest)
    return {name: max(width, len(name) + 2) if width else 0 for name, width in widths.items()}


def _widest(texts: Collection[str]) -> int:
    return max(map(len if "".join(texts).isascii() else cell_len, texts), default=0)


def fit_columns(widths: Mapping[str, int], available: int, indent: int = 0) -> list[Column]:
    """Chooses columns for a list `available` cells wide; the name of a run gets what is left, `indent` included.

    `widths`: the natural ones; a column that is empty everywhere is left out.
    """
    shown = [name for name in COLUMNS if widths[name] or name == "run"]
    name_width = widths["run"] + indent

    def left_for_name() -> int:
        return available - sum(widths[name] + GAP for name in shown if name != "run")

    for dropped in DROPPED:
        if left_for_name() >= min(name_width, MIN_NAME):
            break
        if dropped in shown:
            shown.remove(dropped)
    width = max(1, min(name_width, left_for_name()))
    return [Column(name, width if name == "run" else widths[name]) for name in shown]


def column_at(columns: Sequence[Column], x: int) -> str | None:
    """Returns the column at `x` cells from the left of the first one."""
    for column in columns:
        if x < column.width + GAP:
            return column.name
        x -= column.width + GAP
    return None
