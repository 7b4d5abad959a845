"""The sample log of a run: what fixed prompts were completed with, step by step, while it learns."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.logged import SampleFile, SampleFollower, prompts_of
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.prompt.sample_column import SampleColumn
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.visible import visible_line

REFRESH_SECONDS = 1.0
"""Time between two looks at the file."""
COLUMN_WIDTH = 44
"""A column is not narrower than this; prompts without room are a key away."""
NONE_YET = "There are no samples yet: they are written at the beginning of a run and at its validations."
OFF = "This run keeps no samples: its knob sample_prompts is off."


class SamplesScreen(Screen[None]):
    """Shows the samples of one run, and follows them while it is trained, by whichever process."""

    DEFAULT_CSS = """
    SamplesScreen { background: $background; }
    SamplesScreen #samples-title { height: 1; padding: 0 1; color: $foreground; }
    SamplesScreen #samples-notice { height: auto; padding: 1 2; color: $foreground 65%; display: none; }
    SamplesScreen #samples-notice.shown { display: block; }
    SamplesScreen Horizontal { height: 1fr; }
    """
    AUTO_FOCUS = ""
    HELP = """
    ## The sample log

    At its beginning and at validations, a run completes fixed prompts, each time with the same random numbers: what
    changes from step to step is the model. The setting *prompts* (under *more settings*, *Evaluation*) says which:
    by default the beginnings of three lines of the text.

    `{samples.prompt-before}` `{samples.prompt-after}` or a number choose a prompt; `↑` `↓` move through the
    steps; `escape` returns.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"choose({number - 1})", show=False, id=f"samples.prompt-{number}")
            for number in range(1, 9)
        ),
        *HELP_KEYS,
        Binding("escape", "back", "Back", id="everywhere.back"),
        Binding("v", "back", "Back", show=False, id="samples.back"),
    ]

    def __init__(self, run: RunFolder, off: bool = False) -> None:
        """`off`: whether the run is known to keep no samples."""
        super().__init__()
        self._run, self._off = run, off
        self._follower = SampleFollower(SampleFile(run.path))
        self._first = 0
        """Number of the leftmost column shown."""

    def compose(self) -> ComposeResult:
        yield Static(f"Samples of {visible_line(self._run.name)}", id="samples-title", markup=False)
        yield Static("", id="samples-notice", markup=False)
        yield Horizontal()
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        self._follow()

    @work
    async def _follow(self) -> None:
        while True:
            trouble, changed = "", False
            try:
                changed = await asyncio.to_thread(self._follower.look)
            except InputError as error:
                trouble = str(error)
            if not self.query("#samples-notice"):
                return  # the screen was left meanwhile
            if changed:
                await self._show()
            self._say(trouble or ("" if self._follower.samples else OFF if self._off else NONE_YET))
            await asyncio.sleep(REFRESH_SECONDS)

    def _say(self, text: str) -> None:
        notice = self.query_one("#samples-notice", Static)
        if str(notice.content) != text:
            notice.update(text)
            notice.set_class(bool(text), "shown")

    async def _show(self) -> None:
        samples = self._follower.samples
        known = [column.prompt for column in self._columns]
        prompts = prompts_of(samples)
        if prompts[: len(known)] != known:  # the file was cut back, or is another one
            await self.query(SampleColumn).remove()
            known = []
        new = [SampleColumn(number, prompt) for number, prompt in enumerate(prompts, start=1) if prompt not in known]
        if new:
            await self.query_one(Horizontal).mount_all(new)
        for column in self._columns:
            column.show(samples)
        if new:
            self._arrange()
            if not isinstance(self.focused, SampleColumn):
                self._columns[0].focus()
        steps = len({sample.step for sample in samples})
        title = f"Samples of {visible_line(self._run.name)} · {steps:,} {'step' if steps == 1 else 'steps'}"
        self.query_one("#samples-title", Static).update(title)

    @property
    def _columns(self) -> list[SampleColumn]:
        return list(self.query(SampleColumn))

    def _arrange(self) -> None:
        """Shows as many columns as there is room for."""
        columns = self._columns
        room = max(1, min(len(columns), self.size.width // COLUMN_WIDTH))
        self._first = max(0, min(self._first, len(columns) - room))
        for number, column in enumerate(columns):
            column.display = self._first <= number < self._first + room

    def on_resize(self) -> None:
        self._arrange()
        focused = self.focused
        if isinstance(focused, SampleColumn) and not focused.display:
            self.action_choose(self._columns.index(focused))

    def action_prompt(self, direction: int) -> None:
        """Moves to the next prompt to the right or left."""
        columns, focused = self._columns, self.focused
        if columns:
            at = columns.index(focused) if isinstance(focused, SampleColumn) else 0
            self.action_choose((at + direction) % len(columns))

    def action_choose(self, number: int) -> None:
        """Moves to the prompt `number`, counted from 0."""
        columns = self._columns
        if number >= len(columns):
            return
        room = sum(column.display for column in columns)
        self._first = min(max(self._first, number - room + 1), number)
        self._arrange()
        self.set_focus(columns[number])

    def action_back(self) -> None:
        self.dismiss(None)
