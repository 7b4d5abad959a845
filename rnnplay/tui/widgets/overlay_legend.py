"""The line under the charts that says which curve is which run's, while runs are overlaid."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from rnnplay.common.formatting import fixed
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.overlay import OverlaidRun
from rnnplay.tui.widgets.visible import MUTED, middle_shortened, visible_line

SHORTEST, LONGEST = 8, 28
"""Cells of a run's name."""
ROWS = 3
HINT = "{playground.clear-overlay} takes them off"


class OverlayLegend(Static):
    """Mark, name and last validation loss of each overlaid run; hidden while there is none."""

    DEFAULT_CSS = """
    OverlayLegend { height: auto; max-height: 3; padding: 0 1; display: none; }
    OverlayLegend.shown { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__("", id=id, markup=False)
        self._runs: Sequence[OverlaidRun] = ()
        self._in_bits = False
        self._text: Content | None = None

    def show(self, runs: Sequence[OverlaidRun], in_bits: bool = False) -> None:
        """Shows `runs`, repainting only what differs; `in_bits`: with their bits per character instead of losses."""
        self._runs, self._in_bits = runs, in_bits
        if self.has_class("shown") != bool(runs):
            self.set_class(bool(runs), "shown")
        self._refill()

    def on_resize(self) -> None:
        self._refill()

    def _refill(self) -> None:
        text = legend(self._runs, self.content_size.width, self.app.current_theme.dark, self._in_bits)
        if self._text is None or text.markup != self._text.markup:
            self._text = text
            self.update(text)


def legend(runs: Sequence[OverlaidRun], width: int, dark: bool, in_bits: bool = False) -> Content:
    """Returns the rows for `runs`, ROWS at most, in `width` cells; `dark`: whether the background is.

    "■ tales-rnn-128-01 1.513  ▲ tales-gru-128-01 ● 1.482": a filled circle marks a run that is being trained.
    """
    longest = LONGEST
    while (rows := _rows(runs, 0, width, longest, dark, in_bits)) is None and longest > SHORTEST:
        longest -= 4
    left_out = 0
    while rows is None and left_out < len(runs) - 1:
        left_out += 1
        rows = _rows(runs[:-left_out], left_out, width, SHORTEST, dark, in_bits)
    return Content("\n").join(rows or [])


def _rows(
    runs: Sequence[OverlaidRun], left_out: int, width: int, longest: int, dark: bool, in_bits: bool
) -> list[Content] | None:
    """The runs in rows, names of at most `longest` cells; None if that takes too many rows."""
    parts = [_part(run, longest, dark, in_bits) for run in runs]
    parts += [Content.styled(f"and {left_out} more", MUTED)] if left_out else []
    parts.append(Content.styled(fill_keys(HINT), MUTED))
    rows: list[Content] = []
    for part in parts:
        if rows and rows[-1].cell_length + 2 + part.cell_length <= width:
            rows[-1] = Content.assemble(rows[-1], "  ", part)
        else:
            rows.append(part)
    return rows if len(rows) <= ROWS else None


def _part(run: OverlaidRun, longest: int, dark: bool, in_bits: bool) -> Content:
    state = run.state
    valid = state.validation
    reached = 0.0 if valid is None else valid.bits_per_character if in_bits else valid.loss
    loss = f" {fixed(reached, 3)}" if valid is not None else ""
    live = " ●" if run.live else ""
    name = middle_shortened(visible_line(run.name), longest)
    return Content.assemble((f"{run.look.mark} ", f"bold {run.look.shade(dark)}"), f"{name}{live}", (loss, MUTED))
