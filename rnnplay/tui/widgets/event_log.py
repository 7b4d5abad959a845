"""A log of what happened to the run: knobs tuned, steps skipped, rollbacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from textual.content import Content
from textual.widgets import Static

from rnnplay.tui.run_state import LogLine, RunState
from rnnplay.tui.widgets.visible import MUTED

STYLES = {"": MUTED, "warning": "$warning", "error": "$error"}


class EventLog(Static):
    """Shows the newest events, the latest at the bottom; hidden while there are none."""

    DEFAULT_CSS = """
    EventLog { height: auto; max-height: 7; display: none; border-top: solid $border; margin-right: 1; }
    EventLog.filled { display: block; }
    """
    ROWS = 6

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__("", id=id, markup=False)
        self._events: tuple[LogLine, ...] = ()
        self._shown: list[LogLine] | None = None

    def show(self, state: RunState) -> None:
        """Updates the log from `state`."""
        self._events = tuple(state.events)[-self.ROWS :]
        self.set_class(bool(self._events), "filled")
        self._refill()

    def on_resize(self) -> None:
        self._refill()

    def _refill(self) -> None:
        newest = fitting(self._events, self.content_size.width, self.ROWS)
        if newest != self._shown:
            self._shown = newest
            self.update(lines(newest))


def fitting(events: Sequence[LogLine], width: int, rows: int) -> list[LogLine]:
    """Returns the newest of `events` that fit into `rows` rows once wrapped; at least the last one."""
    kept: list[LogLine] = []
    for event in reversed(events):
        rows -= len(wrap(f"{event.step:,} {event.text}", width)) if width else 1
        if kept and rows < 0:
            break
        kept.insert(0, event)
    return kept


def lines(events: Iterable[LogLine]) -> Content:
    """Returns one line per event: its step and text."""
    return Content("\n").join(
        Content.assemble((f"{event.step:,} ", MUTED), (event.text, STYLES[event.severity])) for event in events
    )
