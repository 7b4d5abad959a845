"""Arranges runs as a tree: each under the one that it was branched from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rnnplay.runs.index import ListedRun


class Branch(NamedTuple):
    """A run in the tree."""

    run: ListedRun
    lines: str
    """What is drawn before its name: "", "├ ", "└ ", "│ └ "."""


def as_tree(runs: Sequence[ListedRun]) -> list[Branch]:
    """Returns `runs` with branches below their parents; both keep the order in which they are given.

    A parent is known by the time at which it was created, as it may have been renamed. A run whose parent is not among
    `runs` stands for itself.
    """
    created: dict[str, list[ListedRun]] = {}
    for run in runs:
        if run.info is not None:
            created.setdefault(run.info.created, []).append(run)
    children: dict[str, list[ListedRun]] = {}
    roots = []
    for run in runs:
        parent = _parent(run, created)
        if parent is None or _leads_to(parent, run, created):
            roots.append(run)
        else:
            children.setdefault(parent.name, []).append(run)
    found: list[Branch] = []
    waiting = [(run, "", "") for run in reversed(roots)]
    while waiting:
        run, lines, below = waiting.pop()
        found.append(Branch(run, lines))
        own = children.get(run.name, [])
        for number, child in enumerate(reversed(own)):
            last = number == 0
            waiting.append((child, f"{below}{'└' if last else '├'} ", f"{below}{' ' if last else '│'} "))
    return found


def _parent(run: ListedRun, created: dict[str, list[ListedRun]]) -> ListedRun | None:
    parent = run.info.parent if run.info is not None else None
    if parent is None:
        return None
    found = [one for one in created.get(parent.created, []) if one is not run]
    return next((one for one in found if one.name == parent.run), found[0] if found else None)


def _leads_to(parent: ListedRun, run: ListedRun, created: dict[str, list[ListedRun]]) -> bool:
    """Whether `run` is an ancestor of `parent`, as files may claim of each other."""
    seen: set[str] = set()
    above: ListedRun | None = parent
    while above is not None and above.name not in seen:
        if above is run:
            return True
        seen.add(above.name)
        above = _parent(above, created)
    return False
