"""The runs in checkpoints/: resume one, open one to type prompts, remove one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Static

from rnnplay.common.quality import fixed, is_much_unknown, unknown_text
from rnnplay.errors import RnnplayError
from rnnplay.training.run_folder import RunFolder, find_run, list_runs, remove_run
from rnnplay.tui.screens.confirm import Confirm
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace

COLUMNS = ("run", "corpus", "model", "step", "valid", "created")
ROOMY = 100
"""Columns of the screen below which the corpus, which most runs have in their name, is left out."""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """What to do with which run."""

    action: Literal["resume", "open"]
    run: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the table shows it."""

    run: str
    corpus: str
    model: str
    step: str
    valid: str
    created: str


class RunTable(DataTable[Text]):
    """Enter is its own, so that it comes after the arrows pressed before it; the footer says what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Resume")]


class RunsScreen(ModalScreen[RunChoice | None]):
    """Newest run first."""

    DEFAULT_CSS = """
    RunsScreen { align: center middle; }
    RunsScreen > Vertical {
        width: 96; max-width: 96%; height: 80%; border: round $primary; border-title-color: $primary;
        background: $surface; padding: 0 1;
    }
    RunsScreen DataTable {
        height: 1fr; background: $surface; scrollbar-background: $surface;
        &:focus { background-tint: transparent; }
        & > .datatable--header { background: $surface; color: $text-muted; text-style: none; }
        &:focus > .datatable--cursor { background: $primary 25%; color: $foreground; text-style: none; }
    }
    RunsScreen #note { height: auto; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open for prompts"),
        Binding("delete,d", "remove", "Remove", key_display="d"),
        Binding("escape", "cancel", "Back"),
    ]

    def __init__(self, workspace: Workspace, busy_run: str | None) -> None:
        super().__init__()
        self._workspace = workspace
        self._busy_run = busy_run

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Runs"
            yield RunTable(cursor_type="row")
            yield Static("", id="note", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        self._columns = [name for name in COLUMNS if name != "corpus" or self.app.size.width >= ROOMY]
        table.add_columns(*self._columns)
        self._read()

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        rows = [describe_run(run) for run in list_runs(self._workspace)]
        rows.sort(key=lambda row: row.created, reverse=True)
        self.app.call_from_thread(self._show, rows)

    def _show(self, rows: list[RunRow]) -> None:
        table = self.query_one(DataTable)
        table.clear()
        for row in rows:
            cells = [getattr(row, name) for name in self._columns]
            table.add_row(*(Text(visible_line(cell)) for cell in cells), key=row.run)  # Text: a name is not markup
        note = "" if rows else "There are no runs yet: go back and press t to train one."
        self.query_one("#note", Static).update(note)
        table.focus()

    def _chosen(self) -> str | None:
        table = self.query_one(DataTable)
        if not table.row_count:
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if event.row_key.value is not None:
            self._choose("resume", event.row_key.value)

    def action_open(self) -> None:
        if (run := self._chosen()) is not None:
            self._choose("open", run)

    def _choose(self, action: Literal["resume", "open"], run: str) -> None:
        """Give it back; one that cannot be read keeps the list open, and why is said there."""
        try:
            find_run(run, self._workspace).info()
        except (RnnplayError, OSError) as error:
            self.query_one("#note", Static).update(str(error))
        else:
            self.dismiss(RunChoice(action, run))

    @work
    async def action_remove(self) -> None:
        run = self._chosen()
        if run is None:
            return
        if run == self._busy_run:
            self.notify(f"{run} is being trained; go back and stop it (x) before removing it.", severity="warning")
            return
        question = f"Remove {run} with all its checkpoints? It cannot be brought back."
        if await self.app.push_screen_wait(Confirm("Remove a run", question, "Remove", "Keep it", lost=True)):
            try:
                remove_run(find_run(run, self._workspace))
            except (RnnplayError, OSError) as error:
                self.notify(str(error), severity="error", markup=False)
            self._read()

    def action_cancel(self) -> None:
        self.dismiss(None)


def describe_run(run: RunFolder) -> RunRow:
    """The row of `run`. One that cannot be read has its row too: it can be removed, and choosing it says why."""
    try:
        info = run.info()
        checkpoints = run.checkpoints()
    except (RnnplayError, OSError):
        return RunRow(run=run.name, corpus="", model="cannot be read", step="", valid="", created="")
    losses = [one.loss for one in checkpoints if one.loss is not None]
    config = info.config
    return RunRow(
        run=run.name,
        corpus=config.corpus.replace("\\", "/").rsplit("/", 1)[-1],
        model=f"{config.cell.upper()} {config.layers}×{config.hidden} {config.tokens}",
        step=f"{checkpoints[-1].step:,}" if checkpoints else "none",
        valid=f"{fixed(min(losses), 3)}{_unknown(info.unknown_fraction)}" if losses else "",
        created=_local_time(info.created),
    )


def _unknown(fraction: float | None) -> str:
    """What must be known of a loss that is mostly of `<unk>`."""
    return f" {unknown_text(fraction)}" if is_much_unknown(fraction) else ""


def _local_time(created: str) -> str:
    """ISO 8601 as a person reads it: 2026-03-01 10:15."""
    try:
        return f"{datetime.fromisoformat(created).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):
        return created[:16]
