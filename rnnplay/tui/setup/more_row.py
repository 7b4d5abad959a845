"""The row that opens and closes the rarer settings."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class MoreRow(Widget, can_focus=True):
    """Opens and closes the rarer knobs."""

    DEFAULT_CSS = """
    MoreRow {
        height: 1; width: 1fr; color: $text-muted; pointer: pointer;
        &:hover { background: $foreground 6%; }
        &:focus { background: $primary 25%; color: $foreground; }
    }
    """

    class Pressed(Message):
        """Open, or close, the rest."""

    HELP = "Enter shows or hides the rarer settings."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,left,right", "press", "More", show=False)]

    def __init__(self) -> None:
        super().__init__(id="more-settings")
        self._opened = False

    @property
    def opened(self) -> bool:
        return self._opened

    @opened.setter
    def opened(self, opened: bool) -> None:
        self._opened = opened
        self.refresh()

    def render(self) -> Content:
        return Content("▾ fewer settings" if self._opened else "▸ more settings")

    def action_press(self) -> None:
        self.post_message(self.Pressed())

    def on_click(self) -> None:
        self.action_press()
