"""Reads for the list of runs what is on disk. Everything here blocks, and is called in threads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence

from rnnplay.runs.browsing.training_now import Training, changed_lately, training_of
from rnnplay.runs.index import ListedRun, list_quickly
from rnnplay.workspace import Workspace

PATIENCE_SECONDS, SCREEN_ROWS = 0.3, 50
"""After this time the runs read so far are shown, if they fill a screen."""

BREATH_RUNS, BREATH_SECONDS = 50, 0.004
"""How often, and for how long, a look at thousands of runs leaves Python to the interface, where one may type."""


class RunReader:
    """The runs of a workspace, and which of them are being trained."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stamp = -1
        self.runs: list[ListedRun] | None = None
        """All runs, as they were last read; None before."""

    def read(self, stopped: Callable[[], bool], begin: Callable[[list[ListedRun]], object]) -> list[ListedRun] | None:
        """Reads all runs; returns None if `stopped` returns true meanwhile.

        If the first reading takes long, as of thousands of runs, `begin` is called once with those read so far.
        """
        self._stamp = self._now()
        shows = time.monotonic() + PATIENCE_SECONDS if self.runs is None else math.inf
        runs: list[ListedRun] = []
        for run in list_quickly(self._workspace):
            runs.append(run)
            if stopped():
                return None
            if time.monotonic() > shows and len(runs) >= SCREEN_ROWS:
                shows = math.inf
                begin(runs.copy())
        self.runs = runs
        return runs

    def training(self, runs: Sequence[ListedRun], former: Collection[str] | None = None) -> dict[str, Training]:
        """Returns which of `runs` are being trained.

        `former`: those that were; then only they and those whose files changed lately are looked at.
        """
        now = time.time()
        found = {}
        for number, run in enumerate(runs, 1):
            if number % BREATH_RUNS == 0:
                time.sleep(BREATH_SECONDS)
            if former is None or run.name in former or changed_lately(str(run.folder.path), now):
                training = training_of(run.folder.path)
                if training is not None:
                    found[run.name] = training
        return found

    def is_outdated(self) -> bool:
        """Whether runs came, went or were renamed since all were read."""
        return self._now() != self._stamp

    def _now(self) -> int:
        try:
            return self._workspace.checkpoints.stat().st_mtime_ns
        except OSError:
            return 0
