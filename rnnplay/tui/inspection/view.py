"""The base class of the views of the inspection screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from textual.containers import Vertical
from textual.message import Message

from rnnplay.engine import messages
from rnnplay.inspection.results import GradientCurve
from rnnplay.tui.pacing import Pace
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_state import RunState


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
