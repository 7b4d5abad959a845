"""The rows of the setup form: their order, their labels and help, and the row that opens the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from rnnplay.config import GROUPS, KnobSpec, Value, knobs
from rnnplay.knob_texts import corpus_label
from rnnplay.tui.keymap import KEYS, key_name
from rnnplay.tui.run_state import LOCKED, READ_ONLY, RunState
from rnnplay.tui.widgets.visible import visible_line

FIRST = (
    ("corpus", "tokens"),
    ("cell", "hidden", "layers"),
    ("clip", "clip_threshold", "lr"),
    ("minutes", "epochs", "steps"),
)
"""The knobs most often changed, above the fold; the others follow under "more"."""
FIRST_NAMES = [name for group in FIRST for name in group]


def more_groups() -> list[tuple[str, list[str]]]:
    """(title, names) of all knobs that are not among the first."""
    groups = [
        (title, [name for name, spec in knobs().items() if spec.knob.group == group and name not in FIRST_NAMES])
        for group, title in GROUPS.items()
    ]
    return [(title, names) for title, names in groups if names]


def label_width(names: Iterable[str]) -> int:
    """The width of the longest label in cells."""
    return max(cell_len(knobs()[name].label) for name in names)


def knob_help(spec: KnobSpec, note: str, locked: str, irrelevant: bool, error: str) -> str:
    """The help of a knob as Markdown: description, allowed range, default, and why it is locked."""
    lines = [f"**{spec.name}** — {spec.knob.help}.", f"Allowed: {spec.allowed}."]
    if spec.special:
        number, meaning = spec.special
        lines.append(f"{number} means {meaning}.")
    lines.append(f"Default: {spec.text(spec.default)}.")
    if spec.knob.live:
        lines.append("May change while training.")
    lines += [line for line in (note, locked) if line]
    if irrelevant:
        lines.append(f"Of use only with {spec.needs.replace(' ', ' = ', 1)}.")
    if error:
        lines.append(f"**{error}**")
    return "\n\n".join(lines)


def keys_help(chosen: bool) -> str:
    """The help on the keys of a field whose value is `chosen` from options, or typed."""
    if chosen:
        return "`←` `→` choose, `enter` lists all; `↑` `↓` go to the next row."
    return "`←` `→` change it, or type; `enter` takes it, `escape` undoes it; `↑` `↓` go to the next row."


def refusal(label: str, text: str, chosen: bool) -> str:
    """A sentence that says why `text`, typed into the field of that label, was not accepted."""
    shown = f"“{visible_line(text)}”"
    if chosen:
        return f"{label} is chosen with {key_name('setup.less')} and {key_name('setup.more')}; {shown} was not taken."
    return f"{label} takes a number; {shown} was not taken."


def form_note(state: RunState) -> str:
    """What the form is for, where it is not for a new run of its own; "" otherwise."""
    if state.running:
        return LOCKED
    if state.followed:
        return READ_ONLY
    branch = state.next_branch
    if branch is None:
        return ""
    optimizer = " and the optimizer's state" if branch.with_optimizer else ""
    shrunk = f" × {branch.shrink:g}" if branch.shrink != 1 else ""
    taken = f"its weights{shrunk}{optimizer}"
    return f"Branch of {branch.checkpoint}: {KEYS.train} trains a new run from {taken}; {KEYS.new} from random ones."


def corpus_options(corpora: list[tuple[str, str]], current: str) -> tuple[list[tuple[Value, str]], str]:
    """The options of the corpus field, from (name, title) of each corpus, and the title of the `current` one."""
    titles = dict(corpora)
    options: list[tuple[Value, str]] = [(name, name) for name in titles]
    if current not in titles:
        options.append((current, corpus_label(current)))
    return options, visible_line(titles.get(current, current))


class MoreRow(Widget, can_focus=True):
    """Shows and hides the less common knobs."""

    DEFAULT_CSS = """
    MoreRow {
        height: 1; width: 1fr; color: $text-muted; pointer: pointer;
        &:hover { background: $foreground 6%; }
        &:focus { background: $primary 25%; color: $foreground; }
    }
    """

    class Pressed(Message):
        """The row was pressed."""

    HELP = "`enter` shows or hides the less common settings."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,left,right", "press", "More", show=False, id="setup.open")]

    def __init__(self) -> None:
        super().__init__(id="more-settings")
        self._opened = False

    def show(self, opened: bool) -> None:
        """Labels the row for the knobs being shown (`opened`) or hidden."""
        self._opened = opened
        self.refresh()

    def render(self) -> Content:
        return Content("▾ fewer settings" if self._opened else "▸ more settings")

    def action_press(self) -> None:
        self.post_message(self.Pressed())

    def on_click(self) -> None:
        self.action_press()
