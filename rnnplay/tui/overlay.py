"""The runs whose curves are drawn behind those of the run in front, in the same charts; live ones move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from rnnplay.config import RunConfig
from rnnplay.errors import RnnplayError
from rnnplay.experiments.variants import TOKEN_KNOBS
from rnnplay.runs.folder import find_run
from rnnplay.tui.chart.chart_model import Series
from rnnplay.tui.chart.palette import DIED, RunLook, run_look
from rnnplay.tui.followed_run import FollowedRun, Turn
from rnnplay.tui.run_state import RunState
from rnnplay.workspace import Workspace

Kind = Literal["loss", "bits", "norm"]
LOOK_SECONDS = 0.5
"""Between two looks at the files of an overlaid run that is being trained."""


class OverlaidRun:
    """One of them: a run on disk, and how it is drawn."""

    def __init__(self, run: FollowedRun, look: RunLook) -> None:
        self.look = look
        self._run = run
        self._following: asyncio.Task[None] | None = None

    @property
    def state(self) -> RunState:
        """What its curves are drawn from."""
        return self._run.state

    @property
    def name(self) -> str:
        """Its present name."""
        return self.state.run or ""

    @property
    def live(self) -> bool:
        """Whether a process trains it."""
        return self.state.followed

    @property
    def key(self) -> object:
        """Changes when other histories are to be drawn, or when it ends."""
        return id(self.state.loss), self.look.mark, self.state.reason == "diverged"

    def series(self, kind: Kind) -> list[Series]:
        """Returns its curves in the chart of that kind: training without the raw values, validation as dots.

        In bits per character only validation, as a line.
        """
        state, look = self.state, self.look
        end = DIED if state.reason == "diverged" else ""
        if kind == "bits":
            return [
                Series(
                    look.mark, state.validation_bits, look.color, smooth=False, mark=look.mark, end=end, listed=False
                )
            ]
        line = state.loss if kind == "loss" else state.norm
        found = [Series(look.mark, line, look.color, raw=False, mark=look.mark, end=end, listed=False)]
        if kind == "loss":
            dots = state.validation_loss
            found.append(
                Series(f"{look.mark} valid", dots, look.color, smooth=False, style="dots", mark=look.mark, listed=False)
            )
        return found

    def follow(self, changed: Callable[[list[Turn]], object]) -> None:
        """Keeps the state up to date, and calls `changed` after each change."""
        self._following = asyncio.create_task(self._run.follow(changed, LOOK_SECONDS), name="overlaid run")

    def end(self) -> None:
        """Ends the following."""
        if self._following is not None:
            self._following.cancel()


class Overlay:
    """The overlaid runs, in the order in which they were chosen. A run keeps its colour and mark while it is there."""

    def __init__(self, workspace: Workspace, changed: Callable[[], object]) -> None:
        """`changed` is called when there is something new to draw."""
        self.runs: list[OverlaidRun] = []
        self._workspace, self._changed = workspace, changed

    @property
    def names(self) -> list[str]:
        """The names of the runs."""
        return [run.name for run in self.runs]

    async def show(self, names: Sequence[str]) -> list[str]:
        """Overlays the runs of these names instead of the present ones; returns what is wrong, a sentence each."""
        problems = []
        kept = {run.name: run for run in self.runs if run.name in names}
        for run in self.runs:
            if run.name not in kept:
                run.end()
        self.runs = list(kept.values())
        for name in names:
            if name in kept:
                continue
            try:
                loaded = await asyncio.to_thread(_read, name, self._workspace)
            except (RnnplayError, OSError) as error:
                problems.append(str(error))
                continue
            run = OverlaidRun(loaded, self._free_look())
            self.runs.append(run)
            run.follow(lambda _: self._changed())
            self._changed()
        self._changed()
        return problems

    def clear(self) -> None:
        """Takes all of them off."""
        for run in self.runs:
            run.end()
        self.runs = []
        self._changed()

    def behind(self, front: str | None) -> list[OverlaidRun]:
        """Those to draw behind the run `front`, which is not drawn twice."""
        return [run for run in self.runs if run.name != front]

    def _free_look(self) -> RunLook:
        taken = {(run.look.color, run.look.mark) for run in self.runs}
        looks = (run_look(number) for number in range(len(self.runs) + 1))
        return next(look for look in looks if (look.color, look.mark) not in taken)


def differing_tokens(configs: Sequence[RunConfig]) -> bool:
    """Whether runs with these settings predict different tokens, so that their losses per token cannot be compared."""
    return len({tuple(getattr(config, name) for name in TOKEN_KNOBS) for config in configs}) > 1


def overlaid_series(runs: Iterable[OverlaidRun], kind: Kind) -> list[Series]:
    """Returns the curves of all `runs` in the chart of that kind."""
    return [series for run in runs for series in run.series(kind)]


def _read(name: str, workspace: Workspace) -> FollowedRun:
    cache: Path = workspace.cache
    run = FollowedRun(find_run(name, workspace), cache)
    run.apply(run.look())
    return run
