"""The keys of the race's screen, and when each is enabled. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType

from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.run_state import RESUMABLE

BINDINGS: list[BindingType] = [
    Binding("space", "pause_all", "Pause", id="race.pause-all"),
    Binding("space", "continue_all", "Go on", id="race.pause-all"),
    Binding("x", "stop", "Stop", id="race.stop"),
    Binding("n", "new", "New race", id="race.new"),
    Binding("g", "prompt", "Prompt", id="race.prompt"),
    Binding("v", "view", "Memory", id="race.view"),
    Binding("v", "view_curves", "Curves", id="race.view"),
    Binding("m", "measure", "Axis", id="race.measure"),
    Binding("l", "lines", "Losses", id="race.lines"),
    Binding("e", "export", "Export", id="race.export"),
    Binding("enter,o", "open", "Open", key_display="⏎", id="race.open"),
    Binding("r", "resume", "Resume", id="race.resume"),
    Binding("a", "add", "Add", id="race.add"),
    Binding("d", "drop", "Drop", id="race.drop"),
    Binding("p", "pause", "Pause one", id="race.pause"),
    Binding("i", "inspect", "Inspect", id="race.inspect"),
    *HELP_KEYS,
    Binding("escape", "back", "Back", id="everywhere.back"),
]


@dataclass(frozen=True, slots=True)
class KeyContext:
    """What decides whether a key is enabled."""

    live: LiveRace
    selected: Entrant | None
    curves: bool = True
    """Whether the charts of training are shown, rather than those of memory."""
    typing: bool = False
    """Whether the prompt has the focus."""


def is_enabled(action: str, now: KeyContext) -> bool:
    """Returns whether the action would have an effect."""
    live, one = now.live, now.selected
    match action:
        case "pause_all":
            return not live.race.over and not live.paused
        case "continue_all":
            return live.paused
        case "stop":
            return not live.over
        case "view" | "view_curves":
            return (action == "view") == now.curves
        case "lines":
            return now.curves
        case "pause":
            return one is not None and one.entry.phase in ("waits", "trains", "paused")
        case "resume":
            return one is not None and one.entry.over and one.present and may_resume(one)
        case "prompt":
            return not now.typing
    return True


def may_resume(one: Entrant) -> bool:
    """Returns whether the run of a variant that is over can go on, or begin."""
    return one.entry.progress.started is None or one.controller.state.phase in RESUMABLE
