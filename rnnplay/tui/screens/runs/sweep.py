"""The studies of the workspace: their trials, and the value by knob; a trial opens as a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static
from textual.worker import get_current_worker

from rnnplay.errors import RnnplayError
from rnnplay.experiments.sweep.table import Table, best_text, counts_text
from rnnplay.runs.folder import find_run
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.value_plot.plot_view import PlotView
from rnnplay.tui.value_plot.study_plot import LEGEND, TrialRow, study_columns, study_plot, study_rows
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.row_table import RowTable
from rnnplay.tui.widgets.text import BoundedText, translation_of
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace

if TYPE_CHECKING:
    from rnnplay.experiments.sweep.study import Study

REFRESH_SECONDS = 2.0
FLAT_ROWS = 18
"""In lower windows there is room for either the table or the plot."""
ABOUT_ROWS, NOTHING_ROWS = 3, 20
"""Rows of what is said above the table, and where there is no study instead of it."""


class TrialTable(RowTable):
    """The table of trials; its Enter binding appears in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Open the run", id="sweeps.open")]


class SweepScreen(ModalScreen[str | None]):
    """Shows one study of the workspace at a time; the result is the run to open, or None."""

    DEFAULT_CSS = """
    SweepScreen { align: center middle; }
    SweepScreen > Vertical {
        width: 96%; height: 92%; border: round $primary; border-title-color: $primary;
        border-subtitle-color: $text-muted; background: $surface; padding: 0 1;
    }
    SweepScreen #halves { height: 1fr; layout: horizontal; }
    SweepScreen DataTable {
        width: 1fr; height: 1fr; background: $surface; scrollbar-background: $surface;
        &:focus { background-tint: transparent; }
        & > .datatable--header { background: $surface; color: $text-muted; text-style: none; }
        &:focus > .datatable--cursor { background: $primary 25%; color: $foreground; text-style: none; }
    }
    SweepScreen PlotView { width: 1fr; height: 1fr; background: $surface; }
    SweepScreen.-narrow #halves, SweepScreen.-tiny #halves { layout: vertical; }
    SweepScreen.-narrow DataTable, SweepScreen.-tiny DataTable { height: 2fr; }
    SweepScreen.-narrow PlotView, SweepScreen.-tiny PlotView { height: 3fr; }
    SweepScreen.-flat > Vertical { height: 100%; }
    SweepScreen.-flat PlotView, SweepScreen.-flat.-plotted DataTable { display: none; }
    SweepScreen.-flat.-plotted PlotView { display: block; }
    SweepScreen Static { height: auto; }
    SweepScreen #note { color: $text-muted; }
    """
    HELP = """
    ## Sweeps

    A study is what `rnnplay sweep` trains: a run for each combination of the values that are varied. The table has the
    combinations from the best on; `{sweeps.open}` opens a trial as a run. The plot has their values by one knob: `k`
    shows the next one, and in a low window the plot instead of the table. Where each was trained with several seeds,
    the thin bar is the 95% interval of its mean. `s` shows the next study. What other processes train meanwhile is read
    again every two seconds.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "knob", "Next knob", id="sweeps.knob"),
        Binding("s", "study", "Next study", id="sweeps.study"),
        Binding("escape", "cancel", "Back", id="everywhere.back"),
        *HELP_KEYS,
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._names: list[str] = []
        self._current = ""
        self._study: Study | None = None
        self._table: Table | None = None
        self._rows: list[TrialRow] = []
        self._knob = 0

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Sweeps"
            yield BoundedText("reading the studies…", rows=ABOUT_ROWS, id="about")
            with Container(id="halves"):
                yield TrialTable()
                yield PlotView(empty="no run is done yet")
            yield Static("", id="note", markup=False)
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        self.query_one(DataTable).focus()
        self.query_one(PlotView).border_subtitle = LEGEND
        self._read()
        self.set_interval(REFRESH_SECONDS, self._read)

    # --- reading --------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        """Reads the study shown. Optuna is imported here, beside the interface."""
        from rnnplay.experiments.sweep.studies import open_study, study_names

        worker = get_current_worker()
        names = study_names(self._workspace, newest_first=True)
        name = self._current if self._current in names else names[0] if names else ""
        table, trouble = None, ""
        try:
            if name and (self._study is None or self._study.name != name):
                self._study = open_study(name, self._workspace)
            if name and self._study is not None:
                table = self._study.table()
        except (RnnplayError, OSError) as error:
            self._study, trouble = None, str(error)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, names, name, table, trouble)

    def _show(self, names: list[str], name: str, table: Table | None, trouble: str) -> None:
        if not self.is_attached:
            return
        self._names, self._current = names, name
        self.query_one("#halves").display = bool(name)
        about = self.query_one("#about", BoundedText)
        if not name:
            about.rows = NOTHING_ROWS
            about.update(no_studies_text(self._workspace))
        elif table is None:
            about.update(trouble)
        elif table != self._table:
            self._table = table
            about.rows = ABOUT_ROWS
            lines = [counts_text(table), best_text(table)]
            told = [line[0].upper() + line[1:] if at else line for at, line in enumerate(lines) if line]
            about.update("\n".join(map(translation_of(self), told)))
            self._fill(table)
            self._plot()
        where = f" {names.index(name) + 1} of {len(names)}" if len(names) > 1 else ""
        self.query_one(Vertical).border_title = translation_of(self)("Sweeps") + where
        self.refresh_bindings()

    def _fill(self, study: Table) -> None:
        table = self.query_one(DataTable)
        chosen = self._chosen()
        self._rows = study_rows(study)
        table.clear(columns=True)
        table.add_columns(*study_columns(study))
        for row in self._rows:
            table.add_row(*(Text(visible_line(cell)) for cell in row.cells), key=row.run)
        at = next((at for at, row in enumerate(self._rows) if chosen is not None and row.run == chosen.run), 0)
        table.move_cursor(row=at)

    def _plot(self) -> None:
        if self._table is None:
            return
        knobs = self._table.plan.knobs
        knob = knobs[self._knob % len(knobs)]
        view = self.query_one(PlotView)
        view.border_title = translation_of(self)(f"{self._table.plan.metric.replace('_', ' ')} by {knob}")
        view.show(study_plot(self._table, knob))

    def _chosen(self) -> TrialRow | None:
        at = self.query_one(DataTable).cursor_row
        return self._rows[at] if 0 <= at < len(self._rows) else None

    # --- keys -----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action == "study":
            return len(self._names) > 1
        if action == "knob" and self.has_class("-flat"):
            return self._table is not None
        return action != "knob" or (self._table is not None and len(self._table.plan.knobs) > 1)

    def action_knob(self) -> None:
        """Plots the next knob; in a low window, which has no room for both, the table follows after the last one."""
        knobs = len(self._table.plan.knobs) if self._table is not None else 1
        if self.has_class("-flat") and not self.has_class("-plotted"):
            self.add_class("-plotted")
        else:
            self._knob = (self._knob + 1) % knobs
            self.set_class(self._knob > 0, "-plotted")
            self.query_one(DataTable).focus()
        self._plot()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < FLAT_ROWS, "-flat")

    def action_study(self) -> None:
        self._current = self._names[(self._names.index(self._current) + 1) % len(self._names)]
        self._knob = 0
        self._read()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        row = self._chosen()
        if row is None:
            return
        try:
            if not row.opens:
                raise RnnplayError(f"{row.run} has not been trained, so there is nothing to open.")
            if not (self._workspace.checkpoints / row.run).is_dir():
                raise RnnplayError(
                    f"There is no run {row.run} now: it is about to begin, or it was renamed, removed, or trained in "
                    "another workspace."
                )
            find_run(row.run, self._workspace).info()
        except (RnnplayError, OSError) as error:
            self.query_one("#note", Static).update(str(error))
        else:
            self.dismiss(row.run)

    def on_data_table_row_highlighted(self) -> None:
        self.query_one("#note", Static).update("")

    def action_cancel(self) -> None:
        self.dismiss(None)


def no_studies_text(workspace: Workspace) -> str:
    """Says how a sweep is begun."""
    begin = workspace.command("sweep", vary="lr=0.001,0.003,0.01")
    return f"There are no studies in this workspace yet. Begin one in a shell: {begin}"
