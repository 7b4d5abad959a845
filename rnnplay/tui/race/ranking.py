"""The rows of the race's table: what each variant has reached, in order of its rank."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from textual.content import Content

from rnnplay.common.formatting import count_text, duration_text, fixed, waited_text
from rnnplay.experiments.fairness import Spread, spread, told_apart
from rnnplay.experiments.sharing import Measure
from rnnplay.experiments.standings import Row, Standings
from rnnplay.tui.chart.palette import DIED, RunLook
from rnnplay.tui.keymap import key_name
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.widgets.visible import FAINT, MUTED, padded, shortened, visible_line

SMOOTHING = 1
"""The smoothing of the training loss in the table, an index into history.SMOOTHINGS."""
LONGEST_LABEL, LEAST_LABEL = 32, 12
"""Cells of a label; before it gets less than the least, the states are shown by their symbols alone."""
KEPT = 9
"""Weight of the columns that stay, however narrow the table."""

STATES = {
    "starts": ("◌", "starting", "$warning"),
    "prepares": ("◌", "preparing", "$warning"),
    "waits": ("●", "training", "$success"),
    "trains": ("●", "training", "$success"),
    "paused": ("‖", "paused", "$warning"),
    "length": ("✓", "finished", "$success"),
    "early stop": ("✓", "no better", "$success"),
    "stopped": ("■", "stopped", "$warning"),
    "dropped": ("■", "dropped", "$warning"),
    "failed": (DIED, "failed", "$error"),
    "diverged": (DIED, "diverged", "$error"),
}
"""Symbol, word and colour of what an entry is doing or how it ended."""


@dataclass(frozen=True, slots=True)
class RankedRow:
    """What the table shows of a variant."""

    entrant: Entrant
    label: str
    look: RunLook
    row: Row
    place: int
    """From 1; 0 if it has no figure."""
    spread: Spread | None
    """Over the seeds whose race has ended."""
    train_loss: float
    clipped: float | None
    state: tuple[str, str, str]

    @property
    def died(self) -> bool:
        return self.row.died is not None or self.row.state == "failed"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The whole table."""

    rows: list[RankedRow]
    standings: Standings
    seeds: int
    """How many seeds the spreads are over."""
    sentence: str
    """What the table shows, in a sentence; "" while it shows nothing."""


def ranking(live: LiveRace, measure: Measure) -> Ranking:
    """Returns the table by equal `measure`: by the mean over the seeds that are done, or else by the present race."""
    now = live.standings(measure=measure)
    ended = [at for at, race in enumerate(live.races) if race.over] if live.plan.repeats > 1 else []
    whole = [at for at in ended if not any(entry.progress.ended == "stopped" for entry in live.races[at].entries)]
    done = [live.standings(at, measure) for at in whole or ended]
    spreads = {one: _spread(one.label, done) for one in live.entrants}
    by_label = {row.label: row for row in now.rows}
    order = [one for row in now.rows for one in live.entrants if one.label == row.label]
    if done:
        order.sort(key=lambda one: found.mean if (found := spreads[one]) else math.inf)
    rows = []
    for at, one in enumerate(order, 1):
        row = by_label[one.label]
        known = spreads[one] is not None if done else row.rank > 0
        rows.append(
            RankedRow(
                entrant=one,
                label=visible_line(one.title),
                look=one.look,
                row=row,
                place=(at if done else row.rank) if known else 0,
                spread=spreads[one],
                train_loss=one.curves[-1].loss["steps"].smoothed(SMOOTHING),
                clipped=one.clipped_fraction,
                state=state_of(one, row),
            )
        )
    return Ranking(rows, now, len(done), _sentence(live, rows, len(done)))


def _spread(label: str, done: Sequence[Standings]) -> Spread | None:
    found = [row.equal for table in done for row in table.rows if row.label == label and row.rank]
    return spread([figure for figure in found if figure is not None])


def state_of(one: Entrant, row: Row) -> tuple[str, str, str]:
    """Returns the symbol, word and colour of what a variant is doing."""
    symbol, word, style = STATES.get(row.state, ("", row.state, ""))
    controller = one.controller
    if controller.engine_silent and not one.entry.over:
        return DIED, f"no answer for {waited_text(controller.engine_silent)}", "$error"
    if row.state == "waits" and one.entry.progress.last is None:
        return "◌", "ready", "$warning"
    if row.died is not None:
        return DIED, f"diverged at {row.died:,}", "$error"
    if row.state in ("waits", "trains") and row.rollbacks:
        return symbol, f"{word}, put back {row.rollbacks}×", "$warning"
    return symbol, word, style


def _sentence(live: LiveRace, rows: Sequence[RankedRow], seeds: int) -> str:
    """Says what went wrong, or else whether the first two can be told apart."""
    for one in rows:
        if one.entrant.controller.engine_silent and not one.entrant.entry.over:
            return (
                f"The engine of {one.label} does not answer, and the others may wait for it: "
                f"{key_name('race.pause')} continues a stopped "
                f"one, {key_name('race.drop')} kills it, without {one.entrant.controller.state.at_risk}."
            )
        if one.entrant.entry.phase == "failed":
            return (
                f"{one.label}: {visible_line(one.entrant.entry.why)} "
                f"Select it and press {key_name('race.resume')} to resume it."
            )
    if seeds:
        first = [(one.label, one.spread) for one in rows if one.spread is not None][:2]
        if len(first) == 2 and first[0][1] is not None and first[1][1] is not None:
            return told_apart((first[0][0], first[0][1]), (first[1][0], first[1][1]))
    placed = [one for one in rows if one.place]
    if live.over and len(placed) > 1 and live.plan.repeats == 1:
        best, second = placed[0], placed[1]
        return (
            f"{best.label} is ahead of {second.label} with one seed: the difference may be noise; "
            f"repeat the race ({key_name('race.new')})."
        )
    return ""


# --- the rows as text -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table."""

    title: str
    weight: int
    """Where not all fit, those of the lowest weight are omitted first."""
    cell: Callable[[RankedRow], str]
    style: str = MUTED


def columns(quality: str, seeds: int, translated: Callable[[str], str] = str) -> list[Column]:
    """Returns the columns right of the label; `seeds`: how many seeds are done."""
    valid = "valid" if quality == "loss" else "bits/char"
    found = [
        Column(valid, KEPT, equal_text, "bold $foreground"),
        Column("best", 1, lambda one: figure_text(one.row.best)),
        Column("train", 6, lambda one: figure_text(one.train_loss)),
        Column("steps", 5, lambda one: f"{one.row.step:,}"),
        Column("tokens", 2, lambda one: count_text(one.row.tokens)),
        Column("time", 3, lambda one: duration_text(one.row.seconds)),
        Column("tok/s", 4, lambda one: count_text(one.row.tokens_per_second) if one.row.tokens_per_second else ""),
        Column("clipped", 5, lambda one: "" if one.clipped is None else f"{one.clipped:.0%}"),
        Column("parameters", 2, lambda one: f"{one.row.parameters:,}" if one.row.parameters else ""),
        Column("", KEPT, state_cell),
    ]
    if seeds:
        found.insert(
            0,
            Column("mean", KEPT, lambda one: figure_text(one.spread.mean if one.spread else None), "bold $foreground"),
        )
        found.insert(1, Column(f"range of {seeds}", KEPT, spread_text))
        found[2] = Column("now", 1, found[2].cell)
    found[-1] = Column("", KEPT, lambda one: state_cell(one, translated=translated))
    return [replace(one, title=translated(one.title)) for one in found]


def figure_text(value: float | None) -> str:
    """Formats a loss: "1.432"; "–" if there is none yet."""
    return "–" if value is None or math.isnan(value) else "inf" if math.isinf(value) else fixed(value, 3)


def equal_text(one: RankedRow) -> str:
    """Formats what the present rank is by: "1.432", or "~1.432" if it lies between two validations."""
    return "~" * one.row.interpolated + figure_text(one.row.equal)


def state_cell(one: RankedRow, brief: bool = False, translated: Callable[[str], str] = str) -> str:
    """Says what a variant is doing: "● training", or the symbol alone."""
    return one.state[0] if brief and one.state[0] else f"{one.state[0]} {translated(one.state[1])}"


def spread_text(one: RankedRow) -> str:
    """Formats the range over the seeds, and their number where some have no figure."""
    return "–" if one.spread is None else f"{figure_text(one.spread.low)}–{figure_text(one.spread.high)}"


def compared_at(standings: Standings) -> str:
    """Says where the variants are compared: "at 34 s", "at 1.2M tokens"; "" before that is known."""
    if not standings.at:
        return "each at its end" if any(row.rank for row in standings.rows) else ""
    if standings.measure == "seconds":
        return f"at {waited_text(standings.at)}"
    amount = count_text(standings.at) if standings.measure == "tokens" else f"{standings.at:,.0f}"
    return f"at {amount} {standings.measure}"


def table_lines(table: Ranking, width: int, dark: bool = True, translated: Callable[[str], str] = str) -> list[Content]:
    """Returns the header and a line per variant, each at most `width` cells wide."""
    title = translated(compared_at(table.standings))
    labels = [shortened(one.label, LONGEST_LABEL) for one in table.rows]
    label_width = max(cell_len(text) for text in (title, *labels, translated("variant")))
    shown = columns(table.standings.quality, table.seeds, translated)
    widths = [max(cell_len(text) for text in (one.title, *map(one.cell, table.rows))) for one in shown]
    front = 5  # place and mark
    for least in range(KEPT + 1):
        kept = [at for at, one in enumerate(shown) if one.weight >= least]
        needed = front + label_width + sum(widths[at] + 2 for at in kept)
        if needed <= width:
            break
    if brief := needed > width and label_width - (needed - width) < LEAST_LABEL:
        widths[-1] = max(cell_len(state_cell(one, brief=True)) for one in table.rows)
        needed = front + label_width + sum(widths[at] + 2 for at in kept)
    label_width = max(4, label_width - max(0, needed - width))
    shown, widths = [shown[at] for at in kept], [widths[at] for at in kept]
    header = "".join(
        f"  {' ' * (size - cell_len(one.title))}{one.title}" for one, size in zip(shown, widths, strict=True)
    )
    lines = [Content.styled(f"{'':{front}}{padded(title, label_width)}{header}", FAINT)]
    for one, label in zip(table.rows, labels, strict=True):
        parts = [
            Content.styled(f"{one.place or '–':>2} ", MUTED),
            Content.styled(f"{one.look.mark} ", one.look.shade(dark)),
            Content.styled(padded(label, label_width), "bold $foreground" if one.place == 1 else "$foreground"),
        ]
        for column, size in zip(shown, widths, strict=True):
            last = column is shown[-1]
            cell = state_cell(one, brief, translated) if last else column.cell(one)
            style = one.state[2] if last else column.style
            parts.append(Content.styled(f"  {cell if last else cell.rjust(size)}", style))
        lines.append(Content.assemble(*parts))
    return lines
