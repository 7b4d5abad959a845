"""Finds where the parents of branches are now: they may have been renamed or removed, and others take their names."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from rnnplay.errors import RnnplayError
from rnnplay.runs.folder import RunFolder, check_run_name
from rnnplay.runs.index import ListedRun, list_quickly
from rnnplay.runs.info import Parent
from rnnplay.runs.shipped import SHIPPED, shipped_run
from rnnplay.workspace import Workspace


class Origin(NamedTuple):
    """What a run was branched from, and where that is now."""

    parent: Parent
    now: str | None
    """The name of the run now; None if it is no longer here."""
    taken: bool = False
    """Whether another run has the name that it had."""
    trashed: bool = False
    """Whether it is in the trash."""

    @property
    def name(self) -> str:
        """As `--from` takes it, "first@1200", by its present name if it has one."""
        return f"{self.now or self.parent.run}@{self.parent.step}"

    @property
    def text(self) -> str:
        """ "first@1200", "base@1200 (then called first)", "first@1200 (gone; another run has its name)"."""
        if self.now is not None:
            return self.name if self.now == self.parent.run else f"{self.name} (then called {self.parent.run})"
        gone = "in the trash" if self.trashed else "gone"
        return f"{self.name} ({gone}{'; another run has its name' if self.taken else ''})"


class Parents:
    """Knows runs by when they were created, which a run keeps when it is renamed."""

    def __init__(self, runs: Iterable[ListedRun]) -> None:
        """`runs`: all among which parents are looked for."""
        self._created: dict[str, list[ListedRun]] = {}
        self._names: set[str] = set()
        for run in runs:
            self._names.add(run.name)
            if run.info is not None:
                self._created.setdefault(run.info.created, []).append(run)

    def of(self, run: ListedRun) -> ListedRun | None:
        """Returns the run that `run` was branched from; None if it is not a branch, or that run is not there."""
        parent = run.info.parent if run.info is not None else None
        return None if parent is None else self._find(parent, run)

    def origin(self, run: ListedRun) -> Origin | None:
        """Returns what `run` was branched from; None if it is not a branch."""
        parent = run.info.parent if run.info is not None else None
        return None if parent is None else self.find(parent, run)

    def find(self, parent: Parent, but: ListedRun | None = None) -> Origin:
        """Returns where `parent` is now; `but`: a run that it is not."""
        found = self._find(parent, but)
        if found is not None:
            return Origin(parent, found.name)
        taken = parent.run in self._names
        return Origin(parent, None if taken or not _is_shipped(parent) else parent.run, taken)

    def _find(self, parent: Parent, but: ListedRun | None) -> ListedRun | None:
        # Copies of a run have its time, and so may two that began in the same millisecond: then the name decides.
        found = [one for one in self._created.get(parent.created, []) if one is not but]
        return next((one for one in found if one.name == parent.run), found[0] if found else None)


def find_origin(parent: Parent, workspace: Workspace) -> Origin:
    """Finds where `parent` is now; reads the list of all runs only if it is not where it was."""
    with suppress(RnnplayError, OSError):
        if RunFolder(workspace.checkpoints / check_run_name(parent.run)).info().created == parent.created:
            return Origin(parent, parent.run)
    origin = Parents(list_quickly(workspace)).find(parent)
    return origin if origin.now is not None else origin._replace(trashed=_is_trashed(parent, workspace))


def _is_shipped(parent: Parent) -> bool:
    with suppress(RnnplayError, OSError):
        return parent.run == SHIPPED and shipped_run().info().created == parent.created
    return False


def _is_trashed(parent: Parent, workspace: Workspace) -> bool:
    from rnnplay.runs.management.trash import list_trash

    for trashed in list_trash(workspace):
        with suppress(RnnplayError, OSError):
            if RunFolder(trashed.path).info().created == parent.created:
                return True
    return False
