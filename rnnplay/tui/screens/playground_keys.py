"""The playground's keys, when each is of use, and its commands in the palette."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.widgets import Button

from rnnplay.engine import messages
from rnnplay.tui.keyboard import HELP_KEYS, takes_text
from rnnplay.tui.run_state import Phase

if TYPE_CHECKING:
    from rnnplay.tui.screens.playground import PlaygroundScreen

BINDINGS: list[BindingType] = [
    Binding("t", "train", "Train"),
    Binding("t", "resume", "Resume"),
    Binding("t", "look", "Look"),
    Binding("t", "done", "Done", show=False),
    Binding("n", "new", "New"),
    Binding("space", "pause", "Pause"),
    Binding("space", "go_on", "Go on"),
    Binding("x", "stop", "Stop"),
    Binding("c", "clip", "Clip", key_display="c ±"),
    Binding("plus,equals_sign", "threshold(1)", "Clip threshold", key_display="+/-", show=False),
    Binding("minus", "threshold(-1)", "Clip threshold", key_display="+/-", show=False),
    Binding("g", "prompt", "Prompt"),
    Binding("b", "go_back", "Back to a checkpoint", show=False),
    Binding("u", "release", "Release what is forced", show=False),
    Binding("o", "runs", "Runs"),
    Binding("i", "inspect", "Inspect"),
    *(Binding(str(number), f"inspect({number - 1})", show=False) for number in range(1, 8)),
    Binding("l", "lessons", "Learn"),
    Binding("a", "answer", "Answer", show=False),
    Binding("ctrl+l", "close_lesson", "Close the lesson", show=False),
    Binding("e", "setup", "Setup"),
    Binding("ctrl+s", "save_preset", "Save as a preset", show=False),
    *HELP_KEYS,
    Binding("escape", "leave_field", "Leave"),
    # The same from anywhere; in the footer only while text is being typed, when the single keys are text.
    *(
        binding
        for typing in (True, False)
        for binding in (
            Binding("f5", f"main({typing})", "Train/pause", show=typing),
            Binding("f6", f"switch_clip({typing})", "Clip", show=typing),
            Binding("f7", f"move_threshold(-1, {typing})", "Threshold", key_display="f7/f8", show=typing),
            Binding("f8", f"move_threshold(1, {typing})", "Threshold", key_display="f7/f8", show=False),
        )
    ),
    Binding("up", "row(-1)", show=False),
    Binding("down", "row(1)", show=False),
]


def is_of_use(screen: PlaygroundScreen, action: str, parameters: tuple[object, ...]) -> bool:
    """Whether the action would do something now."""
    running, phase = screen.controller.running, screen.state.phase
    typing = takes_text(screen.focused)
    if action == "threshold":
        return not typing
    if action in ("main", "switch_clip", "move_threshold"):
        return parameters[-1] == typing
    if action == "leave_field":
        return typing
    if action == "row":
        return isinstance(screen.focused, Button)
    if action in ("train", "resume", "look", "done"):
        return not running and screen.lessons.key == action
    if action == "new":
        return not running and screen.controller.resumable(screen.form.config)
    if action == "prompt":
        return not typing and bool(screen.query_one("#work").display)
    if action == "runs":
        return not running
    if action == "stop":
        return running or bool(screen.state.engine_silent)
    if action in ("close_lesson", "answer"):
        return screen.coach.lesson is not None
    if action == "release":
        return bool(screen.controller.forced)
    if action in ("pause", "go_on") and screen.state.engine_silent:
        return action == "go_on"
    if action in ("pause", "go_on"):
        return phase is (Phase.TRAINING if action == "pause" else Phase.PAUSED)
    return True


def silence_text(screen: PlaygroundScreen) -> str:
    """That the engine does not answer, and what can be done."""
    engine, state = screen.controller.engine, screen.state
    process = f" (process {engine.pid})" if engine is not None and engine.pid is not None else ""
    running = screen.controller.running
    resume = f", and t then resumes {state.run}" if running and state.checkpoint_step is not None else ""
    return (
        f"✕ The engine{process} does not answer: it was stopped, or is stuck. Space lets one go on that was stopped; "
        f"x ends it{resume}, without {state.at_risk}; ctrl+q twice leaves."
    )


def commands(screen: PlaygroundScreen) -> Iterable[SystemCommand]:
    """For the command palette."""
    yield SystemCommand("Train", "Start a run, or resume the one shown", screen.action_train)
    yield SystemCommand("New run", "Start a run from the beginning", screen.action_new)
    yield SystemCommand("Pause or continue", "Hold training, or let it go on", screen.action_pause)
    yield SystemCommand("Stop", "End the run with a checkpoint", screen.action_stop)
    yield SystemCommand("Save a checkpoint", "Now", lambda: screen.controller.send(messages.Save()))
    yield SystemCommand("Clipping on or off", "Gradient clipping", screen.action_clip)
    yield SystemCommand("Go back", "Put the run back to one of its checkpoints", screen.action_go_back)
    yield SystemCommand("Save as a preset", "Keep the settings in the form under a name", screen.action_save_preset)
    yield SystemCommand("Runs", "Resume, open or remove a run", screen.action_runs)
    yield SystemCommand("Inspect", "Gradients, predictions, gates, what if", screen.action_inspect)
    yield SystemCommand("Lessons", "Eight experiments, from training to the LSTM's memory", screen.action_lessons)
    yield SystemCommand("Release", "Force nothing in the model any more", screen.action_release)
    yield SystemCommand("Open a text file", "Train on a text of your own", screen.action_open_file)
    yield SystemCommand("Prompt", "Type a prompt", screen.action_prompt)
    yield SystemCommand("Setup", "Show or fold the setup", screen.action_setup)
