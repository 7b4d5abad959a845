"""The colours and marks by which runs are told apart, in charts and in tables, with colour and without."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class RunLook:
    """How one of several runs is drawn."""

    color: str
    """The colour of its `Series`, one of canvas.TOKENS."""
    mark: str
    """One character, one cell wide: on its curve and before its name."""
    dark: str
    """The colour on a dark background, as "#rrggbb"."""
    light: str
    """The colour on a light background."""

    def shade(self, dark: bool) -> str:
        """Returns the colour for text on a dark or a light background."""
        return self.dark if dark else self.light


RUN_LOOKS = (
    RunLook("run1", "■", "#7aa2f7", "#2e5cb8"),
    RunLook("run2", "▲", "#ff9e64", "#b04f00"),
    RunLook("run3", "◆", "#3fc7a4", "#00735a"),
    RunLook("run4", "○", "#e07ad0", "#9c2f80"),
    RunLook("run5", "▼", "#e3d36b", "#766300"),
    RunLook("run6", "□", "#c8d0e8", "#2b3040"),
)
"""Blue, orange, green, magenta, yellow, grey: they differ in lightness too, for those who see some colours alike.

A filled circle is none of the marks: it stands for a run that is being trained.
"""

DIED = "×"
"""Marks the end of a curve whose run diverged."""


def run_look(number: int) -> RunLook:
    """Returns the look of run `number`, counted from 0; beyond six the colours recur with other marks."""
    turn, at = divmod(number, len(RUN_LOOKS))
    return replace(RUN_LOOKS[at], mark=RUN_LOOKS[(at + turn) % len(RUN_LOOKS)].mark)


def look_css(selector: str) -> str:
    """Returns CSS that gives the component class of each look its colour: `selector` names the widget."""
    rules = []
    for look in RUN_LOOKS:
        rules.append(f"{selector} > .chart--{look.color} {{ color: {look.dark}; }}")
        rules.append(f"{selector}:light > .chart--{look.color} {{ color: {look.light}; }}")
    return "\n".join(rules)
