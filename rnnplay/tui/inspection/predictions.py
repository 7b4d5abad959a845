"""The output at every timestep: a text shaded by the surprisal of each token."""

from __future__ import annotations

from math import log

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from rnnplay.common.formatting import unknown_text
from rnnplay.engine import messages
from rnnplay.inspection.questions import PredictionsQuestion
from rnnplay.inspection.results import Predictions
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.heatmap.shades import fractions, level
from rnnplay.tui.heatmap.token_text import TokenText
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.prompt.candidates import candidate_rows, reading_rows
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import MUTED, shortened, visible_line

SIDE = 30
"""Width of the distribution on the right, in cells."""


class PredictionsView(InspectView):
    """Shows the predictions for the text; the cursor selects the one to read."""

    SCOPED_CSS = False  # some rules depend on the size of the screen
    DEFAULT_CSS = f"""
    PredictionsView > Lines {{ height: auto; }}
    PredictionsView #distribution {{ width: {SIDE}; margin-left: 2; }}
    .-broad PredictionsView #distribution {{ width: 44; }}
    PredictionsView #distribution Lines {{ height: auto; }}
    """
    NAME = "predictions"
    DESCRIPTION = (
        "The higher the block under a token, the more it surprised the model: -ln of the probability it had. A full "
        "block is as surprising as a blind guess among all tokens. The loss is the mean of these."
    )
    HELP = """
    ## Predictions

    At every timestep the model gives each token a probability, before it sees which one comes. Its surprisal is
    -ln of that; their mean is the loss, and e to the loss the perplexity.

    - `{tokens.before}` `{tokens.after}` `{tokens.row-above}` `{tokens.row-below}` or a click read one
      token: the ten most probable there, and where the one that came (◂) stands
    - `e` or a click edits the text, `escape` leaves it; `r` asks again
    """
    READS_TEXT = True

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self._found: Predictions | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="prediction-totals")
        with Horizontal():
            yield TokenText(id="prediction-text")
            with Vertical(id="distribution"):
                yield Lines(id="prediction-reading")
                yield Lines(id="prediction-bars")

    def ask(self) -> int | None:
        return self.controller.inspect(PredictionsQuestion(text=self.text)) if self.text else None

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if not isinstance(event, messages.Inspected) or not isinstance(event.result, Predictions):
            return
        found = self._found = event.result
        self.shown_step = found.step
        most = log(max(self.state.vocabulary, 2))
        surprisals = fractions([one.surprisal for one in found.tokens], most)
        text = self.query_one(TokenText)
        text.show([one.token for one in found.tokens], [level(fraction) for fraction in surprisals])
        self.query_one("#prediction-totals", Lines).show(self.told(totals(found, self.size.width - 2)))
        self._read(text.cursor)

    @on(TokenText.Moved)
    def _moved(self, event: TokenText.Moved) -> None:
        event.stop()
        self._read(event.index)

    def _read(self, index: int) -> None:
        if self._found is None or index >= len(self._found.tokens):
            return
        one = self._found.tokens[index]
        width = self.query_one("#distribution").size.width
        self.query_one("#prediction-reading", Lines).show(self.told(reading_rows(index, one)))
        self.query_one("#prediction-bars", Lines).show(candidate_rows(one.top, width, one.token))

    def on_resize(self) -> None:
        if self._found is not None:
            self._read(self.query_one(TokenText).cursor)


def totals(found: Predictions, width: int) -> list[Content]:
    """Returns a summary, e.g. "24 tokens  loss 1.43 nats per token …", and a second row if some words are unknown."""
    count = len(found.tokens)
    text = (
        f"{count:,} {'token' if count == 1 else 'tokens'}  loss {format_value(found.loss)} nats per token  "
        f"perplexity {format_value(found.perplexity)}  step {found.step:,}"
    )
    if not found.unknown and not found.unknown_fraction:
        return [Content.styled(shortened(text, width), MUTED)]
    much = unknown_text(found.unknown_fraction)  # empty where only the text itself contains `<unk>`
    unknown = f"{much or '<unk>'}: {' '.join(map(visible_line, found.unknown[:40]))}"
    return [Content.styled(shortened(line, width), style) for line, style in ((text, MUTED), (unknown, "$warning"))]
