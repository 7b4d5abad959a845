"""What one prompt was completed with, by step: one column of the sample log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rnnplay.common.formatting import fixed
from rnnplay.runs.samples.logged import LoggedSample
from rnnplay.tui.widgets.visible import MUTED, shortened, visible_line, visible_text

MOST = 300
"""Samples shown of a longer log, at equal distances, the first and the last among them."""


class SampleColumn(OptionList):
    """Lists the samples of one prompt, the newest last; stays at the newest while it is under the cursor."""

    DEFAULT_CSS = """
    SampleColumn {
        width: 1fr; height: 1fr; background: $background; border: round $panel; padding: 0 1;
        border-title-color: $foreground 65%; border-subtitle-color: $foreground 65%;
    }
    SampleColumn:focus { border: round $primary; border-title-color: $primary; }
    SampleColumn > .option-list--option-highlighted { background: $panel; }
    SampleColumn:focus > .option-list--option-highlighted { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "screen.prompt(-1)", "Prompt", key_display="←/→", id="samples.prompt-before"),
        Binding("right", "screen.prompt(1)", show=False, id="samples.prompt-after"),
        Binding("k", "cursor_up", show=False, id="samples.up"),
        Binding("j", "cursor_down", show=False, id="samples.down"),
    ]
    HELP = """
    ## Samples by step

    How the run completed this prompt at each validation, with the same random numbers each time. `↑` `↓`, `home` and
    `end` move through the steps; at the last one, new samples are followed.
    """

    def __init__(self, number: int, prompt: str) -> None:
        super().__init__()
        self.prompt = prompt
        self._number = number
        self._shown: list[LoggedSample] = []

    def on_resize(self) -> None:
        self.border_title = f"{self._number}  {shortened(visible_line(self.prompt), max(4, self.size.width - 6))}"

    @property
    def steps(self) -> list[int]:
        """The steps shown."""
        return [sample.step for sample in self._shown]

    def show(self, samples: Sequence[LoggedSample]) -> None:
        """Shows those of `samples` that continue the prompt; only what changed is drawn anew."""
        own = thinned([sample for sample in samples if sample.prompt == self.prompt])
        if own == self._shown:
            return
        before, self._shown = self._shown, own
        row = self.highlighted
        follows = row is None or row == len(before) - 1
        at = before[row].step if row is not None and row < len(before) else None
        if before and own[: len(before)] == before:
            self.add_options([Option(drawn(sample)) for sample in own[len(before) :]])
        else:
            self.set_options([Option(drawn(sample)) for sample in own])
        if own:
            last = len(own) - 1
            nearest = min(range(len(own)), key=lambda index: abs(own[index].step - (at or 0)))
            self.highlighted = last if follows or at is None else nearest
        self.border_subtitle = f"{len(own):,} steps" if len(own) != 1 else "one step"


def drawn(sample: LoggedSample) -> Content:
    """A sample: its step and loss, and under them the prompt and, brighter, the continuation."""
    loss = "" if sample.loss is None else f"   validation {fixed(sample.loss, 3)}"
    return Content.assemble(
        (f"step {sample.step:,}{loss}\n", MUTED),
        (visible_text(sample.prompt), MUTED),
        visible_text(sample.text).rstrip("\n"),
        "\n",
    )


def thinned(samples: Sequence[LoggedSample], most: int = MOST) -> list[LoggedSample]:
    """At most about `most` of `samples`: every n-th from the first on, and the last."""
    every = -(-len(samples) // most) if samples else 1
    kept = list(samples[::every])
    return kept if not kept or kept[-1] is samples[-1] else [*kept, samples[-1]]
