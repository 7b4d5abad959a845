"""The most probable tokens at one position of a text, and the rank of the actual token among them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content

from rnnplay.inspection.results import Candidate, TokenPrediction
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.prompt.next_bars import LONGEST_TOKEN, NextBars, bar
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import MUTED, padded, percentage, shortened, visible_token


class CandidateBars(Lines):
    """The most probable next tokens as bars; a click takes a token, as in the bars of the prompt."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._tokens: list[Candidate] = []

    def show_tokens(self, tokens: Sequence[Candidate], width: int) -> None:
        """Shows `tokens`, most probable first, on rows of `width` cells."""
        self._tokens = list(tokens)
        self.show(candidate_rows([Candidate(token=one.token, probability=one.probability) for one in tokens], width))

    def show_note(self, rows: Sequence[Content]) -> None:
        """Shows `rows` of text instead of tokens."""
        self._tokens = []
        self.show(rows)

    def on_click(self, event: events.Click) -> None:
        """Takes the token under the mouse."""
        event.stop()
        if 0 <= event.y < len(self._tokens) and (text := self._tokens[event.y].text):
            self.post_message(NextBars.Taken(text))


def candidate_rows(candidates: Sequence[Candidate], width: int, came: str | None = None) -> list[Content]:
    """One row per token: token, bar, probability; ◂ after the actual token."""
    names = [shortened(visible_token(one.token), LONGEST_TOKEN) for one in candidates]
    label = max(map(cell_len, names), default=0)
    bar_width = max(0, width - label - 9)
    return [
        Content.assemble(
            (padded(name, label), "bold $foreground"),
            " ",
            (bar(one.probability, bar_width), "$primary"),
            (f"{percentage(one.probability):>6}", MUTED),
            (" ◂" if one.token == came else "  ", "bold $accent"),
        )
        for name, one in zip(names, candidates, strict=True)
    ]


def reading_rows(position: int, one: TokenPrediction) -> list[Content]:
    """The probability, rank and surprisal of the token at `position`, as rows of text."""
    name = shortened(visible_token(one.token), LONGEST_TOKEN)
    rank = "–" if one.rank is None else f"{one.rank:,}"
    return [
        Content.assemble((f"token {position + 1:,}  ", MUTED), (name, "bold $accent"), (f"  rank {rank}", MUTED)),
        Content.styled(f"p {percentage(one.probability)}  surprisal {format_value(one.surprisal)} nats", MUTED),
    ]
