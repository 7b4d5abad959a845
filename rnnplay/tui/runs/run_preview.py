"""The preview of a run: its loss curves, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from rnnplay.errors import RnnplayError
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.index import ListedRun
from rnnplay.runs.management.disk_use import disk_use
from rnnplay.tui.chart.chart import Chart, Series
from rnnplay.tui.run_state import RunState
from rnnplay.tui.runs.preview_text import preview_lines
from rnnplay.tui.widgets.visible import visible_line

REST_SECONDS = 0.12
"""The curves of a run are read once the cursor has rested on it, and no filter was typed, for so long."""


class RunPreview(Vertical):
    """Shows the run under the cursor."""

    DEFAULT_CSS = """
    RunPreview { height: 1fr; width: 1fr; }
    RunPreview Chart { height: 3fr; min-height: 6; }
    RunPreview VerticalScroll { height: 2fr; padding: 0 1; scrollbar-size-vertical: 1; }
    RunPreview Static { height: auto; }
    """

    def __init__(self, load: Callable[[RunFolder], RunState]) -> None:
        """`load` reads a run's records; it is called in a thread and raises RnnplayError or OSError."""
        super().__init__()
        self._load = load
        self._run: ListedRun | None = None
        self._training: Training | None = None
        self._origin = ""
        self._bytes: int | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Chart(title="Loss", empty="", id="preview-chart")
        with VerticalScroll(can_focus=False):
            yield Static("", id="preview-text")

    def show(self, run: ListedRun | None, training: Training | None, origin: str = "") -> None:
        """Shows what the list knows of `run`; its curves and its size follow, if it is another or has changed.

        `origin`: what it was branched from.
        """
        another = _told(run) != _told(self._run)
        if (
            self._timer is not None and not another
        ):  # it is asked for at each key of a filter: reading would hold up the next
            self._timer.reset()
        if not another and (training, origin) == (self._training, self._origin):
            return
        self._run, self._training, self._origin = run, training, origin
        if another:
            self._bytes = None
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(REST_SECONDS, lambda: self._rested(run))
        self._show_text()

    def _show_text(self) -> None:
        run = self._run
        self.query_one(Chart).border_title = "Loss" if run is None else visible_line(run.name)
        lines = [] if run is None else preview_lines(run, self._training, self._bytes, self._origin)
        self.query_one("#preview-text", Static).update(Content("\n").join(lines))

    def _rested(self, run: ListedRun | None) -> None:
        self._timer = None
        self._read(run)

    @work(thread=True, exclusive=True)
    def _read(self, run: ListedRun | None) -> None:
        state: RunState | None = None
        size, why = None, ""
        if run is not None:
            try:
                size, state = disk_use(run.folder.path), self._load(run.folder)
            except OSError:
                why = "no records"
            except RnnplayError:
                why = "the records cannot be read"
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._show_curves, run, state, size, why or "no steps yet")

    def _show_curves(self, run: ListedRun | None, state: RunState | None, size: int | None, empty: str) -> None:
        if run is not self._run or not self.query(Chart):
            return
        self._bytes = size
        self._show_text()
        chart = self.query_one(Chart)
        chart.empty = empty
        chart.viewport.reset()
        chart.series = (
            (
                Series("train", state.loss, "primary"),
                Series("valid", state.validation_loss, "accent", smooth=False, style="dots"),
            )
            if state is not None
            else ()
        )


def _told(run: ListedRun | None) -> tuple[object, ...]:
    """What the preview depends on; the list makes new objects when it is read again."""
    return () if run is None else (run.name, run.info, run.checkpoints, run.notes, run.problem)
