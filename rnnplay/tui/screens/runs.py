"""The list of the runs in checkpoints/: resume, open or remove one."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import ClassVar, Literal

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static
from textual.widgets.data_table import RowKey
from textual.worker import get_current_worker

from rnnplay.common.formatting import fixed, is_much_unknown, moment_text, unknown_text
from rnnplay.errors import RnnplayError
from rnnplay.runs.folder import find_run, remove_run
from rnnplay.runs.index import ListedRun, list_quickly
from rnnplay.runs.info import moment
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.row_table import RowTable
from rnnplay.tui.widgets.visible import middle_shortened, visible_line
from rnnplay.workspace import Workspace

COLUMNS = ("run", "corpus", "model", "step", "valid", "created")
CORPUS_FROM = 100
"""On narrower screens the corpus, which most run names contain, is omitted."""
MAX_WIDTH, FRAME_WIDTH = 96, 5
"""Maximum width of the list, and the width of its border, padding and scrollbar."""
MIN_NAME_WIDTH = 8
PATIENCE_SECONDS, SCREEN_ROWS = 0.3, 50
"""After this time the runs read so far are shown, if they fill a screen."""
ROWS_AT_ONCE, PAUSE_SECONDS = 200, 0.05
"""Rows added at once, and the pause for keys after them."""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """The chosen run and what to do with it."""

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
    moment: float = -math.inf
    """Creation time in seconds since 1970, which orders the rows."""


class RunTable(RowTable):
    """The table of runs; its Enter binding appears in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Resume")]

    def __init__(self, fill: Callable[[], None]) -> None:
        """`fill` adds the remaining rows."""
        super().__init__()
        self._fill = fill

    def action_scroll_end(self) -> None:
        self._fill()
        super().action_scroll_end()


class RunsScreen(ModalScreen[RunChoice | None]):
    """Lists the runs, newest first; the result is a choice, or None."""

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

    HELP = """
    ## Runs

    The runs of the workspace, the newest first. `Enter` resumes one, `o` opens it for prompts and the
    inspection, `d` removes it with its checkpoints, after a question. *valid* is the lowest validation loss.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open for prompts"),
        Binding("delete,d", "remove", "Remove", key_display="d"),
        Binding("escape", "cancel", "Back"),
        *HELP_KEYS,
    ]

    def __init__(self, workspace: Workspace, busy: Collection[str]) -> None:
        """`busy` names the runs being trained, which cannot be removed."""
        super().__init__()
        self._workspace = workspace
        self._busy = busy

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Runs"
            yield RunTable(lambda: self._add(len(self._waiting)))
            yield Static("", id="note", markup=False)
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        self._cut: set[str] = set()
        """Runs whose name is shortened."""
        self._waiting: list[tuple[str, list[str]]] = []
        """Rows still to be added, in reverse order."""
        self._adding = self.set_timer(0, lambda: None)
        table.focus()
        self._read()

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        worker = get_current_worker()
        rows: list[RunRow] = []
        shows = monotonic() + PATIENCE_SECONDS
        for run in list_quickly(self._workspace):
            rows.append(describe_run(run))
            if worker.is_cancelled:  # the list was closed
                return
            if monotonic() > shows and len(rows) >= SCREEN_ROWS:  # reading thousands of runs for the first time is slow
                shows = math.inf
                self.app.call_from_thread(self._show, in_order(rows))
        self.app.call_from_thread(self._show, in_order(rows))

    def _show(self, rows: list[RunRow]) -> None:
        table = self.query_one(DataTable)
        chosen = self._chosen() if table.cursor_row else None
        table.clear(columns=True)
        columns, cells = fitted(rows, self.app.size.width, datetime.now().astimezone().year)
        table.add_columns(*columns)
        self._cut = {row.run for row, shown in zip(rows, cells, strict=True) if shown[0] != visible_line(row.run)}
        self._waiting = [(row.run, shown) for row, shown in zip(rows, cells, strict=True)][::-1]
        at = next((at for at, row in enumerate(rows) if row.run == chosen), 0)
        self._add(max(ROWS_AT_ONCE, at + 1))
        table.move_cursor(row=at)
        if not rows:
            self.query_one("#note", Static).update("There are no runs yet: go back and press t to train one.")
        table.focus()

    def _add(self, count: int) -> None:
        """Adds `count` rows and schedules the rest, as a table takes seconds for thousands."""
        table = self.query_one(DataTable)
        for _ in range(min(count, len(self._waiting))):
            run, shown = self._waiting.pop()
            table.add_row(*map(Text, shown), key=run)  # a name is not markup
        self._adding.stop()
        if self._waiting:
            self._adding = self.set_timer(PAUSE_SECONDS, lambda: self._add(ROWS_AT_ONCE))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Shows a shortened name in full below the table."""
        row: RowKey | None = event.row_key  # missing if the list was refilled meanwhile
        run = (row and row.value) or ""
        self.query_one("#note", Static).update(visible_line(run) if run in self._cut else "")

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
        """Closes the list with the choice; shows the error instead if the run cannot be read."""
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
        if run in self._busy:
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


def describe_run(run: ListedRun) -> RunRow:
    """Returns the row of `run`. An unreadable run has one too, since it can be removed."""
    info = run.info
    if info is None:
        return RunRow(run=run.name, corpus="", model="cannot be read", step="", valid="", created="")
    config = info.config
    return RunRow(
        run=run.name,
        corpus=config.corpus.replace("\\", "/").rsplit("/", 1)[-1],
        model=f"{config.cell.upper()} {config.layers}×{config.hidden} {config.tokens}",
        step="none" if run.step is None else f"{run.step:,}",
        valid="" if run.best_loss is None else f"{fixed(run.best_loss, 3)}{_unknown(info.unknown_fraction)}",
        created=moment_text(info.created),
        moment=moment(info.created),
    )


def in_order(rows: Sequence[RunRow]) -> list[RunRow]:
    """Returns the rows, newest first."""
    return sorted(rows, key=lambda row: (row.moment, row.run), reverse=True)


def fitted(rows: Sequence[RunRow], screen: int, year: int) -> tuple[list[str], list[list[str]]]:
    """Returns the columns and the cells of `rows` for a screen `screen` columns wide, in the year `year`.

    To save width it omits the corpus, then this year's number and the kind of token; a name that is still too long is
    shortened in its middle, since names often differ at the end.
    """
    columns = [name for name in COLUMNS if name != "corpus" or screen >= CORPUS_FROM]
    cells = [[visible_line(getattr(row, name)) for name in columns] for row in rows]
    available = min(MAX_WIDTH, screen * 96 // 100) - FRAME_WIDTH - 2 * len(columns)
    if _width(columns, cells) > available:
        for row in cells:
            row[-1] = row[-1].removeprefix(f"{year}-")
            row[columns.index("model")] = row[columns.index("model")].removesuffix(" char").removesuffix(" word")
    excess = _width(columns, cells) - available
    longest = max((cell_len(row[0]) for row in cells), default=0)
    for row in cells:
        row[0] = middle_shortened(row[0], max(MIN_NAME_WIDTH, longest - max(excess, 0)))
    return columns, cells


def _width(columns: list[str], cells: list[list[str]]) -> int:
    return sum(max(map(cell_len, column)) for column in zip(columns, *cells, strict=True))


def _unknown(fraction: float | None) -> str:
    """Notes a large fraction of `<unk>`, which makes a loss misleading."""
    return f" {unknown_text(fraction)}" if is_much_unknown(fraction) else ""
