"""Textual's command palette, made robust against bursts of keys and shrinking windows.

Tested with Textual 8.2.8, which fails tests/tui/screens/test_palette.py without these changes.
"""

from __future__ import annotations

from contextlib import suppress

from textual import on
from textual.command import CommandPalette
from textual.events import Click
from textual.widgets import Input, OptionList
from textual.worker import WorkerError


class Palette(CommandPalette):
    """The command palette."""

    def _on_click(self, event: Click) -> None:  # type: ignore[override]
        # After the window has shrunk, a click outside it would hit no widget.
        if not self.screen.region.contains(event.screen_x, event.screen_y):
            event.prevent_default()

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    async def _once_and_after_the_search(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        """Runs before Textual's own handlers, to wait for the search and to ignore a second choice."""
        if self.app.screen is not self:  # an earlier choice has closed the palette
            event.stop()
            event.prevent_default()
            return
        # The list may still hold results for an earlier text, and Enter would run one of them.
        searches = [one for one in self.workers if one.node is self and not (one.is_cancelled or one.is_finished)]
        if searches and isinstance(event, Input.Submitted):
            with suppress(WorkerError):
                await self.workers.wait_for_complete(searches)

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError, IndexError):  # page down before the list has been laid out
            super()._action_command_list(action)
