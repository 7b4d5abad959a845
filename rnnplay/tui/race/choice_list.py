"""A short list of which one line is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import FAINT


class ChoiceList(Lines, can_focus=True):
    """One line a choice; the chosen one has a filled circle. Beyond its ends the arrows are left to the parent."""

    DEFAULT_CSS = """
    ChoiceList { height: auto; pointer: pointer; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Choice above", show=False, id="race-plan.up"),
        Binding("down", "move(1)", "Choice below", show=False, id="race-plan.down"),
    ]

    @dataclass
    class Chosen(Message):
        """Another line was chosen."""

        index: int

    def __init__(self, choices: list[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._choices = choices
        self.index = 0

    def on_mount(self) -> None:
        self._draw()

    def choose(self, index: int) -> None:
        """Chooses a line."""
        if index != self.index:
            self.index = index
            self._draw()
            self.post_message(self.Chosen(index))

    def _draw(self) -> None:
        rows = []
        for at, text in enumerate(self._choices):
            chosen = at == self.index
            mark = Content.styled("◉ " if chosen else "○ ", "$primary" if chosen else FAINT)
            style = "bold $foreground" if chosen else "$foreground"
            if chosen and self.has_focus:
                style += " on $primary 25%"
            rows.append(Content.assemble(mark, (text, style)))
        self.show(rows)

    def action_move(self, rows: int) -> None:
        there = self.index + rows
        if not 0 <= there < len(self._choices):
            raise SkipAction
        self.choose(there)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if 0 <= event.y < len(self._choices):
            self.choose(event.y)

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()
