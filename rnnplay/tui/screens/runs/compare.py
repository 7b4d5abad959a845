"""Runs side by side: their curves in one chart, the settings in which they differ, their losses and samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import get_current_worker

from rnnplay.errors import RnnplayError
from rnnplay.experiments.comparison import Comparison, Course, compare
from rnnplay.runs.folder import find_run
from rnnplay.tui.chart.chart import Chart, Series
from rnnplay.tui.chart.history import History
from rnnplay.tui.chart.palette import DIED, run_look
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.runs.comparison_view import comparison_lines
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.visible import shortened, visible_line
from rnnplay.workspace import Workspace

BESIDE_FROM = 150
"""The table is beside the chart from this width on, else below it."""
LONGEST_NAME = 24


class CompareScreen(ModalScreen[None]):
    """Compares runs."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    HELP = """
    ## Compare

    One curve a run, each with its colour and its mark, which stand before its name in the table, too. `×` ends the
    curve of a run that diverged. The table has the settings in which the runs differ, and where each has come;
    training losses are means over 100 steps, and `*` is the lowest validation loss.

    - `v`: validation or training losses
    - `x`: by steps or by tokens read
    - `tab`: to the chart, with its own keys, and back to the table, which the arrows scroll
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "losses", "Validation/training", id="comparison.losses"),
        Binding("x", "axis", "Steps/tokens", id="comparison.axis"),
        Binding("escape", "back", "Back", id="everywhere.back"),
        *HELP_KEYS,
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, workspace: Workspace, runs: Sequence[str]) -> None:
        """Compares the runs of these names."""
        super().__init__()
        self._workspace, self._names = workspace, list(runs)
        self._comparison: Comparison | None = None
        self._validation, self._by_tokens = True, False

    def compose(self) -> ComposeResult:
        with Container(id="compare-body"):
            yield Chart(title="Validation loss", id="compare-chart", empty="reading the runs")
            with VerticalScroll():
                yield Static("", id="compare-text")
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        self._read()

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        found: Comparison | None = None
        trouble = ""
        try:
            found = compare([find_run(name, self._workspace) for name in self._names], self._workspace.cache)
        except (RnnplayError, OSError) as error:
            trouble = str(error)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take, found, trouble)

    def _take(self, comparison: Comparison | None, trouble: str) -> None:
        if not self.query("#compare-text"):  # the screen was closed meanwhile
            return
        self._comparison = comparison
        if comparison is None:
            self.query_one(Chart).empty = ""
            self.query_one("#compare-text", Static).update(Content.styled(trouble, "$error"))
            return
        if not any(course.validations for course in comparison.courses):
            self._validation = False
        self._show_chart()
        self._show_text()

    def _show_chart(self) -> None:
        chart, comparison = self.query_one(Chart), self._comparison
        chart.border_title = f"{'Validation' if self._validation else 'Training'} loss"
        chart.empty = "none of them was validated" if self._validation else "no steps yet"
        if comparison is None:
            return
        chart.set_x("tokens" if self._by_tokens else "step")
        chart.viewport.reset()
        chart.series = [
            Series(
                shortened(visible_line(run.run), LONGEST_NAME),
                history_of(course, self._validation, self._by_tokens),
                run_look(number).color,
                smooth=not self._validation,
                raw=False,
                mark=run_look(number).mark,
                end=DIED if run.ended == "diverged" else "",
            )
            for number, (run, course) in enumerate(zip(comparison.runs, comparison.courses, strict=True))
        ]

    def _show_text(self) -> None:
        if self._comparison is not None:
            width = max(20, self.query_one(VerticalScroll).scrollable_content_region.width)
            lines = comparison_lines(self._comparison, width, self.app.current_theme.dark)
            self.query_one("#compare-text", Static).update(Content("\n").join(lines))

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#compare-body").set_class(event.size.width >= BESIDE_FROM, "beside")
        self.call_after_refresh(self._show_text)

    def action_losses(self) -> None:
        self._validation = not self._validation
        self._show_chart()

    def action_axis(self) -> None:
        self._by_tokens = not self._by_tokens
        self._show_chart()

    def action_back(self) -> None:
        self.dismiss(None)


def history_of(course: Course, validation: bool, by_tokens: bool) -> History:
    """Returns the validation or training losses of a run, by step or by tokens read, as far as those are known."""
    history = History(geometric=not validation)
    steps, losses = course.steps, course.losses
    if validation:
        steps, losses = [one.step for one in course.validations], [one.loss for one in course.validations]
    per_step = course.tokens_per_step if by_tokens else 1
    if steps and per_step is not None:
        history.extend_rising([round(step * per_step) for step in steps], losses)
    return history
