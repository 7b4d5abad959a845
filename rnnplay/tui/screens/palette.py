"""The command palette: Textual's, without the ways in which a burst of keys or a window that gets smaller ends it.

Tried with Textual 8.2.8, which without these fails tests/tui/screens/test_palette.py.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual import on
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.events import Click
from textual.widgets import Input, OptionList
from textual.worker import WorkerError


class Palette(CommandPalette):
    """Every command by name."""

    def _on_click(self, event: Click) -> None:  # type: ignore[override]
        # A click where the screen ended meanwhile: there is no widget to be found.
        if not self.screen.region.contains(event.screen_x, event.screen_y):
            event.prevent_default()

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    async def _once_and_after_the_search(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        """Before Textual's own handlers: what must not choose, or not yet."""
        if self.app.screen is not self:  # it was left by the one before
            event.stop()
            event.prevent_default()
            return
        # Enter right after letters: what an earlier text had found is still in the list, and would be run.
        searches = [one for one in self.workers if one.node is self and not (one.is_cancelled or one.is_finished)]
        if searches and isinstance(event, Input.Submitted):
            with suppress(WorkerError):
                await self.workers.wait_for_complete(searches)

    def dismiss(self, result: Any = None) -> AwaitComplete:
        # Enter twice in a burst: the second would take the screen below away.
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError, IndexError):  # a page down in a list that has not been laid out yet
            super()._action_command_list(action)
