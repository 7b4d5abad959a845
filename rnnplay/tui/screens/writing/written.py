"""The samples that were drawn from a run, to come back to."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.written import Written, WrittenFile
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.visible import MUTED, shortened, visible_line, visible_text

LONGEST_LINE = 300
MOST_SHOWN = 500
NONE_YET = (
    "No sample was drawn from this run yet: type a prompt and press Enter, "
    "or press {scratchpad.samples} in the scratchpad."
)


class WrittenScreen(Screen[Written | None]):
    """Lists the samples, the newest first; the result is the one that was chosen."""

    DEFAULT_CSS = """
    WrittenScreen { background: $background; }
    WrittenScreen #written-title { height: 1; padding: 0 1; color: $foreground; }
    WrittenScreen OptionList { height: 40%; padding: 0 1; background: transparent; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis; border: none; &:focus { border: none; }
        & > .option-list--option-highlighted { background: $panel; color: $foreground; }
        &:focus > .option-list--option-highlighted { background: $primary 25%; color: $foreground; }
    }
    WrittenScreen VerticalScroll { height: 1fr; border-top: solid $border; padding: 0 1; scrollbar-size-vertical: 1; }
    WrittenScreen #written-text { height: auto; }
    """
    AUTO_FOCUS = "OptionList"
    HELP = """
    ## What was drawn

    The samples of this run, the newest first, each with the step, the seed and the settings with which it can be drawn
    again. They are in `written.jsonl` in the run's folder, which keeps the newest.

    `↑` `↓` choose one, `PgUp` `PgDn` scroll its text, `Enter` takes it: to the prompt, or into the scratchpad; `y`
    copies it; `Escape` returns.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take", priority=True, id="written.take"),
        Binding("y", "copy", "Copy", id="written.copy"),
        Binding("pageup", "page(-1)", "Scroll", key_display="pgup/pgdn", priority=True, id="written.page-up"),
        Binding("pagedown", "page(1)", "Scroll", show=False, priority=True, id="written.page-down"),
        *HELP_KEYS,
        Binding("escape", "back", "Back", id="everywhere.back"),
        Binding("V", "back", "Back", show=False, id="written.back"),
    ]

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self._run = run
        self._found: list[Written] = []

    def compose(self) -> ComposeResult:
        yield Static(f"Written with {visible_line(self._run.name)}", id="written-title", markup=False)
        yield OptionList()
        with VerticalScroll(can_focus=False):
            yield Static(fill_keys(NONE_YET), id="written-text", markup=False)
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        try:
            self._found = WrittenFile(self._run.path).read()[:MOST_SHOWN]
        except InputError as error:
            self.query_one("#written-text", Static).update(visible_text(str(error)))
        options = self.query_one(OptionList)
        options.add_options([row(one) for one in self._found])
        if self._found:
            options.highlighted = 0

    @property
    def _chosen(self) -> Written | None:
        at = self.query_one(OptionList).highlighted
        return self._found[at] if at is not None and at < len(self._found) else None

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        if (one := self._chosen) is not None:
            text = Content.assemble(
                (settings_text(one), MUTED), "\n", (visible_text(one.prompt), "bold $primary"), visible_text(one.text)
            )
            self.query_one("#written-text", Static).update(text)
            self.query_one(VerticalScroll).scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def action_take(self) -> None:
        """Returns with the sample."""
        if self._chosen is not None:
            self.dismiss(self._chosen)

    def action_copy(self) -> None:
        """Copies the sample with its prompt."""
        if (one := self._chosen) is not None:
            self.app.copy_to_clipboard(one.prompt + one.text)
            self.notify("copied")

    def action_page(self, pages: int) -> None:
        """Scrolls the text."""
        view = self.query_one(VerticalScroll)
        view.scroll_relative(y=pages * view.size.height, animate=False)

    def action_back(self) -> None:
        """Returns without a sample."""
        self.dismiss(None)


def row(one: Written) -> Content:
    """One line of the list: step, seed, and the beginning of the text."""
    text = shortened(visible_line((one.prompt[-40:] + one.text)[:LONGEST_LINE]), LONGEST_LINE)
    return Content.assemble((f"step {one.step:,} · seed {one.sampling.seed}  ", MUTED), text)


def settings_text(one: Written) -> str:
    """What is needed to draw the sample again: "step 600 · seed 7 · temperature 0.8 · 2026-11-26 09:00"."""
    parts = [f"step {one.step:,}"]
    default = type(one.sampling)()
    for name in one.sampling.__struct_fields__:
        value = getattr(one.sampling, name)
        if name in ("seed", "temperature") or value != getattr(default, name):
            parts.append(f"{name.replace('_', ' ')} {visible_line(str(value))}")
    return " · ".join([*parts, visible_line(one.time[:16].replace("T", " "))]).removesuffix(" · ")
