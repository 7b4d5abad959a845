"""Reports a race: as JSON lines, a live table in a terminal, or plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import click
import msgspec

from rnnplay.cli.support.console import printable
from rnnplay.cli.support.reporters import PLAIN_SECONDS, REDRAW_SECONDS, JsonReporter, event_line
from rnnplay.common.formatting import count_text, duration_text, fixed
from rnnplay.engine import messages
from rnnplay.experiments.conclusion import Conclusion
from rnnplay.experiments.race import Entry, Race
from rnnplay.experiments.race_plan import RacePlan
from rnnplay.experiments.sharing import Measure
from rnnplay.experiments.standings import Row, Standings
from rnnplay.runs.metrics.records import Finished, Record, Started, Step, Validation

if TYPE_CHECKING:
    from rich.table import Table

ENDS = {"length": "done", "early stop": "done early"}
"""How a variant ended, in the table, where that is not said as in the records."""


class VariantRecord(msgspec.Struct, frozen=True, kw_only=True, tag="record"):
    """A record of one variant's run, for --json."""

    variant: str
    run: str
    seconds: float
    """Training time up to then."""
    record: Record


class SeedStandings(msgspec.Struct, frozen=True, kw_only=True, tag="standings"):
    """The table after a validation, for --json."""

    seed: int
    standings: Standings


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """A variant that cannot be trained on, for --json."""

    variant: str
    run: str
    message: str


class RaceReporter(Protocol):
    """Reports the course of a race."""

    def planned(self, plan: RacePlan, /) -> None:
        """Reports what is about to race."""

    def begin(self, race: Race, /) -> None:
        """Reports that the race of the next seed begins."""

    def event(self, entry: Entry, event: messages.Event, /) -> None:
        """Reports what an engine says, after `race` has taken it."""

    def failed(self, entry: Entry, /) -> None:
        """Reports that an entry cannot be trained on."""

    def tick(self) -> None:
        """Brings what is shown up to date; called some times a second."""

    def say(self, message: str, /) -> None:
        """Shows one sentence to the user."""

    def conclude(self, conclusion: Conclusion, /) -> None:
        """Reports the outcome."""

    def close(self) -> None:
        """Writes what is left and restores the terminal."""

    @property
    def closed(self) -> bool:
        """Whether the reader is gone: the race should end."""

    @property
    def failure(self) -> OSError | None:
        """Why nothing can be written, if that is not because the reader left."""


class JsonRaceReporter:
    """Writes the plan, every record but those of steps, the standings after each validation, and the outcome."""

    def __init__(self) -> None:
        self._lines = JsonReporter()
        self._race: Race | None = None

    def planned(self, plan: RacePlan, /) -> None:
        self._lines.write(plan)

    def begin(self, race: Race, /) -> None:
        self._race = race

    def event(self, entry: Entry, event: messages.Event, /) -> None:
        if not isinstance(event, messages.Progress) or self._race is None:
            return
        label = entry.variant.label
        for record in event.records:
            if isinstance(record, Step):
                continue
            self._lines.write(VariantRecord(variant=label, run=entry.run, seconds=event.seconds, record=record))
            if isinstance(record, Validation):
                seed = entry.variant.config.seed
                self._lines.write(SeedStandings(seed=seed, standings=self._race.standings()))

    def failed(self, entry: Entry, /) -> None:
        self._lines.write(Failure(variant=entry.variant.label, run=entry.run, message=entry.why))

    def tick(self) -> None:
        self._lines.tick(0.0, None)

    def say(self, message: str, /) -> None:
        self._lines.say(message)

    def conclude(self, conclusion: Conclusion, /) -> None:
        self._lines.write(conclusion)

    def close(self) -> None:
        self._lines.close()

    @property
    def closed(self) -> bool:
        return self._lines.closed

    @property
    def failure(self) -> OSError | None:
        return self._lines.failure


class LiveRaceReporter:
    """Shows a table on stderr that is kept up to date, with lines above it for events."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._drawn = -REDRAW_SECONDS
        self._race: Race | None = None
        self._preparing = ""
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self.closed = False
        self.failure: OSError | None = None

    def planned(self, plan: RacePlan, /) -> None:
        self.say(plan.described())

    def begin(self, race: Race, /) -> None:
        self._race = race
        if race.plan.repeats > 1:
            self.say(f"seed {race.entries[0].variant.config.seed}")

    def event(self, entry: Entry, event: messages.Event, /) -> None:
        if isinstance(event, messages.Preparing):
            self._preparing = f"{event.what} {event.done / event.total:.0%}" if event.total else event.what
        for line in lines_of(entry, event, validations=False):
            self.say(line)

    def failed(self, entry: Entry, /) -> None:
        self.say(f"{entry.variant.label}  {entry.why}")

    def tick(self) -> None:
        if self._race is None or time.monotonic() - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = time.monotonic()
        try:
            self._live.update(live_table(self._race, self._console.width, self._preparing), refresh=True)
        except OSError:
            self.closed = True

    def say(self, message: str, /) -> None:
        self._console.print(printable(message), markup=False, soft_wrap=True)

    def conclude(self, _conclusion: Conclusion, /) -> None:
        """Does nothing: the command writes the outcome on stdout."""

    def close(self) -> None:
        self._live.stop()


class PlainRaceReporter:
    """Writes lines on stderr: events of each variant, and the standings every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._race: Race | None = None
        self.closed = False
        self.failure: OSError | None = None

    def planned(self, plan: RacePlan, /) -> None:
        self.say(plan.described())

    def begin(self, race: Race, /) -> None:
        self._race = race

    def event(self, entry: Entry, event: messages.Event, /) -> None:
        for line in lines_of(entry, event, validations=True):
            self.say(line)

    def failed(self, entry: Entry, /) -> None:
        self.say(f"{entry.variant.label}  {entry.why}")

    def tick(self) -> None:
        if self._race is None or time.monotonic() - self._last < PLAIN_SECONDS:
            return
        rows = self._race.standings().rows
        self.say("; ".join(f"{row.label} step {row.step:,}" for row in rows))

    def say(self, message: str, /) -> None:
        self._last = time.monotonic()
        try:
            click.echo(printable(message), err=True)
        except OSError:
            self.closed = True

    def conclude(self, _conclusion: Conclusion, /) -> None:
        """Does nothing: the command writes the outcome on stdout."""

    def close(self) -> None:
        """Does nothing."""


def choose_race_reporter(as_json: bool) -> RaceReporter:
    """Returns the reporter for the kind of output."""
    if as_json:
        return JsonRaceReporter()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return LiveRaceReporter()
    return PlainRaceReporter()


def lines_of(entry: Entry, event: messages.Event, validations: bool) -> list[str]:
    """Returns a line for each record that is worth one."""
    if not isinstance(event, messages.Progress):
        return []
    lines = []
    for record in event.records:
        if isinstance(record, Started):
            line = f"{count_text(record.parameters)} parameters  {entry.run}"
        elif isinstance(record, Finished):
            line = f"step {record.step:,}  {ENDS.get(record.reason, record.reason)}"
        elif isinstance(record, Validation) and not validations:
            continue
        else:
            line = event_line(record)
        if line:
            lines.append(f"{entry.variant.label}  {line}")
    return lines


COLUMNS = ("rank", "variant", "valid", "best", "step", "time", "tok/s", "params", "")
DISPENSABLE = ("params", "tok/s", "time", "best", "rank", "step")
"""Columns that a narrow terminal does without, the first one first."""


def live_table(race: Race, width: int, preparing: str = "") -> Table:
    """Draws the standings of a race under way, with as many columns as fit in `width`."""
    from rich.table import Table
    from rich.text import Text

    standings = race.standings()
    fractions = {entry.variant.label: entry.fraction for entry in race.entries}
    rows = [cells_of(row, fractions.get(row.label, 0.0), preparing) for row in standings.rows]
    what = "bits per character" if standings.quality == "bits_per_character" else "validation loss"
    at = f", compared at {amount_text(standings.at, standings.measure)}" if standings.at else ""
    drawn = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        padding=(0, 2, 0, 0),
        caption=Text(f"valid: {standings.by} {what}{at}", style="dim"),
        caption_justify="left",
    )
    columns = columns_in(rows, width)
    for name in columns:
        drawn.add_column(name, justify="left" if name in ("variant", "") else "right", no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(printable(row[name])) for name in columns))
    return drawn


def columns_in(rows: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Returns the columns that fit in `width`, with a gap of two between them."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) + 2 for name in COLUMNS}
    for name in DISPENSABLE:
        if sum(widths.values()) - 2 <= width:
            break
        del widths[name]
    return list(widths)


def cells_of(row: Row, fraction: float, preparing: str = "") -> dict[str, str]:
    """Returns the cells of a variant in the live table, by column."""
    cells = (
        str(row.rank or ""),
        row.label,
        loss_text(row.equal),
        loss_text(row.best),
        f"{row.step:,}",
        duration_text(row.seconds),
        count_text(row.tokens_per_second) if row.tokens_per_second else "",
        count_text(row.parameters) if row.parameters else "",
        state_text(row, fraction, preparing),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def state_text(row: Row, fraction: float, preparing: str = "") -> str:
    """What a variant is doing or how it ended, in a word or two; × marks one that diverged."""
    if row.died is not None:
        return f"× {row.died:,}"
    if row.state == "prepares" and preparing:
        return preparing
    words = ENDS.get(row.state, row.state)
    if row.rollbacks:
        words += f", {row.rollbacks} rolled back"
    if row.state in ("trains", "waits") and fraction:
        words += f" {fraction:.0%}"
    return words


def loss_text(value: float | None) -> str:
    """Formats a loss or bits per character; "" if there is none."""
    return "" if value is None else fixed(value, 4 if abs(value) < 10 else 2)


def amount_text(amount: float, measure: Measure) -> str:
    """Formats an amount: "400 steps", "1.2M tokens", "0:45"."""
    if measure == "seconds":
        return duration_text(amount)
    return f"{amount:,.0f} steps" if measure == "steps" else f"{count_text(amount)} tokens"
