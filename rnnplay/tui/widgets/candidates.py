"""The likeliest tokens at one place of a text, and where the token that did come stands among them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from rnnplay.inspection.results import Candidate, TokenPrediction
from rnnplay.tui.axes import format_value
from rnnplay.tui.widgets.next_bars import LONGEST_TOKEN, bar
from rnnplay.tui.widgets.visible import MUTED, padded, percentage, shortened, visible_token


def candidate_rows(candidates: Sequence[Candidate], width: int, came: str | None = None) -> list[Content]:
    """A row each: token, bar, probability; ◂ after the token that came."""
    names = [shortened(visible_token(one.token), LONGEST_TOKEN) for one in candidates]
    label = max(map(cell_len, names), default=0)
    room = max(0, width - label - 9)
    return [
        Content.assemble(
            (padded(name, label), "bold $foreground"),
            " ",
            (bar(one.probability, room), "$primary"),
            (f"{percentage(one.probability):>6}", MUTED),
            (" ◂" if one.token == came else "  ", "bold $accent"),
        )
        for name, one in zip(names, candidates, strict=True)
    ]


def reading_rows(position: int, one: TokenPrediction) -> list[Content]:
    """What the cursor reads of the token at `position`: its probability, rank and surprisal."""
    name = shortened(visible_token(one.token), LONGEST_TOKEN)
    rank = "–" if one.rank is None else f"{one.rank:,}"
    return [
        Content.assemble((f"token {position + 1:,}  ", MUTED), (name, "bold $accent"), (f"  rank {rank}", MUTED)),
        Content.styled(f"p {percentage(one.probability)}  surprisal {format_value(one.surprisal)} nats", MUTED),
    ]
