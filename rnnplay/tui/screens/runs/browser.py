"""The list of the runs in checkpoints/: find, compare, note, remove, resume, open or branch one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from rnnplay.common.formatting import size_text
from rnnplay.errors import RnnplayError
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.folder import RunFolder, find_run
from rnnplay.runs.index import ListedRun
from rnnplay.runs.management.disk_use import disk_use
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.loaded_runs import load_run
from rnnplay.tui.runs.run_browser import MOST_CHOSEN, RunBrowser
from rnnplay.tui.runs.run_list import RunList, list_width
from rnnplay.tui.runs.run_preview import RunPreview
from rnnplay.tui.runs.run_reader import RunReader
from rnnplay.tui.screens.runs.managing import RunManagement
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.workspace import Workspace

LOOK_SECONDS = 2.0
"""How often it is looked which runs are being trained, and whether runs came or went."""
BESIDE_FROM, UNDER_FROM = 116, 34
"""The preview is beside the list from this width of the window on, else below it from this height on."""
NO_RUNS = "There are no runs yet: go back and press {playground.train} to train one."


@dataclass(frozen=True, slots=True)
class RunChoice:
    """The chosen run and what to do with it."""

    action: Literal["resume", "open", "branch", "overlay"]
    run: str
    checkpoint: str = "latest"
    runs: tuple[str, ...] = ()
    """Those to overlay on the charts."""


class RunsScreen(ModalScreen[RunChoice | None]):
    """Lists the runs; the result is a choice, or None."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    AUTO_FOCUS = "RunList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="everywhere.back"),
        Binding("o", "open", "Open", id="runs.open"),
        Binding("b", "branch", "Branch", id="runs.branch"),
        Binding("slash", "filter", "Filter", key_display="/", id="runs.filter"),
        Binding("c", "overlay", "On the charts", id="runs.overlay"),
        Binding("equals_sign", "compare", "Compare", key_display="=", id="runs.compare"),
        Binding("v", "samples", "Samples", id="runs.samples"),
        Binding("s", "sort", "Sort", id="runs.sort"),
        Binding("S", "reverse", "Other way round", show=False, id="runs.reverse"),
        Binding("p", "tree", "Parents", id="runs.tree"),
        Binding("n", "note", "Note", id="runs.note"),
        Binding("t", "tag", "Tags", id="runs.tag"),
        Binding("r", "rename", "Rename", id="runs.rename"),
        Binding("delete,d", "remove", "Remove", key_display="d", id="runs.remove"),
        Binding("u", "bring_back", "Undo", id="runs.bring-back"),
        *HELP_KEYS,
        Binding("down", "to_list", show=False, id="runs.to-list"),
    ]

    @dataclass
    class SelectionChanged(Message):
        """Other runs are chosen for comparison: their names, in the order in which they were."""

        runs: tuple[str, ...]

    def __init__(
        self,
        workspace: Workspace,
        busy: Collection[str],
        chosen: Sequence[str] = (),
        renamed: Callable[[str, str], object] | None = None,
    ) -> None:
        """`busy` names the runs that this interface trains, which are neither renamed nor removed.

        `chosen`: those that are chosen at first; `renamed` is called with the former and the new name of a run.
        """
        super().__init__()
        self._workspace = workspace
        self._browser = RunBrowser(datetime.now().astimezone().year)
        self._browser.chosen = list(chosen)
        self._tell_renamed = renamed
        self._management = RunManagement(self, workspace, busy, self._changed)
        self._next_cursor: str | None = None
        """The run to put the cursor on when the list has been read again."""
        self._reader = RunReader(workspace)
        self._disk_text = ""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="filter: words, lr>=0.001 cell=lstm valid<1.5 tag:good", id="filter", compact=True)
        yield Static("", id="trouble", markup=False)
        with Container(id="body"):
            yield RunList(self._browser)
            yield RunPreview(lambda folder: load_run(folder, self._workspace.cache))
        yield Static("", id="note", markup=False)
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        self._read()
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def highlighted(self) -> str | None:
        """The run under the cursor."""
        return next((one.cursor for one in self.query(RunList)), None)

    @property
    def _list(self) -> RunList:
        return self.query_one(RunList)

    # --- reading --------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="read runs")
    def _read(self) -> None:
        """Reads all runs, and then what takes longer: which are being trained, and how much room they take."""
        worker, call = get_current_worker(), self._in_app
        runs = self._reader.read(lambda: worker.is_cancelled, lambda some: call(self._show, some))
        if runs is None:  # the list was closed
            return
        call(self._show, runs)
        training = self._reader.training(runs)
        if not worker.is_cancelled:
            call(self._show_training, training)
        if not self._disk_text:
            size = disk_use(self._workspace.checkpoints, lambda: worker.is_cancelled)
            if not worker.is_cancelled:
                self._disk_text = f", {size_text(size)} on disk"
                call(self._show_note)

    @work(thread=True, exclusive=True, group="look at runs")
    def _look(self) -> None:
        """Looks which runs are being trained, and reads all again if any came, went or ended."""
        runs, former = self._reader.runs, self._browser.training
        if runs is None:
            return
        training = self._reader.training(runs, former)
        if get_current_worker().is_cancelled:
            return
        if training != former:
            self._in_app(self._show_training, training)
        if former.keys() - training.keys() or self._reader.is_outdated():
            self._in_app(self._read)

    def _in_app(self, act: Callable[..., object], *arguments: object) -> None:
        """Calls `act` in the thread of the interface, unless the list was closed meanwhile."""
        # A list that is being closed loses its widgets one after the other.
        self.app.call_from_thread(
            lambda: act(*arguments) if self.query("RunList") and self.query("RunPreview") else None
        )

    def _changed(self, cursor: str | None) -> None:
        """Reads the list again after a change; the cursor goes to the run `cursor`."""
        self._next_cursor, self._disk_text = cursor, ""
        self._read()

    # --- showing --------------------------------------------------------------------------------------------

    def _show(self, runs: list[ListedRun]) -> None:
        had_runs = bool(self._browser.runs)
        self._browser.take(runs)
        self._rearrange()
        if bool(runs) != had_runs:
            self.refresh_bindings()
        if self._next_cursor is not None:
            self._list.move_to(self._next_cursor)
            self._next_cursor = None
        self._show_preview()

    def _show_training(self, training: Mapping[str, Training]) -> None:
        if self._browser.take_training(training):
            self._rearrange()
            self._show_preview()

    def _rearrange(self, top: bool = False) -> None:
        """Draws the list with the width that it needs, and the note; `top`: the cursor goes to the first run."""
        empty = self._reader.runs == []
        if empty != self._body.has_class("empty"):
            self._body.set_class(empty, "empty")  # the note is then under the filter
            self.refresh_bindings()
        if self._body.has_class("beside") and not empty:
            self._list.styles.width = list_width(self._browser, self.size.width * 5 // 8)
        else:
            self._list.styles.width = "1fr"
        self._list.show(top)
        self._show_note()

    def _show_note(self) -> None:
        text = self._browser.count_text + self._disk_text if self._browser.runs else fill_keys(NO_RUNS)
        if self._reader.runs is None:
            text = "reading the runs"
        elif not self.query_one(RunPreview).display:
            text = self._list.cut_text or text
        self.query_one("#note", Static).update(text)

    def _say(self, trouble: str) -> None:
        line = self.query_one("#trouble", Static)
        line.update(trouble)
        line.set_class(bool(trouble), "shown")

    @property
    def _body(self) -> Container:
        return self.query_one("#body", Container)

    def on_resize(self, event: events.Resize) -> None:
        beside = event.size.width >= BESIDE_FROM
        self._body.set_class(beside, "beside")
        self._body.set_class(not beside and event.size.height >= UNDER_FROM, "under")
        self._rearrange()
        self._show_preview()

    def on_run_list_highlighted(self) -> None:
        self._say("")
        self._show_note()
        self._show_preview()

    def _show_preview(self) -> None:
        """Shows the run under the cursor, if there is room."""
        preview, name = self.query_one(RunPreview), self._list.cursor
        if preview.display:
            run = self._browser.run_named(name) if name is not None else None
            origin = self._browser.origin_text(run) if run is not None else ""
            preview.show(run, self._browser.training.get(name or ""), origin)

    # --- the list -------------------------------------------------------------------------------------------

    def on_input_changed(self, event: Input.Changed) -> None:
        trouble = self._browser.filter(event.value)
        self._say(trouble)
        if not trouble:
            self._rearrange()
            self._show_preview()

    def on_input_submitted(self) -> None:
        self._list.focus()

    def action_filter(self) -> None:
        self.query_one("#filter", Input).focus()

    def action_to_list(self) -> None:
        self._list.focus()

    def on_run_list_header_clicked(self, event: RunList.HeaderClicked) -> None:
        self._browser.sort_by(event.column)
        self._rearrange(top=True)

    def action_sort(self) -> None:
        self._browser.sort_by_next(self._list.columns)
        self._rearrange(top=True)

    def action_reverse(self) -> None:
        self._browser.sort_by(self._browser.order.column)
        self._rearrange(top=True)

    def action_tree(self) -> None:
        self._browser.switch_tree()
        self._rearrange(top=True)

    def on_run_list_chosen(self, event: RunList.Chosen) -> None:
        if not self._browser.choose(event.run):
            self.notify(f"At most {MOST_CHOSEN} runs are compared at once.", severity="warning")
            return
        self._list.refresh()
        self._show_note()
        self.post_message(self.SelectionChanged(tuple(self._browser.chosen)))

    def action_overlay(self) -> None:
        """Leaves the list; the runs that are chosen, else the one under the cursor, are drawn on the charts."""
        chosen = tuple(self._browser.chosen)
        if (run := self._list.cursor) is not None:
            self.dismiss(RunChoice("overlay", run, runs=chosen or (run,)))

    def action_compare(self) -> None:
        chosen = self._browser.chosen
        if len(chosen) < 2:
            self.notify("Choose two runs or more with {runs.choose}, then compare them.", severity="warning")
            return
        from rnnplay.tui.screens.runs.compare import CompareScreen  # imported on first use

        self.app.push_screen(CompareScreen(self._workspace, chosen))

    # --- one run --------------------------------------------------------------------------------------------

    def on_run_list_opened(self, event: RunList.Opened) -> None:
        self._finish("resume", event.run)

    def action_open(self) -> None:
        self._finish("open", self._list.cursor)

    def action_branch(self) -> None:
        self._finish("branch", self._list.cursor)

    def action_samples(self) -> None:
        """Shows what the run under the cursor wrote while it learned; the list is still there afterwards."""
        from rnnplay.tui.screens.runs.samples import SamplesScreen

        if (run := self._list.cursor) is not None:
            self.app.push_screen(SamplesScreen(RunFolder(self._workspace.checkpoints / run)))

    def _finish(self, action: Literal["resume", "open", "branch"], run: str | None) -> None:
        """Closes the list with the choice; shows the error instead if the run cannot be read."""
        if run is None:
            return
        try:
            find_run(run, self._workspace).info()
        except (RnnplayError, OSError) as error:
            self._say(str(error))
        else:
            self.dismiss(RunChoice(action, run))

    def action_note(self) -> None:
        if (run := self._list.cursor) is not None:
            self._management.note(run)

    def action_tag(self) -> None:
        if (run := self._list.cursor) is not None:
            self._management.tag(run)

    def action_rename(self) -> None:
        if (run := self._list.cursor) is not None:
            self._management.rename(run, self._renamed)

    def _renamed(self, run: str, name: str) -> None:
        self._browser.rename(run, name)
        if self._tell_renamed is not None:
            self._tell_renamed(run, name)

    @work
    async def action_remove(self) -> None:
        if (run := self._list.cursor) is not None:
            await self._management.remove(run, self._browser.beside(run))

    @work
    async def action_bring_back(self) -> None:
        await self._management.bring_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leaves out what is done with runs while there are none; what was removed can still be brought back."""
        return action in ("back", "bring_back") or action.startswith("app.") or self._reader.runs != []

    def action_back(self) -> None:
        """Leaves the filter, then empties it, then closes the list."""
        field = self.query_one("#filter", Input)
        if field.has_focus:
            self._list.focus()
        elif field.value:
            field.value = ""
        else:
            self.dismiss(None)
