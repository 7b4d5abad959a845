"""Puts lists of runs in order."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rnnplay.knob_texts import corpus_label
from rnnplay.runs.index import ListedRun
from rnnplay.runs.info import moment


class Order(NamedTuple):
    """A column by which runs are ordered."""

    column: str
    descending: bool


class _Column(NamedTuple):
    key: Callable[[ListedRun], Any]
    """None for a run that lacks the value; those are last in either direction."""
    descending: bool = False
    """The direction that is wanted first."""


COLUMNS = {
    "run": _Column(lambda run: _natural(run.name)),
    "corpus": _Column(lambda run: run.info and corpus_label(run.info.config.corpus).casefold()),
    "model": _Column(lambda run: run.info and (run.info.config.cell, run.info.config.layers, run.info.config.hidden)),
    "parameters": _Column(lambda run: run.info and run.info.parameters, True),
    "lr": _Column(lambda run: run.info and run.info.config.lr),
    "clip": _Column(lambda run: run.info and (run.info.config.clip, run.info.config.clip_threshold)),
    "step": _Column(lambda run: run.step, True),
    "valid": _Column(lambda run: run.best_loss),
    "created": _Column(lambda run: run.info and moment(run.info.created), True),
    "tags": _Column(lambda run: run.notes.tags or None),
}
"""The columns that runs can be ordered by."""

NEWEST_FIRST = Order("created", True)


def in_order(runs: Sequence[ListedRun], order: Order) -> list[ListedRun]:
    """Returns `runs` in order; of equal ones the newest is first, and those that lack the value are last."""
    newest = sorted(runs, key=_created, reverse=True)
    key = COLUMNS[order.column].key
    keyed = [(key(run), run) for run in newest]
    known = [one for one in keyed if one[0] is not None]
    known.sort(key=lambda one: one[0], reverse=order.descending)  # keeps the newest of equal ones first
    return [run for _, run in known] + [run for value, run in keyed if value is None]


def first_order(column: str) -> Order:
    """Returns the order of a column that is chosen for the first time."""
    return Order(column, COLUMNS[column].descending)


def next_order(order: Order, column: str) -> Order:
    """Returns the order after `column` was chosen: the same column again turns its direction."""
    if column == order.column:
        return Order(column, not order.descending)
    return first_order(column)


def _natural(name: str) -> tuple[tuple[bool, int | str], ...]:
    """A key by which run-2 comes before run-10."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else part) for part in parts if part)


def _created(run: ListedRun) -> tuple[float, str]:
    return (-math.inf if run.info is None else moment(run.info.created)), run.name
