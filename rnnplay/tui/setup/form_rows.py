"""The rows of the setup form: which knob stands where, what a preset leaves alone, and the row that opens the rest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from rnnplay.config import GROUPS, Knob, KnobSpec, RunConfig, Value, knobs
from rnnplay.presets import DEFAULT_PRESET, PRESETS, Preset
from rnnplay.tui.heatmap.values import format_value
from rnnplay.tui.widgets.visible import visible_line

FIRST = (
    ("corpus", "tokens"),
    ("cell", "hidden", "layers"),
    ("clip", "clip_threshold", "lr"),
    ("minutes", "epochs", "steps"),
)
"""What most people change, above the fold; every other knob follows under "more"."""
FIRST_NAMES = [name for group in FIRST for name in group]
KEPT_BY_PRESETS, KEPT_GROUPS = ("corpus", "seed"), ("machine", "checkpoints")
"""A preset that does not name these leaves them as they are, and so it does with all knobs of these groups."""
MOST_LISTED = 6
"""Names of changed knobs in the note of the preset; what is changed is seen in the form as well."""


def preset_spec(presets: Iterable[str] = PRESETS) -> KnobSpec:
    """Describes the choice among presets, which is no knob of a run."""
    return KnobSpec(
        "preset",
        "choice",
        DEFAULT_PRESET,
        tuple(presets),
        Knob("settings to start from; choosing one fills the form", "corpus"),
    )


def more_groups() -> list[tuple[str, list[str]]]:
    """(title, names) of every knob that is not among the first."""
    groups = [
        (title, [name for name, spec in knobs().items() if spec.knob.group == group and name not in FIRST_NAMES])
        for group, title in GROUPS.items()
    ]
    return [(title, names) for title, names in groups if names]


def kept_by(preset: Preset) -> set[str]:
    """The knobs that choosing `preset` leaves as they are."""
    return {
        name
        for name, spec in knobs().items()
        if name not in preset.values and (name in KEPT_BY_PRESETS or spec.knob.group in KEPT_GROUPS)
    }


def changed_names(config: RunConfig, preset: Preset, of_preset: RunConfig) -> list[str]:
    """The knobs of `config` that `preset`, whose config is `of_preset`, would set to something else."""
    kept = kept_by(preset)
    return [name for name in knobs() if name not in kept and getattr(config, name) != getattr(of_preset, name)]


def label_width(names: Iterable[str]) -> int:
    """Cells of the longest label."""
    return max(cell_len(knobs()[name].label) for name in names)


def listed(names: list[str]) -> str:
    """The first few of `names`, and how many more there are."""
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def knob_help(spec: KnobSpec, note: str = "", locked: str = "", irrelevant: bool = False, error: str = "") -> str:
    """The knob's help, the allowed range, the default, and why it is locked, as Markdown."""
    lines = [f"**{spec.name}** — {spec.knob.help}.", f"Allowed: {spec.allowed}."]
    if spec.knob.zero:
        lines.append(f"0 means {spec.knob.zero}.")
    lines.append(f"Default: {format_value(spec, spec.default)}.")
    if spec.knob.live:
        lines.append("May change while training.")
    lines += [line for line in (note, locked) if line]
    if irrelevant and spec.knob.when:
        other, values = spec.knob.when
        lines.append(f"Of use only with {other} = {' or '.join(values)}.")
    if error:
        lines.append(f"**{error}**")
    return "\n\n".join(lines)


def knob_options(spec: KnobSpec) -> list[tuple[Value, str]]:
    """(value, as shown) of what a knob may be set to, where that is a choice."""
    if spec.kind == "bool":
        return [(False, "off"), (True, "on")]
    return [(choice, choice) for choice in spec.choices]


def corpus_options(corpora: list[tuple[str, str]], current: str) -> tuple[list[tuple[Value, str]], str]:
    """What a corpus is chosen from, given (name, title) of each and the one there is; and the title of that one."""
    titles = dict(corpora)
    options: list[tuple[Value, str]] = [(name, name) for name in titles]
    if current not in titles:
        options.append((current, PurePath(current).name or current))
    return options, visible_line(titles.get(current, current))


class MoreRow(Widget, can_focus=True):
    """Opens and closes the rarer knobs."""

    DEFAULT_CSS = """
    MoreRow {
        height: 1; width: 1fr; color: $text-muted; pointer: pointer;
        &:hover { background: $foreground 6%; }
        &:focus { background: $primary 25%; color: $foreground; }
    }
    """

    class Pressed(Message):
        """Open, or close, the rest."""

    HELP = "Enter shows or hides the rarer settings."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,left,right", "press", "More", show=False)]

    def __init__(self) -> None:
        super().__init__(id="more-settings")
        self._opened = False

    def show(self, opened: bool) -> None:
        """Say what pressing it does, while the rarer knobs are shown (`opened`) or not."""
        self._opened = opened
        self.refresh()

    def render(self) -> Content:
        return Content("▾ fewer settings" if self._opened else "▸ more settings")

    def action_press(self) -> None:
        self.post_message(self.Pressed())

    def on_click(self) -> None:
        self.action_press()
