"""What the views of the inspection screen have in common."""

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
    """Gradient curves that outlive a look at them, and a run."""

    kept: list[GradientCurve] = field(default_factory=list)
    """What the user keeps to compare other runs with."""
    initial: dict[tuple[str, int], GradientCurve] = field(default_factory=dict)
    """Of the weights before the first step, by run and largest distance."""


class InspectView(Vertical):
    """Makes questions for the engine and draws the answers; the screen decides when, by `pace`."""

    DEFAULT_CSS = """
    InspectView { height: 1fr; padding: 0 1; }
    InspectView.nothing * { text-opacity: 0%; }
    """
    NAME: ClassVar[str] = ""
    DESCRIPTION: ClassVar[str] = ""
    """What one sees, in a sentence or two for somebody who has just read about the model."""
    READS_TEXT: ClassVar[bool] = False
    """Whether it is about a text, which the screen lets the user type."""
    INTERVAL: ClassVar[float] = 2.0
    """Seconds between two questions while training moves on."""
    ENGINE_FRACTION: ClassVar[float] = 0.05
    """Of the engine's time that the answers may take."""

    class Changed(Message):
        """The user chose something else: ask again."""

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__()
        self.controller = controller
        self.curves = curves
        self.text = ""
        self.pace = Pace(self.INTERVAL, self.ENGINE_FRACTION)
        self.shown_step: int | None = None
        """The step of the weights that the last answer is about."""

    @property
    def description(self) -> str:
        """What is said below the view."""
        return self.DESCRIPTION

    @property
    def state(self) -> RunState:
        return self.controller.state

    def begin_with(self, quantity: str) -> None:
        """Show that quantity first: the lesson's next step is about it."""

    @property
    def shown_quantity(self) -> str:
        """The quantity that is shown, where the view shows one at a time."""
        return ""

    def ask(self) -> int | None:
        """Ask the engine; returns the request's number, None where there is nothing to ask."""
        raise NotImplementedError

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        """Draw what the engine found."""
        raise NotImplementedError

    def refused(self) -> None:
        """The engine could not answer; the screen says why."""

    def refresh_state(self) -> None:
        """Several times a second, for what is drawn from the run's state itself."""

    def focus_body(self) -> None:
        """Put the keys on what the view is about."""
        for widget in self.query("*"):
            if widget.focusable:
                self.screen.set_focus(widget)
                return
