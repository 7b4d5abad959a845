"""The race's table on the screen: variants by rank, one of them selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.ranking import Ranking, table_lines
from rnnplay.tui.widgets.text import Lines, translation_of

SELECTED = "on $primary 25%"
SELECTED_BLURRED = "on $foreground 10%"


class RankTable(Lines, can_focus=True):
    """A line per variant. The selection stays with its variant when ranks change."""

    DEFAULT_CSS = """
    RankTable { height: auto; width: 1fr; padding: 0 1; }
    """
    HELP = """
    ## The table

    The variants, best first. *valid* is the lowest validation loss (nats per token) up to where all variants have
    been validated, so that none is compared with more training than another: the head of the table says where that
    is, and `~` marks an estimate between two validations. `m` compares at equal steps, tokens or seconds. *train* is
    the smoothed training loss, *clipped* the fraction of the last 100 steps whose gradient was clipped.

    With several seeds the rank is by the *mean* over the seeds that are done, and *range* is their least and greatest.

    `↑` `↓` or a click select a variant, for `p`, `d`, `r`, `i` and `Enter`.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Variant above", show=False, id="race.up"),
        Binding("down", "move(1)", "Variant below", show=False, id="race.down"),
        Binding("home", "move(-9)", show=False, id="race.first"),
        Binding("end", "move(9)", show=False, id="race.last"),
    ]

    @dataclass
    class Chosen(Message):
        """A double click on a variant."""

        entrant: Entrant

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._ranking: Ranking | None = None
        self._selected: Entrant | None = None

    @property
    def selected(self) -> Entrant | None:
        """The selected variant; at first the one in the first line."""
        found = self._shown()
        if self._selected in found:
            return self._selected
        return found[0] if found else None

    def _shown(self) -> list[Entrant]:
        return [row.entrant for row in self._ranking.rows] if self._ranking is not None else []

    def show_ranking(self, ranking: Ranking) -> None:
        """Shows `ranking`, and repaints the lines that differ."""
        if self._selected is None and ranking.rows:
            self._selected = ranking.rows[0].entrant
        self._ranking = ranking
        self._draw()

    def _draw(self) -> None:
        if self._ranking is None or not self.content_size.width:
            return
        width = self.content_size.width
        lines = table_lines(self._ranking, width, self.app.current_theme.dark, translation_of(self))
        selected = self.selected
        style = SELECTED if self.has_focus else SELECTED_BLURRED
        drawn = [lines[0]]
        for line, row in zip(lines[1:], self._ranking.rows, strict=True):
            if row.entrant is selected:
                line = line.pad_right(max(0, width - line.cell_length)).stylize_before(style)
            drawn.append(line)
        self.show(drawn)

    def action_move(self, rows: int) -> None:
        """Selects the variant `rows` lines below."""
        found = self._shown()
        if found and self.selected is not None:
            self._select(found[min(max(found.index(self.selected) + rows, 0), len(found) - 1)])

    def _select(self, entrant: Entrant) -> None:
        self._selected = entrant
        self._draw()
        self.screen.refresh_bindings()

    def on_click(self, event: events.Click) -> None:
        """Selects the variant under the mouse; the second of two clicks chooses it."""
        event.stop()
        found = self._shown()
        at = event.y - 1
        if 0 <= at < len(found):
            self._select(found[at])
            if event.chain == 2:
                self.post_message(self.Chosen(found[at]))

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()
