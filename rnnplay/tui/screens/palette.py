"""The command palette: Textual's, without the ways in which a burst of keys or a window that gets smaller ends it.

Tried with Textual 8.2.8; tests/tui/test_palette.py shows what each of these does to Textual's own.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.events import Click


class Palette(CommandPalette):
    """Every command by name."""

    def _on_click(self, event: Click) -> None:  # type: ignore[override]
        # A click where the screen ended meanwhile: there is no widget to be found.
        if not self.screen.region.contains(event.screen_x, event.screen_y):
            event.prevent_default()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        # Enter twice in a burst: the second would take the screen below away.
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError, IndexError):  # a page down in a list that has not been laid out yet
            super()._action_command_list(action)
