"""A run that another process trains, or may train: its state in the interface, kept up to date from its files.

Following ends only when the run is no longer shown. A run that has ended may be resumed by another process, and one
whose folder was removed may be written again by the process that trains it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from rnnplay.errors import RnnplayError
from rnnplay.runs.browsing.parents import find_origin
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.follow import Follower, News, Standing
from rnnplay.runs.metrics.step_columns import StepColumns
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.loaded_runs import read_run
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.workspace import Workspace

LOOK_SECONDS = 0.2
"""Between two looks at the files of a run that is being trained."""
REST_SECONDS = 1.0
"""The same for one that nobody trains."""


class Kind(Enum):
    """What happened to a followed run, apart from its records."""

    BEGUN = "begun"
    ENDED = "ended"
    LEFT = "left"
    GONE = "gone"
    BACK = "back"
    RENAMED = "renamed"
    READ_AGAIN = "read again"
    TROUBLE = "trouble"


class Turn(NamedTuple):
    """Something that the user should know."""

    kind: Kind
    text: str
    """One or more sentences."""


class FollowedRun:
    """A run and the follower of its files. `state` is another object after the run was read again."""

    def __init__(self, folder: RunFolder, cache: Path) -> None:
        """Reads what there is of the run; may take a second. Raises RnnplayError or OSError.

        `cache`: the workspace's, for what makes long runs quick to read.
        """
        self._cache = cache
        self.state, self._follower = _loaded(folder, cache)
        self.standing: Standing | None = None
        """How the run stood at the last look."""
        self.heard = monotonic()
        """When its last record was read."""
        self._trouble = ""

    @property
    def folder(self) -> RunFolder:
        """The run's folder, under its present name."""
        return self._follower.folder

    def look(self) -> News:
        """Looks at the files; blocks for as long as the disk takes."""
        return self._follower.look()

    async def follow(self, changed: Callable[[list[Turn]], object], every: float | None = None) -> None:
        """Keeps the state up to date until it is cancelled; calls `changed` after each change.

        `every`: seconds between two looks while the run is being trained, LOOK_SECONDS if None.
        """
        while True:
            news = await asyncio.to_thread(self.look)
            turns = await self.read_again() if news.another else self.apply(news)
            if turns or not news.silent:
                changed(turns)
            if not news.more:
                live = self.standing in (Standing.TRAINED, Standing.WRITTEN)
                await asyncio.sleep((LOOK_SECONDS if every is None else every) if live else REST_SECONDS)

    async def read_again(self) -> list[Turn]:
        """Reads the run anew, because its files were written anew."""
        try:
            state, follower = await asyncio.to_thread(_loaded, self.folder, self._cache)
        except (RnnplayError, OSError) as error:
            return self._troubled(str(error))
        former, self.state, self._follower = self.state, state, follower
        self.heard = monotonic()
        for name in ("opened", "in_engine", "opening", "unloadable", "trainer"):
            setattr(state, name, getattr(former, name))
        if former.followed:
            state.phase = Phase.FOLLOWED
        turn = Turn(Kind.READ_AGAIN, f"The files of {state.run} were written anew; they are read from the beginning.")
        if state.step < former.step:
            turn = Turn(Kind.BACK, went_back(state, former.step))
        state.log(turn.text, "warning")
        return [turn]

    def apply(self, news: News) -> list[Turn]:
        """Applies `news` to the state; returns what the user should know."""
        state, turns = self.state, []
        if news.renamed is not None:
            turns.append(Turn(Kind.RENAMED, f"{state.run} has been renamed to {news.renamed.name}."))
            state.run = news.renamed.name
        if news.info is not None:
            state.config = news.info.config
        before = state.step
        if news.cut is not None:
            state.cut_back(news.cut)
        for record in news.records:
            if isinstance(record, StepColumns):
                state.take_columns(record)
            else:
                state.take(record)
        if news.records:
            self.heard = monotonic()
        if news.cut is not None and state.step < before:
            turns.append(Turn(Kind.BACK, went_back(state, before)))
            state.log(f"went back from step {before:,}", "warning")
            state.returns.append(state.step)
        turns += self._troubled(news.trouble)
        turns += self._stand(news)
        return turns

    def _troubled(self, trouble: str) -> list[Turn]:
        new, self._trouble = trouble != self._trouble, trouble
        return [Turn(Kind.TROUBLE, trouble)] if new and trouble else []

    def _stand(self, news: News) -> list[Turn]:
        """Sets the phase by how the run stands; returns what changed."""
        state, before, self.standing = self.state, self.standing, news.standing
        if news.standing is Standing.UNREADABLE:
            self.standing = before
            return []
        live = news.standing in (Standing.TRAINED, Standing.WRITTEN)
        was_live, begun = state.followed, live and not state.followed
        if live:
            if begun:
                self.heard = monotonic()
            state.phase, state.trainer = Phase.FOLLOWED, news.holder
            seconds = seconds_per_step(state)
            target = state.config.steps
            state.seconds_left = (target - state.step) * seconds if target and seconds else None
            return [Turn(Kind.BEGUN, f"{state.run} is being {state.trained_by}.")] if begun and before else []
        by, state.trainer, state.seconds_left = state.trainer, None, None
        if was_live and state.phase is Phase.FOLLOWED:
            state.phase = Phase.STOPPED
        if news.standing is Standing.GONE:
            if before is Standing.GONE:
                return []
            text = f"The folder of {state.run} was removed or moved. What was read is still shown; "
            text += f"{KEYS.runs} opens another run."
            return [Turn(Kind.GONE, text)]
        if before not in (Standing.TRAINED, Standing.WRITTEN):
            return []
        if news.standing is Standing.ENDED:
            return [Turn(Kind.ENDED, ended_text(state))]
        at = f" from its checkpoint at step {state.checkpoint_step:,}" if state.checkpoint_step is not None else ""
        who = f"{by}".capitalize() if by is not None else "The process that trained it"
        text = f"{who} has ended without stopping {state.run}: it was killed. {KEYS.train} resumes it here{at}."
        state.log(f"{who} was killed", "error")
        return [Turn(Kind.LEFT, text)]


def ended_text(state: RunState, onward: str = "") -> str:
    """Says how a run has ended that was trained by another process, or, if the key `onward` shows it, behind."""
    run, at = state.run, f"at step {state.step:,}"
    match state.reason:
        case "stopped":
            return f"{run} was stopped {at}; " + (f"{onward} shows it." if onward else f"{KEYS.train} resumes it here.")
        case "diverged":
            return f"{run} has diverged and ended {at}" + (f"; {onward} shows it." if onward else ".")
    return f"{run} has finished {at}; " + (
        f"{onward} shows it." if onward else f"{KEYS.train} trains it for longer here."
    )


def read_only_text(state: RunState) -> str:
    """Says why a run that is followed cannot be changed, and what can be done."""
    return (
        f"{state.run} is being {state.trained_by} and only followed here. Stop it there (ctrl-C, or x), and "
        f"{KEYS.train} resumes it here; {KEYS.new} trains a new one with these settings."
    )


def went_back(state: RunState, before: int) -> str:
    """Says that a run continues from an earlier checkpoint."""
    return f"{state.run} was at step {before:,} and has been put back to step {state.step:,}."


def seconds_per_step(state: RunState) -> float | None:
    """The time of one of the last steps, by their tokens; None if that is not known."""
    if len(state.recent) < 2:
        return None
    first, last = state.recent[0], state.recent[-1]
    steps, tokens = last.step - first.step, last.tokens - first.tokens
    if steps <= 0 or tokens <= 0 or not last.tokens_per_second > 0:
        return None
    return tokens / steps / last.tokens_per_second


def _loaded(folder: RunFolder, cache: Path) -> tuple[RunState, Follower]:
    state, end, created, parent = read_run(folder, cache)
    if parent is not None:
        state.origin = find_origin(parent, Workspace(folder.path.parent.parent)).text
    return state, Follower(folder, created, end)
