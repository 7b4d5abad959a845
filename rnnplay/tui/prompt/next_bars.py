"""The most probable next tokens and their probabilities, on one row or as bars; also of a model with a forced value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from rnnplay.inspection.results import Candidate, Completed
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.widgets.visible import FAINT, MUTED, padded, percentage, shortened, visible_line, visible_token

EIGHTHS = " ▏▎▍▌▋▊▉"
LONGEST_TOKEN = 14
_FORCED_TOKENS = 3
"""Number of next tokens listed."""
BAR_ROWS = 3
"""The least height at which bars are shown."""


class NextBars(Widget):
    """The most probable next tokens, and the pieces of the prompt that the model cannot read. A click takes a token."""

    DEFAULT_CSS = """
    NextBars { height: 1; width: 1fr; }
    """

    @dataclass
    class Taken(Message):
        """The user clicked on a token; `text` is what it adds to the prompt."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._next: list[Candidate] = []
        self._unknown: list[str] = []
        self._places: list[range] = []
        """The cells of each token on the single row, in order; empty where there are bars."""

    def show(self, candidates: Sequence[Candidate], unknown: Sequence[str] = ()) -> None:
        """Shows `candidates`, most probable first, and the pieces of the prompt that have no token."""
        if (list(candidates), list(unknown)) != (self._next, self._unknown):
            self._next, self._unknown = list(candidates), list(unknown)
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        if height >= BAR_ROWS:
            return self._render_rows(width, height)
        return self._render_row(width)

    def on_click(self, event: events.Click) -> None:
        """Takes the token under the mouse."""
        event.stop()
        if (at := self._index_at(event.x, event.y)) is not None and self._next[at].text:
            self.post_message(self.Taken(self._next[at].text))

    def _index_at(self, x: int, y: int) -> int | None:
        if self.content_size.height < BAR_ROWS:
            return next((at for at, place in enumerate(self._places) if x in place), None)
        shown = self._bars_shown(self.content_size.height)
        return y - 1 if 1 <= y <= shown else None

    def _bars_shown(self, height: int) -> int:
        """The number of bars below the title row."""
        return min(len(self._next), height - 1 - bool(self._unknown))

    def _note(self, width: int) -> Content | None:
        if self._unknown:
            text = f"unknown: {', '.join(map(visible_line, self._unknown[:40]))}"
            return Content.styled(shortened(text, max(0, width - 8)) + " → <unk>", "$warning")
        return None

    def _render_row(self, width: int) -> Content:
        """ "next a 97% e 2% i 0.4%": as many tokens as fit."""
        parts: list[Content] = []
        self._places = []
        note = self._note(max(width // 2, 24) if self._next else width)
        if note is not None:
            parts.append(note)
        if self._next:
            parts.append(Content.styled("next", FAINT))
            free = width - sum(part.cell_length + 2 for part in parts) + 2
            for candidate in self._next:
                text, probability = _token(candidate), percentage(candidate.probability)
                free -= cell_len(text) + len(probability) + 3
                if free < 0:
                    break
                start = sum(part.cell_length + 2 for part in parts)
                self._places.append(range(start, start + cell_len(text) + 1 + len(probability)))
                parts.append(Content.assemble((text, "bold $foreground"), " ", (probability, MUTED)))
        return Content("  ").join(parts)

    def _render_rows(self, width: int, height: int) -> Content:
        rows: list[Content] = []
        note = self._note(width)
        if self._next:
            rows.append(Content.styled("next", FAINT))
        shown = self._next[: self._bars_shown(height)]
        label_width = max((cell_len(_token(candidate)) for candidate in shown), default=0)
        bar_width = max(0, width - label_width - 7)
        for candidate in shown:
            filled = bar(candidate.probability, bar_width)
            rows.append(
                Content.assemble(
                    (padded(_token(candidate), label_width), "bold $foreground"),
                    " ",
                    (filled, "$primary"),
                    (f"{percentage(candidate.probability):>6}", MUTED),
                )
            )
        if note is not None:
            rows.append(note)
        return Content("\n").join(rows)


def _token(candidate: Candidate) -> str:
    return shortened(visible_token(candidate.token), LONGEST_TOKEN)


def bar(probability: float, width: int) -> str:
    """A bar of `width` cells, filled to an eighth of a cell; empty for an invalid probability."""
    if not 0 <= probability <= 1:
        return " " * width
    eighths = round(probability * width * 8)
    if probability > 0 and width:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(width)


class ForcedLine(Widget):
    """The row that names the forced value of the model: "⚑ forget gate closed → went  t 62%  a 9%  (u releases)"."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._what = ""
        self._answer: Completed | None = None

    def show(self, what: str) -> None:
        """Names the forced value."""
        if what != self._what:
            self._what, self._answer = what, None
            self.refresh()

    def answer(self, alternative: Completed | None) -> None:
        """Shows the completion of the model with the forced value."""
        if alternative != self._answer:
            self._answer = alternative
            if self._what:
                self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        end = Content.styled(
            fill_keys("  ({playground.inspect}, {inspection.view-4} changes; {playground.release} releases)"), FAINT
        )
        answer = Content("")
        if self._answer is not None:
            parts = [(" → ", MUTED), (shortened(visible_line(self._answer.suggestion), 24), "bold $accent")]
            for one in self._answer.next[:_FORCED_TOKENS]:
                token = shortened(visible_token(one.token), LONGEST_TOKEN)
                parts += [(f"  {token} ", "$foreground"), (percentage(one.probability), MUTED)]
            answer = Content.assemble(*parts)
        what = f"⚑ {visible_line(self._what)}"
        for tail in (Content.assemble(answer, end), answer):
            if len(what) + tail.cell_length <= width:
                return Content.assemble((what, "$warning"), tail)
        return Content.assemble((shortened(what, max(8, width - answer.cell_length)), "$warning"), answer)
