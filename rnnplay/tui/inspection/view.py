"""The base class of the views of the inspection screen, and the tabs that choose between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from rnnplay.engine import messages
from rnnplay.inspection.results import GradientCurve
from rnnplay.tui.pacing import Pace
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_state import RunState
from rnnplay.tui.widgets.text import rows_in_language
from rnnplay.tui.widgets.visible import FAINT, MUTED, shortened

SHORTEST_TAB = 3
"""Cells of the shortest name: its number and …."""


@dataclass
class Curves:
    """Gradient curves that outlast the screen and the run."""

    kept: list[GradientCurve] = field(default_factory=list)
    """Curves that the user keeps for comparison."""
    initial: dict[tuple[str, int], GradientCurve] = field(default_factory=dict)
    """Curves of the initial weights, by run and largest distance."""


class InspectView(Vertical):
    """Asks questions of the engine and draws the answers; the screen decides when, by `pace`."""

    DEFAULT_CSS = """
    InspectView { height: 1fr; padding: 0 1; }
    InspectView.nothing * { text-opacity: 0%; }
    """
    NAME: ClassVar[str] = ""
    DESCRIPTION: ClassVar[str] = ""
    """What the view shows, in a sentence or two for a newcomer."""
    READS_TEXT: ClassVar[bool] = False
    """Whether the view examines the text, which the screen then lets the user edit."""
    INTERVAL: ClassVar[float] = 2.0
    """Seconds between two questions during training."""
    ENGINE_FRACTION: ClassVar[float] = 0.05
    """Fraction of the engine's time that answers may take."""

    class Changed(Message):
        """The user's choice has changed, so the question must be asked again."""

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__()
        self.controller = controller
        self.curves = curves
        self.text = ""
        self.pace = Pace(self.INTERVAL, self.ENGINE_FRACTION)
        self.shown_step: int | None = None
        """The step of the weights in the last answer."""

    def told(self, rows: list[Content], *styles: str) -> list[Content]:
        """Returns rows in the language of the lesson: what is muted in them, or in one of `styles`, is no token."""
        return rows_in_language(self, rows, {MUTED, FAINT, *styles})

    @property
    def description(self) -> str:
        """The explanation below the view."""
        return self.DESCRIPTION

    @property
    def state(self) -> RunState:
        return self.controller.state

    def begin_with(self, quantity: str) -> None:
        """Shows `quantity`, which the lesson's next step is about, first."""

    @property
    def shown_quantity(self) -> str:
        """The quantity shown, if the view shows one at a time."""
        return ""

    def ask(self) -> int | None:
        """Asks the engine; returns the number of the request, or None if there is nothing to ask."""
        raise NotImplementedError

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        """Draws the engine's answer."""
        raise NotImplementedError

    def refused(self) -> None:
        """Handles a failed question; the screen shows the reason."""

    def refresh_state(self) -> None:
        """Draws what depends only on the run's state; called several times a second."""

    def focus_body(self) -> None:
        """Focuses the main widget of the view."""
        for widget in self.query("*"):
            if widget.focusable:
                self.screen.set_focus(widget)
                return


class ViewTabs(Widget, can_focus=True):
    """Tabs such as "1 gradient 2 predictions …"; the current one is underlined. A narrow row shortens long names."""

    DEFAULT_CSS = """
    ViewTabs { height: 1; width: 1fr; pointer: pointer; background: $foreground 6%; }
    ViewTabs:focus { background: $primary 25%; }
    """
    HELP = "The views: `1` to `8`, `←` `→` or a click."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "View", key_display="←→", id="inspection.view-before"),
        Binding("right", "step(1)", "", show=False, id="inspection.view-after"),
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
        """The names, the longest ones shortened as far as it takes to show all of them; their numbers if none fits."""
        room = self.size.width - (len(self._names) - 1)
        for longest in range(max(map(cell_len, self._names), default=0), SHORTEST_TAB, -1):
            names = [shortened(name, longest) for name in self._names]
            if sum(map(cell_len, names)) <= room:
                return names
        return [name.split()[0] for name in self._names]

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
