"""One timestep of an LSTM, walked through: a picture of the cell with its numbers, forward and backward."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from rnnplay.engine import messages
from rnnplay.inspection.cell.drawing import (
    STAGES,
    TITLES,
    UNITS,
    WIDTH,
    Kind,
    Stage,
    drawing,
    equations,
    is_backward,
)
from rnnplay.inspection.questions import TimestepQuestion
from rnnplay.inspection.results import Timestep
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines, translation_of
from rnnplay.tui.widgets.visible import FAINT, MUTED, shortened, visible_token

LONGEST_TOKEN = 8
"""Cells of a token in the picture."""
MOST_EQUATIONS = 4
"""Lines of equations below the picture; of some stages fewer."""
FORWARD, BACKWARD = "$primary", "$warning"
STYLES: dict[Kind, str] = {"wire": FAINT, "label": MUTED, "old": "$foreground", "new": ""}


class CellPicture(Lines, can_focus=True):
    """The picture and the equations below it; takes the keys of the walk."""

    DEFAULT_CSS = """
    CellPicture { width: 1fr; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter,down", "stage(1)", "Next stage", key_display="space", id="timestep.next"),
        Binding("backspace,up", "stage(-1)", "Stage before", key_display="⌫", id="timestep.before"),
        Binding("left", "token(-1)", "Token", key_display="←→", id="timestep.token-before"),
        Binding("right", "token(1)", "", show=False, id="timestep.token-after"),
        Binding("u", "units(1)", "Units", id="timestep.more-units"),
        Binding("U", "units(-1)", "", show=False, id="timestep.fewer-units"),
    ]

    def action_stage(self, by: int) -> None:
        self._view.move_stage(by)

    def action_token(self, by: int) -> None:
        self._view.move_token(by)

    def action_units(self, by: int) -> None:
        self._view.move_units(by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "units" or self._view.state.config.hidden > UNITS

    @property
    def _view(self) -> TimestepView:
        assert isinstance(self.parent, TimestepView)
        return self.parent

    def on_click(self) -> None:
        self._view.move_stage(1)


class TimestepView(InspectView):
    """Steps through the stages of the timestep that reads the token chosen."""

    NAME = "timestep"
    DESCRIPTION = (
        "One timestep of two units: {timestep.next} goes from the gates to the loss, and back through the gradients."
    )
    HELP = """
    ## Timestep

    One timestep of an LSTM's top layer, two units at a time, in eight stages: the gates, the cell, the hidden state
    and the loss; then the gradient of that loss, back through the same picture to the states of the timestep before.
    The equations below have the same numbers in them. States before this timestep count as given.

    - `{timestep.next}` or a click: the next stage; `{timestep.before}` the one before; after the last comes the first
    - `{timestep.token-before}` `{timestep.token-after}`: the timestep of another token; `{timestep.more-units}`
      `{timestep.fewer-units}`: other units, where there are more than two
    - `e` or a click edits the text, `escape` leaves it; `r` asks again
    """
    READS_TEXT = True

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self.stage: Stage = "gates"
        self._position = -1
        self._first = 0
        self._found: Timestep | None = None
        self._about = ""

    def compose(self) -> ComposeResult:
        yield CellPicture()

    @property
    def shown_quantity(self) -> str:
        return self.stage

    def ask(self) -> int | None:
        if self.text != self._about:  # show the last timestep of a new text
            self._about, self._position = self.text, -1
        if not self.text:
            return None
        question = TimestepQuestion(text=self.text, position=self._position, first=self._first, count=UNITS)
        return self.controller.inspect(question)

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if isinstance(event, messages.Inspected) and isinstance(event.result, Timestep):
            self._found = event.result
            self.shown_step = event.result.step
            self._draw()

    def move_stage(self, by: int) -> None:
        """Goes to the next stage, or to the one before."""
        self.stage = STAGES[(STAGES.index(self.stage) + by) % len(STAGES)]
        self._draw()
        self.post_message(self.Changed())  # the answer tells the lesson that this stage is shown

    def move_token(self, by: int) -> None:
        """Goes to the timestep of the next token, or of the one before."""
        if self._found is not None:
            self._position = min(max(0, self._found.position + by), len(self._found.tokens) - 2)
            self.post_message(self.Changed())

    def move_units(self, by: int) -> None:
        """Goes to the next units, or to those before."""
        if self._found is not None:
            self._first = min(max(0, self._found.units[0] + by * UNITS), max(0, self._found.hidden - UNITS))
            self.post_message(self.Changed())

    def _draw(self) -> None:
        if (found := self._found) is None:
            return
        read, following = (
            shortened(visible_token(found.tokens[at]), LONGEST_TOKEN) for at in (found.position, found.position + 1)
        )
        fresh = f"bold {BACKWARD if is_backward(self.stage) else FORWARD}"
        rows = [
            Content.assemble(*((piece.text, STYLES[piece.kind] or fresh) for piece in row))
            for row in drawing(found, self.stage, read)
        ]
        below = [
            Content.styled(line, MUTED if line.startswith(" ") else "$foreground")
            for line in equations(found, self.stage, following)
        ]
        picture = self.query_one(CellPicture)
        gap = [Content("")] if picture.size.height >= len(rows) + 1 + MOST_EQUATIONS + 2 else []
        picture.show([self._headline(found), *gap, *rows, *gap, *below])

    def _headline(self, found: Timestep) -> Content:
        translated = translation_of(self)
        at = STAGES.index(self.stage) + 1
        stage = f"{at}/{len(STAGES)} {translated(TITLES[self.stage])}"
        place = f"{found.position + 1}/{len(found.tokens) - 1}"
        units = f"{found.units[0]}–{found.units[-1]}/{found.hidden}" if found.hidden > UNITS else ""
        right = f"{translated('token')} {place}" + (f"  {translated('units')} {units}" if units else "")
        color = BACKWARD if is_backward(self.stage) else FORWARD
        width = max(0, min(WIDTH, self.size.width - 2))
        gap = " " * max(2, width - cell_len(stage) - cell_len(right))
        return Content.assemble((stage, f"bold {color}"), gap, (right, MUTED))

    def on_resize(self) -> None:
        self._draw()
