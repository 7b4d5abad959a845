"""One row under the prompt that says what is forced in the model, and how it would go on."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from rnnplay.inspection.results import Completed
from rnnplay.tui.prompt.next_bars import LONGEST_TOKEN
from rnnplay.tui.widgets.visible import FAINT, MUTED, percentage, shortened, visible_line, visible_token

MOST = 3
"""Next tokens that are named."""


class ForcedLine(Widget):
    """ "⚑ forget gate closed → went  t 62%  a 9%  (u releases)"."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._what = ""
        self._answer: Completed | None = None

    def show(self, what: str) -> None:
        """Say that `what` is forced."""
        if what != self._what:
            self._what, self._answer = what, None
            self.refresh()

    def answer(self, alternative: Completed | None) -> None:
        """The completion with it."""
        if alternative != self._answer:
            self._answer = alternative
            if self._what:
                self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        end = Content.styled("  (i, 4 changes; u releases)", FAINT)
        answer = Content("")
        if self._answer is not None:
            parts = [(" → ", MUTED), (shortened(visible_line(self._answer.suggestion), 24), "bold $accent")]
            for one in self._answer.next[:MOST]:
                token = shortened(visible_token(one.token), LONGEST_TOKEN)
                parts += [(f"  {token} ", "$foreground"), (percentage(one.probability), MUTED)]
            answer = Content.assemble(*parts)
        what = f"⚑ {visible_line(self._what)}"
        for tail in (Content.assemble(answer, end), answer):
            if len(what) + tail.cell_length <= width:
                return Content.assemble((what, "$warning"), tail)
        return Content.assemble((shortened(what, max(8, width - answer.cell_length)), "$warning"), answer)
