"""What happened to the run beside its steps: knobs tuned, steps skipped, returns to an earlier state."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widgets import Static

from rnnplay.tui.session import LogLine, Session
from rnnplay.tui.widgets.visible import MUTED

STYLES = {"": MUTED, "warning": "$warning", "error": "$error"}


class EventLog(Static):
    """The newest events, the last at the bottom; takes no room while there are none."""

    DEFAULT_CSS = """
    EventLog { height: auto; max-height: 7; display: none; border-top: solid $border; margin-right: 1; }
    EventLog.filled { display: block; }
    """
    LINES = 6

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__("", id=id, markup=False)
        self._shown: tuple[LogLine, ...] = ()

    def show(self, session: Session) -> None:
        """Bring it up to date."""
        newest = tuple(session.events)[-self.LINES :]
        if newest != self._shown:
            self._shown = newest
            self.set_class(bool(newest), "filled")
            self.update(lines(newest))


def lines(events: Iterable[LogLine]) -> Content:
    """One a line: the step, and what happened."""
    return Content("\n").join(
        Content.assemble((f"{event.step:,} ", MUTED), (event.text, STYLES[event.severity])) for event in events
    )
