"""A dialog that exports one run or several: a format, a path, and what was written."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.common.formatting import size_text
from rnnplay.errors import RnnplayError
from rnnplay.experiments.export.background import export_in_background
from rnnplay.experiments.export.formats import FORMATS, Format
from rnnplay.experiments.export.request import Export, default_name, planned
from rnnplay.runs.folder import RunFolder
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.screens.dialogs import Confirm, Dialog, DialogBox
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace

Write = Callable[[Export, Workspace], Awaitable[list[Path]]]


class ExportPath:
    """The path as typed; until it is, the format's default name."""

    def __init__(self, runs: Sequence[RunFolder], name: str) -> None:
        """`name` is used in place of the runs' own."""
        self._runs, self._name = runs, name
        self.format = next(iter(self.formats))
        self.typed = ""

    @property
    def formats(self) -> dict[str, Format]:
        """The formats that can hold so many runs; of several, charts first."""
        if len(self._runs) == 1:
            return FORMATS
        several = {name: kind for name, kind in FORMATS.items() if kind.several}
        return dict(sorted(several.items(), key=lambda entry: entry[0] not in ("svg", "png")))

    @property
    def default(self) -> str:
        """The name of the file or folder that is written if nothing is typed."""
        ending = FORMATS[self.format].ending
        own = default_name(Export(self._runs, self.format))
        return self._name + ending if self._name and ending != self.format else own

    @property
    def label(self) -> str:
        """What is asked for."""
        return f"{self.format}, {'folder' if FORMATS[self.format].folder else 'file'} to write:"

    def wanted(self, force: bool = False) -> Export:
        """The export that is asked for; its path is absolute."""
        out = Path(self.typed.strip() or self.default).expanduser()
        return Export(self._runs, self.format, Path.cwd() / out, force=force)


def written_text(files: list[Path]) -> str:
    """Says what was written, in one sentence."""
    size = sum(path.stat().st_size for path in files if path.exists())
    if len(files) == 1:
        return f"Written: {visible_line(str(files[0]))} ({size_text(size)})."
    names = ", ".join(visible_line(path.name) for path in files)
    return f"Written to {visible_line(str(files[0].parent))}: {names} ({size_text(size)})."


class ExportScreen(Dialog[str | None]):
    """Exports runs; the result is a sentence that says what was written, None if nothing was."""

    DEFAULT_CSS = """
    ExportScreen > DialogBox { width: 76; }
    ExportScreen OptionList { height: auto; max-height: 10; background: $surface; border: none; padding: 0; }
    ExportScreen OptionList:focus { border: none; }
    ExportScreen.-tiny OptionList { max-height: 4; }
    ExportScreen Label { margin-top: 1; }
    ExportScreen #said { display: none; height: auto; margin-top: 1; color: $error; }
    ExportScreen #said.shown { display: block; }
    ExportScreen #said.busy { color: $foreground; }
    ExportScreen Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    ExportScreen Button { margin-left: 2; background: $panel; color: $foreground; }
    ExportScreen Button:focus { background: $accent; color: $background; }
    """
    AUTO_FOCUS = "OptionList"
    HELP = """
    ## Export

    `↑` `↓` choose a format, `Tab` goes on to the path, `Enter` writes; `Escape` cancels. Without a path the file is
    named after the run, in the folder that rnnplay was started in. What exists is replaced only after a question.

    `rnnplay export --help` has more: any runs in one chart, by steps or tokens, and an earlier checkpoint.
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="everywhere.back"), *HELP_KEYS]

    def __init__(
        self, runs: Sequence[RunFolder], workspace: Workspace, write: Write = export_in_background, name: str = ""
    ) -> None:
        """`name`: that of the runs together, for the title and the file."""
        super().__init__()
        self._title = name or runs[0].name
        self._workspace, self._write = workspace, write
        self._path = ExportPath(runs, name)
        self._busy = False

    def compose(self) -> ComposeResult:
        formats = self._path.formats
        width = max(map(len, formats))
        with DialogBox() as box:
            box.border_title = f"Export {self._title}"
            box.border_subtitle = fill_keys("↑ ↓ format  tab path  enter write  {everywhere.back} cancel")
            yield OptionList(*(Option(f"{name:<{width}}  {kind.help}", id=name) for name, kind in formats.items()))
            yield Label(self._path.label, markup=False)
            yield Input(placeholder=self._path.default, compact=True, select_on_focus=False)
            yield Static("", id="said", markup=False)
            with Horizontal():
                yield Button("Export", id="export", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option.id is not None and not self._busy:
            self._path.format = event.option.id
            self.query_one(Label).update(self._path.label)
            self.query_one(Input).placeholder = self._path.default
            self._say("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._path.typed = event.value
        if not self._busy:
            self._say("")

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    @on(Button.Pressed, "#export")
    def _export(self) -> None:
        if not self._busy:
            self._work()

    @work(exclusive=True)
    async def _work(self) -> None:
        self._busy = True
        try:
            wanted = self._path.wanted()
            there = [path for path in planned(wanted) if path.exists()]
            if there:
                question = f"{visible_line(str(there[0]))} exists already; replace it?"
                if not await self.app.push_screen_wait(Confirm("Replace", question, "Replace", lost=True)):
                    return
                wanted = self._path.wanted(force=True)
            self._say("Writing…", busy=True)
            files = await self._write(wanted, self._workspace)
        except (RnnplayError, OSError, RuntimeError) as error:  # RuntimeError: an unknown home folder
            self._say(str(error))
            return
        finally:
            self._busy = False
        if sys.platform != "win32" and self.app.is_web:
            from rnnplay.tui.textual_patches.web_driver import download

            download(self.app, files, self._workspace.cache)
        self.dismiss(written_text(files))

    def _say(self, text: str, busy: bool = False) -> None:
        line = self.query_one("#said", Static)
        line.update(visible_line(text))
        line.set_class(bool(text), "shown")
        line.set_class(busy, "busy")
