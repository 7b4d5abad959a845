"""Connectivity: the earlier tokens that a prediction depends on."""

from __future__ import annotations

import math

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from rnnplay.engine import messages
from rnnplay.inspection.questions import ConnectivityQuestion
from rnnplay.inspection.results import Connectivity
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.heatmap.shades import fractions, level
from rnnplay.tui.heatmap.token_text import TokenText
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.prompt.next_bars import LONGEST_TOKEN, bar
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import MUTED, padded, percentage, shortened, visible_token

SIDE = 30
STRONGEST = 10


class ConnectivityView(InspectView):
    """Shows the gradient of the prediction at the cursor."""

    SCOPED_CSS = False  # some rules depend on the size of the screen
    DEFAULT_CSS = f"""
    ConnectivityView > Lines {{ height: 1; }}
    ConnectivityView #strongest {{ width: {SIDE}; margin-left: 2; height: auto; }}
    .-broad ConnectivityView #strongest {{ width: 44; }}
    """
    NAME = "connectivity"
    DESCRIPTION = (
        "The prediction after the token under the cursor, and how much each token before it had to do with that: the "
        "squared gradient of the predicted token's logit. Blocks show its square root."
    )
    HELP = """
    ## Connectivity

    The logit of the most probable next token is differentiated with respect to the embedding of every token read so
    far; the squared length of that gradient says how much a small change there would change the prediction (Madsen
    2019).

    - `{tokens.before}` `{tokens.after}` `{tokens.row-above}` `{tokens.row-below}` or a click choose which prediction
    - `e` or a click edits the text, `escape` leaves it; `r` asks again
    """
    READS_TEXT = True

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self._position = -1
        self._found: Connectivity | None = None
        self._about = ""

    def compose(self) -> ComposeResult:
        yield Lines(id="connectivity-target")
        with Horizontal():
            yield TokenText(id="connectivity-text")
            with Vertical():
                yield Lines(id="strongest")

    def on_mount(self) -> None:
        self.query_one(Vertical).styles.width = "auto"

    def ask(self) -> int | None:
        if self.text != self._about:  # show the last prediction of a new text
            self._about, self._position = self.text, -1
        if not self.text:
            return None
        return self.controller.inspect(ConnectivityQuestion(text=self.text, position=self._position))

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if not isinstance(event, messages.Inspected) or not isinstance(event.result, Connectivity):
            return
        found = self._found = event.result
        self.shown_step = found.step
        norms = [math.sqrt(strength) if strength >= 0 else math.nan for strength in found.strengths]
        levels = [level(fraction) for fraction in fractions(norms)]
        levels += [-1] * (len(found.tokens) - len(levels))
        self.query_one(TokenText).show(found.tokens, levels, found.position)
        self.query_one("#connectivity-target", Lines).show(self.told([target_row(found)]))
        self._show_strongest()

    def _show_strongest(self) -> None:
        if self._found is not None:
            lines = self.query_one("#strongest", Lines)
            lines.show(self.told(strongest_rows(self._found, lines.size.width or SIDE), "$warning"))

    def on_resize(self) -> None:
        self._show_strongest()

    @on(TokenText.Moved)
    def _moved(self, event: TokenText.Moved) -> None:
        event.stop()
        self._position = event.index
        self.post_message(self.Changed())


def target_row(found: Connectivity) -> Content:
    """Returns the title row, e.g. "after token 12 (␣) it expects a  step 600"."""
    token = found.tokens[found.position] if found.position < len(found.tokens) else ""
    return Content.assemble(
        (f"after token {found.position + 1:,} ({shortened(visible_token(token), LONGEST_TOKEN)}) it expects ", MUTED),
        ("–" if found.target is None else shortened(visible_token(found.target), LONGEST_TOKEN), "bold $accent"),
        (f"  step {found.step:,}", MUTED),
    )


def strongest_rows(found: Connectivity, width: int) -> list[Content]:
    """Returns the strongest tokens: token, distance, bar, and fraction of the sum of all squared gradients."""
    finite = [(s, i) for i, s in enumerate(found.strengths) if math.isfinite(s) and s > 0]
    total = sum(strength for strength, _ in finite)
    rows = [Content.styled(f"fraction of {format_value(total)} in all", MUTED)] if finite else []
    if not finite:
        return [Content.styled("the gradient is 0, or not finite", "$warning")]
    best = sorted(finite, reverse=True)[:STRONGEST]
    names = [shortened(visible_token(found.tokens[index]), 8) for _, index in best]
    label = max(map(cell_len, names))
    bar_width = max(0, width - label - 18)
    for name, (strength, index) in zip(names, best, strict=True):
        back = found.position - index
        rows.append(
            Content.assemble(
                (padded(name, label), "bold $foreground"),
                (f" {'the last' if not back else f'{back} back':>9} ", MUTED),
                (bar(strength / total, bar_width), "$primary"),
                (f"{percentage(strength / total):>6}", MUTED),
            )
        )
    return rows
