"""A row of tabs for views, chosen by number, arrows or mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from rnnplay.tui.widgets.visible import MUTED, shortened

SHORTEST = 3
"""Cells of a name in the narrowest window: its number and …."""


class ViewTabs(Widget, can_focus=True):
    """Tabs such as "1 gradient 2 predictions …"; the current one is underlined. A narrow row shortens long names."""

    DEFAULT_CSS = """
    ViewTabs { height: 1; width: 1fr; pointer: pointer; background: $foreground 6%; }
    ViewTabs:focus { background: $primary 25%; }
    """
    HELP = "The views: `1` to `7`, `←` `→` or a click."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "View", key_display="←→"),
        Binding("right", "step(1)", "", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """The user chose the view `index` (from 0)."""

        index: int

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._names = [f"{number} {name}" for number, name in enumerate(names, 1)]
        self._index = 0

    @property
    def index(self) -> int:
        """The current view."""
        return self._index

    @index.setter
    def index(self, index: int) -> None:
        if index != self._index:
            self._index = index
            self.refresh()

    def _fitting_names(self) -> list[str]:
        """The names, the longest ones shortened as far as it takes to show all of them."""
        room = self.size.width - (len(self._names) - 1)
        for longest in range(max(map(cell_len, self._names), default=0), SHORTEST, -1):
            names = [shortened(name, longest) for name in self._names]
            if sum(map(cell_len, names)) <= room:
                return names
        return [shortened(name, SHORTEST) for name in self._names]

    def _placed(self) -> tuple[list[str], int]:
        """The names as shown, and the cells between two of them."""
        names = self._fitting_names()
        spare = self.size.width - sum(map(cell_len, names))
        return names, min(3, max(1, spare // max(len(names), 1)))

    def render(self) -> Content:
        names, gap = self._placed()
        parts = [
            Content.styled(name, "bold underline $accent" if index == self._index else MUTED)
            for index, name in enumerate(names)
        ]
        return Content(" " * gap).join(parts)

    def action_step(self, by: int) -> None:
        self.post_message(self.Chosen((self._index + by) % len(self._names)))

    def on_click(self, event: events.Click) -> None:
        names, gap = self._placed()
        at = 0
        for index, name in enumerate(names):
            if at <= event.x < at + cell_len(name) + gap:
                self.post_message(self.Chosen(index))
            at += cell_len(name) + gap
