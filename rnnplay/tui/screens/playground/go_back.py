"""A dialog that chooses a checkpoint of the run under way to return to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.common.formatting import fixed
from rnnplay.runs.folder import CheckpointInfo, RunFolder
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import key_name
from rnnplay.tui.screens.dialogs import Confirm, Dialog, DialogBox

REFRESH_SECONDS = 1.0
"""Time between two readings of the checkpoints, which change while the run continues."""


@dataclass(frozen=True, slots=True)
class CheckpointChoice:
    """The chosen checkpoint, and what to do with it."""

    step: int
    branch: bool
    """Whether a new run begins there, rather than this one going back to it."""


class GoBackScreen(Dialog[CheckpointChoice | None]):
    """Chooses a checkpoint to return to or to branch from; the result is None if neither."""

    DEFAULT_CSS = """
    GoBackScreen > DialogBox { width: 56; }
    GoBackScreen OptionList { height: auto; max-height: 60vh; background: $surface; border: none; }
    GoBackScreen Static { height: auto; color: $foreground 65%; }
    """
    HELP = """
    ## Go back

    The checkpoints of this run. `Enter`: the run continues from the one chosen; what came after it is discarded.
    `b`: a new run, a branch, begins with its weights, and this one stays as it is; so does `Enter` for a run that
    another process trains.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Back", id="everywhere.back"),
        Binding("b", "branch", "Branch", id="checkpoints.branch"),
        *HELP_KEYS,
    ]

    def __init__(self, run: RunFolder, followed: bool) -> None:
        """`followed`: another process trains it, so it is only branched from."""
        super().__init__()
        self._run, self._followed = run, followed
        self._checkpoints = _newest_first(run)

    def compose(self) -> ComposeResult:
        with DialogBox() as box:
            box.border_title = "Branch from a checkpoint" if self._followed else "Go back to a checkpoint"
            yield Static(self._note, markup=False)
            yield OptionList(*self._options)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._follow()

    @work
    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            self._show(await asyncio.to_thread(_newest_first, self._run))

    def _show(self, checkpoints: list[CheckpointInfo]) -> None:
        """Updates the list; the cursor stays on its step, or moves to the nearest one left."""
        if [_line(one) for one in checkpoints] == [_line(one) for one in self._checkpoints]:
            return
        options = self.query_one(OptionList)
        at = self._checkpoints[options.highlighted].step if options.highlighted is not None else None
        self._checkpoints = checkpoints
        self.query_one(Static).update(self._note)
        options.set_options(self._options)
        if checkpoints:
            rows = range(len(checkpoints))
            options.highlighted = 0 if at is None else min(rows, key=lambda row: abs(checkpoints[row].step - at))

    @property
    def _note(self) -> str:
        leave = key_name("everywhere.back", begins=True)
        if self._checkpoints and self._followed:
            return (
                f"Enter or {key_name('checkpoints.branch')} "
                f"branches: a new run from there. This run is only followed here. {leave} cancels."
            )
        if self._checkpoints:
            return (
                f"Enter goes back: later steps are discarded. {key_name('checkpoints.branch')} "
                f"branches: a new run from there. {leave} cancels."
            )
        return f"There is no checkpoint yet. {leave} closes the list."

    @property
    def _options(self) -> list[Option]:
        return [Option(_line(one), id=str(one.step)) for one in self._checkpoints]

    @work(exclusive=True)
    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        step = int(event.option.id or 0)
        if self._followed:
            self._choose(CheckpointChoice(step, branch=True))
            return
        question = f"Return {self._run.name} to step {step:,}? Later steps are discarded for good."
        if not await self.app.push_screen_wait(Confirm("Go back", question, "Go back", "Cancel", lost=True)):
            return
        self._choose(CheckpointChoice(step, branch=False))

    def action_branch(self) -> None:
        """Chooses the highlighted checkpoint to branch from."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._choose(CheckpointChoice(self._checkpoints[at].step, branch=True))

    def _choose(self, choice: CheckpointChoice) -> None:
        now = _newest_first(self._run)
        if any(one.step == choice.step for one in now):
            self.dismiss(choice)
            return
        self.notify("That checkpoint no longer exists; choose another.", severity="warning")
        self._show(now)

    def action_cancel(self) -> None:
        self.dismiss(None)


def _line(one: CheckpointInfo) -> str:
    return f"step {one.step:>9,}" + (f"   validation {fixed(one.loss, 3)}" if one.loss is not None else "")


def _newest_first(run: RunFolder) -> list[CheckpointInfo]:
    try:
        return run.checkpoints()[::-1]
    except OSError:
        return []
