"""Arranges runs as a tree: each under the one that it was branched from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rnnplay.runs.browsing.parents import Parents
from rnnplay.runs.index import ListedRun


class Branch(NamedTuple):
    """A run in the tree."""

    run: ListedRun
    lines: str
    """What is drawn before its name: "", "├ ", "└ ", "│ └ "."""


def as_tree(runs: Sequence[ListedRun]) -> list[Branch]:
    """Returns `runs` with branches below their parents; both keep the order in which they are given.

    A run whose parent is not among `runs` stands for itself.
    """
    parents = Parents(runs)
    children: dict[str, list[ListedRun]] = {}
    roots = []
    for run in runs:
        parent = parents.of(run)
        if parent is None or _leads_to(parent, run, parents):
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


def _leads_to(parent: ListedRun, run: ListedRun, parents: Parents) -> bool:
    """Whether `run` is an ancestor of `parent`, as files may claim of each other."""
    seen: set[str] = set()
    above: ListedRun | None = parent
    while above is not None and above.name not in seen:
        if above is run:
            return True
        seen.add(above.name)
        above = parents.of(above)
    return False
