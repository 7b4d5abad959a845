"""The learning-rate range test of the settings in the form, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import ClassVar

import msgspec
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from rnnplay.common.jsonl import decode_line
from rnnplay.common.terminal_text import sanitize_message
from rnnplay.config import RunConfig
from rnnplay.experiments.lr_range import HIGH, LOW, STEPS, RangePoint, RangeResult, options_of
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.screens.dialogs import Dialog
from rnnplay.tui.value_plot.plot_view import PlotView
from rnnplay.tui.value_plot.rates import rates_plot
from rnnplay.tui.widgets.text import translation_of
from rnnplay.workspace import Workspace

COMMAND = (sys.executable, "-m", "rnnplay", "lr-range", "--json")
REDRAW_STEPS = 4
FLAT_ROWS = 16
"""Lower windows have no room for the note."""
NOTE = "A tenth of the rate with the lowest loss is one to begin with. It promises nothing."


class LrRangeScreen(Dialog[float | None]):
    """Runs the test and draws it as it goes; the result is the learning rate to take, or None."""

    DEFAULT_CSS = """
    LrRangeScreen > Vertical { width: 110; height: 30; max-height: 90%; }
    LrRangeScreen PlotView { border: none; background: $surface; }
    LrRangeScreen Static { height: auto; }
    LrRangeScreen #promise { color: $text-muted; }
    LrRangeScreen.-flat > Vertical { max-height: 100%; }
    LrRangeScreen.-flat #promise { display: none; }
    """
    HELP = """
    ## Learning-rate range test

    A new model of the form's settings is trained for 200 steps, while its learning rate rises from 1e-6 to 1, and
    thrown away. The faint line is the loss of each step, the other its average. Marked are the steepest descent, the
    lowest point, and where the loss blows up. `Enter` puts a tenth of the rate with the lowest loss into the form.

    It promises nothing: the best rate of a whole run, with its schedule, may be another.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take the rate", id="rate-test.take"),
        Binding("escape", "cancel", "Back", id="everywhere.back"),
        *HELP_KEYS,
    ]

    def __init__(self, config: RunConfig, workspace: Workspace) -> None:
        super().__init__()
        self._config, self._workspace = config, workspace
        self._points: list[RangePoint] = []
        self._result: RangeResult | None = None
        self._process: asyncio.subprocess.Process | None = None

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            translated = translation_of(self)
            box.border_title = translated("Learning-rate range test")
            yield PlotView(empty=translated("loading the model"))
            yield Static("", id="found", markup=False)
            yield Static(translated(NOTE), id="promise", markup=False)

    def on_mount(self) -> None:
        self._test()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < FLAT_ROWS, "-flat")

    def on_unmount(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # nothing is written that could be left half

    @work(exclusive=True)
    async def _test(self) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                *("--workspace", str(self._workspace.root)),
                *options_of(self._config),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            self._say(f"The test cannot be started ({error.strerror}).")
            return
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        async for line in self._process.stdout:
            with contextlib.suppress(msgspec.DecodeError):
                self._take(decode_line(line, RangePoint | RangeResult))
        errors = sanitize_message((await self._process.stderr.read()).decode("utf-8", "replace"))
        await self._process.wait()
        if self._result is None:
            self._say(errors.removeprefix("Error: ") or "The test ended without a result.")

    def _take(self, record: RangePoint | RangeResult) -> None:
        if isinstance(record, RangeResult):
            self._result = record
            self._say(record.sentence)
            self.refresh_bindings()
        else:
            self._points.append(record)
            self._say(f"step {record.step} of {STEPS}, learning rate {record.lr:.2g}")
        if self._result is not None or len(self._points) % REDRAW_STEPS == 0:
            nothing = RangeResult(None, None, None, None)
            self.query_one(PlotView).show(rates_plot(tuple(self._points), LOW, HIGH, self._result or nothing))

    def _say(self, text: str) -> None:
        self.query_one("#found", Static).update(translation_of(self)(text))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "take" or (self._result is not None and self._result.suggested is not None)

    def action_take(self) -> None:
        self.dismiss(self._result.suggested if self._result is not None else None)

    def action_cancel(self) -> None:
        self.dismiss(None)
