"""Several samples side by side, to choose one and insert it into a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from rnnplay.config import SamplingConfig
from rnnplay.engine.messages import SampleText
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.visible import visible_text

MOST_SAMPLES, LEAST_WIDTH = 4, 34
PURPOSE = "writing-sample"


class OneSample(VerticalScroll, can_focus=False):
    """One of the samples, under its seed."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def show(self, text: str, seed: int, *, chosen: bool) -> None:
        """Shows `text`."""
        self.border_title = f"{'▸ ' if chosen else ''}seed {seed}"
        self.set_class(chosen, "-chosen")
        self.query_one(Static).update(visible_text(text))


class SampleChoice(Horizontal, can_focus=True):
    """Draws one sample after the other, as the engine draws one at a time; hidden until there are some."""

    DEFAULT_CSS = f"""
    SampleChoice {{ display: none; height: 40%; min-height: 6; }}
    SampleChoice OneSample {{ width: 1fr; min-width: {LEAST_WIDTH}; height: 1fr; border: round $border;
        border-title-color: $text-muted; padding: 0 1; scrollbar-size-vertical: 1; }}
    SampleChoice OneSample Static {{ height: auto; }}
    SampleChoice OneSample.-chosen {{ border: round $primary; border-title-color: $primary; }}
    """
    HELP = """
    ## Samples to choose from

    Each continues the text at the cursor, with a seed of its own and the settings of the prompt's samples.

    - `←` `→` choose one, `↑` `↓` scroll it
    - `Enter` inserts it, `l` its first line, `w` its first word
    - `Ctrl+G` draws others, `Escape` closes them
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Choose", key_display="←/→", id="choice.before"),
        Binding("right", "move(1)", "Choose", show=False, id="choice.after"),
        Binding("up", "scroll_sample(-1)", show=False, id="choice.up"),
        Binding("down", "scroll_sample(1)", show=False, id="choice.down"),
        Binding("enter", "insert('all')", "Insert", id="choice.insert"),
        Binding("l", "insert('line')", "Line", key_display="l/w", id="choice.insert-line"),
        Binding("w", "insert('word')", "Word", show=False, id="choice.insert-word"),
        *HELP_KEYS,
    ]

    @dataclass
    class Chosen(Message):
        """The user takes `text` of a sample."""

        text: str

    @dataclass
    class Drawn(Message):
        """A sample is complete."""

        prompt: str
        text: str
        sampling: SamplingConfig

    @dataclass
    class Closed(Message):
        """The samples are no longer shown."""

    def __init__(self, controller: RunController, sampling: SamplingConfig, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._controller, self._sampling = controller, sampling
        self._columns = [OneSample() for _ in range(MOST_SAMPLES)]
        self._texts: list[str] = []
        self._prompt, self._seed, self._chosen = "", 1, 0

    def compose(self) -> ComposeResult:
        yield from self._columns

    @property
    def count(self) -> int:
        """The number of samples that there is room for."""
        return min(MOST_SAMPLES, max(1, self.screen.size.width // LEAST_WIDTH))

    def draw(self, prompt: str) -> None:
        """Draws samples that continue `prompt`, and takes the focus."""
        self._prompt, self._chosen = prompt, 0
        self._seed = self._sampling.seeded.seed
        self._texts = []
        self.display = True
        for number, column in enumerate(self._columns):
            column.display = number < self.count
        self._next()
        self.focus()

    def _next(self) -> None:
        self._texts.append("")
        seed = self._seed + len(self._texts) - 1
        sampling = msgspec.structs.replace(self._sampling, seed=seed)
        self._controller.sample(self._prompt, sampling, PURPOSE)
        self._show()

    def take(self, event: SampleText) -> None:
        """Adds text to the sample being drawn, and begins the next when it is complete."""
        if not self.display or not self._texts or self._controller.requests.purpose_of(event.request) != PURPOSE:
            return
        self._texts[-1] += event.text
        if event.done:
            seed = self._seed + len(self._texts) - 1
            sampling = msgspec.structs.replace(self._sampling, seed=seed)
            self.post_message(self.Drawn(self._prompt, self._texts[-1], sampling))
            if len(self._texts) < self.count:
                self._next()
                return
        self._show_one(len(self._texts) - 1)

    def _show(self) -> None:
        for number in range(self.count):
            self._show_one(number)

    def _show_one(self, number: int) -> None:
        text = self._texts[number] if number < len(self._texts) else ""
        self._columns[number].show(text, self._seed + number, chosen=number == self._chosen)

    def close(self) -> None:
        """Ends the sample under way, and hides all."""
        self._controller.requests.drop(PURPOSE)
        self._controller.cancel()
        self.display = False
        self.post_message(self.Closed())

    def action_move(self, direction: int) -> None:
        """Chooses the sample to the left or right."""
        self._chosen = (self._chosen + direction) % self.count
        self._show()

    def action_scroll_sample(self, rows: int) -> None:
        """Scrolls the chosen sample."""
        self._columns[self._chosen].scroll_relative(y=rows, animate=False)

    def action_insert(self, how: str) -> None:
        """Inserts the chosen sample, its first line or its first word."""
        text = self._texts[self._chosen] if self._chosen < len(self._texts) else ""
        if part := part_of(text, how):
            self.close()
            self.post_message(self.Chosen(part))

    def on_click(self, event: Click) -> None:
        """Chooses the sample under the mouse; a second click inserts it."""
        for number, column in enumerate(self._columns):
            if event.widget is not None and column in event.widget.ancestors_with_self:
                again = number == self._chosen and event.chain > 1
                self._chosen = number
                self._show()
                if again:
                    self.action_insert("all")


def part_of(text: str, how: str) -> str:
    """The whole of `text`, or its beginning: up to the end of a `line` or a `word`."""
    if how == "all":
        return text
    start = len(text) - len(text.lstrip())
    stop = (character == "\n" if how == "line" else character.isspace() for character in text[start:])
    return text[: next((start + at for at, ends in enumerate(stop) if ends), len(text))]
