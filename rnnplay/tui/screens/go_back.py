"""A dialog that chooses a checkpoint of the run under way to return to."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.common.formatting import fixed
from rnnplay.runs.folder import CheckpointInfo, RunFolder
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.screens.dialogs import Confirm

REFRESH_SECONDS = 1.0
"""Time between two readings of the checkpoints, which change while the run continues."""


class GoBackScreen(ModalScreen[str | None]):
    """Chooses a checkpoint; the result is its step, or None."""

    DEFAULT_CSS = """
    GoBackScreen { align: center middle; }
    GoBackScreen > Vertical {
        width: 56; max-width: 96%; height: auto; max-height: 80%; padding: 0 1;
        border: round $primary; border-title-color: $primary; background: $surface;
    }
    GoBackScreen OptionList { height: auto; max-height: 16; background: $surface; border: none; }
    GoBackScreen Static { height: auto; color: $foreground 65%; }
    """
    HELP = """
    ## Go back

    The checkpoints of this run. The run continues from the one chosen; what came after it is discarded.
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Back"), *HELP_KEYS]

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self._run = run
        self._checkpoints = _newest_first(run)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Go back to a checkpoint"
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
        if self._checkpoints:
            return "Later steps are discarded. Enter chooses, escape cancels."
        return "There is no checkpoint yet. Escape closes the list."

    @property
    def _options(self) -> list[Option]:
        return [Option(_line(one), id=str(one.step)) for one in self._checkpoints]

    @work(exclusive=True)
    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        step = int(event.option.id or 0)
        question = f"Return {self._run.name} to step {step:,}? Later steps are discarded for good."
        if not await self.app.push_screen_wait(Confirm("Go back", question, "Go back", "Cancel", lost=True)):
            return
        now = _newest_first(self._run)
        if any(one.step == step for one in now):
            self.dismiss(event.option.id)
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
