"""The playground's keys, when each is enabled, their labels, and the messages about the engine. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import KEYS, key_name
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_state import RUNNING, Phase

BINDINGS: list[BindingType] = [
    Binding("t", "train", "Train", id="playground.train"),
    Binding("t", "resume", "Resume", id="playground.train"),
    Binding("t", "look", "Look", id="playground.train"),
    Binding("t", "done", "Done", show=False, id="playground.train"),
    Binding("n", "new", "New", id="playground.new"),
    Binding("space", "pause", "Pause", id="playground.pause"),
    Binding("space", "go_on", "Go on", id="playground.pause"),
    Binding("x", "stop", "Stop", id="playground.stop"),
    Binding("c", "clip", "Clip", key_display="c ±", id="playground.clip"),
    Binding(
        "plus,equals_sign",
        "threshold(1)",
        "Clip threshold",
        key_display="+/-",
        show=False,
        id="playground.threshold-up",
    ),
    Binding("minus", "threshold(-1)", "Clip threshold", key_display="+/-", show=False, id="playground.threshold-down"),
    Binding("g", "prompt", "Prompt", id="playground.prompt"),
    Binding("b", "go_back", "Back to a checkpoint, or branch", show=False, id="playground.go-back"),
    Binding("u", "release", "Release what is forced", show=False, id="playground.release"),
    Binding("o", "runs", "Runs", id="playground.runs"),
    Binding("O", "other_run", "Other run", id="playground.other-run"),
    Binding("X", "clear_overlay", "Overlay off", id="playground.clear-overlay"),
    Binding("i", "inspect", "Inspect", id="playground.inspect"),
    *(
        Binding(str(number), f"inspect({number - 1})", show=False, id=f"inspection.view-{number}")
        for number in range(1, 9)
    ),
    Binding("l", "lessons", "Learn", id="playground.lessons"),
    Binding("R", "race", "Race", id="playground.race"),
    Binding("w", "sweeps", "Sweeps", id="playground.sweeps"),
    Binding("W", "write", "Write", show=False, id="playground.write"),
    Binding("f9", "completion", "Completion", show=False, id="everywhere.completion"),
    Binding("V", "written", "Samples that were drawn", show=False, id="playground.written"),
    Binding("a", "answer", "Answer", show=False, id="playground.answer"),
    Binding("ctrl+l", "close_lesson", "Close the lesson", show=False, id="playground.close-lesson"),
    Binding("e", "setup", "Setup", id="playground.setup"),
    Binding("v", "samples", "Samples", id="playground.samples"),
    Binding("ctrl+r", "lr_range", "Rate test", show=False, id="playground.lr-range"),
    Binding("ctrl+s", "save_preset", "Save as a preset", show=False, id="playground.save-preset"),
    *HELP_KEYS,
    # What would change a run says why it does not, while another process trains it.
    *(
        Binding(keys, "read_only", show=False, id=f"playground.{name}")
        for keys, name in (
            ("t", "train"),
            ("space", "pause"),
            ("x", "stop"),
            ("c", "clip"),
            ("plus,equals_sign", "threshold-up"),
            ("minus", "threshold-down"),
        )
    ),
    Binding("escape", "leave_field", "Leave", id="everywhere.back"),
    # These work everywhere, and appear in the footer only while the single keys are text.
    *(
        binding
        for typing in (True, False)
        for binding in (
            Binding("f5", f"main({typing})", "Train/pause", show=typing, id="everywhere.train"),
            Binding("f6", f"switch_clip({typing})", "Clip", show=typing, id="everywhere.clip"),
            Binding(
                "f7",
                f"move_threshold(-1, {typing})",
                "Threshold",
                key_display="f7/f8",
                show=typing,
                id="everywhere.threshold-down",
            ),
            Binding(
                "f8",
                f"move_threshold(1, {typing})",
                "Threshold",
                key_display="f7/f8",
                show=False,
                id="everywhere.threshold-up",
            ),
        )
    ),
    Binding("up", "row(-1)", show=False, id="setup.row-above"),
    Binding("down", "row(1)", show=False, id="setup.row-below"),
]

MAIN_LABELS = {
    Phase.PREPARING: "◌ Preparing",
    Phase.TRAINING: "‖ Pause",
    Phase.PAUSED: "▶ Continue",
    Phase.STOPPING: "◌ Stopping",
    Phase.FOLLOWED: "◉ Followed",
}
KEY_LABELS = {"train": "▶ Train", "resume": "▶ Resume", "look": "▶ Look", "done": "✓ Done"}
"""Labels of the main button while no run is under way, by the action of t."""

COMMANDS = (
    ("Train", "Start a run, or resume the one shown", "train"),
    ("New run", "Start a run from the beginning", "new"),
    ("Pause or continue", "Pause training, or continue it", "pause"),
    ("Stop", "End the run with a checkpoint", "stop"),
    ("Save a checkpoint", "Now", "save"),
    ("Clipping on or off", "Gradient clipping", "clip"),
    ("Go back or branch", "Return the run to one of its checkpoints, or begin a new run there", "go_back"),
    ("Save as a preset", "Save the settings in the form under a name", "save_preset"),
    ("Download a text", "Tiny Shakespeare, text8, War and Peace and others, as a corpus", "download_text"),
    ("Learning-rate range test", "Which rates make the loss fall", "lr_range"),
    ("Export the run", "To a table, chart, report, TensorBoard, weights or ONNX", "export"),
    ("Runs", "Resume, open or remove a run", "runs"),
    ("Sweeps", "Studies of sweeps: trials, values by knob", "sweeps"),
    ("Overlay off", "Take the curves of other runs off the charts", "clear_overlay"),
    ("Other run", "Show the next of the runs that are open here", "other_run"),
    ("Inspect", "Gradients, predictions, gates, what if", "inspect"),
    ("Race", "Train variants side by side, and compare them", "race"),
    ("Samples", "What the run wrote while it learned, by step", "samples"),
    ("Write", "A text of your own, with the model's suggestions and samples", "write"),
    ("Samples that were drawn", "From prompts and in the scratchpad, with seed and settings", "written"),
    ("Completion", "What is suggested, and whether the model adapts to what you write", "completion"),
    ("Lessons", "Ten experiments, from training to the LSTM's memory", "lessons"),
    ("Release", "Stop forcing gates and units", "release"),
    ("Open a text file", "Train on a text of your own", "open_file"),
    ("Prompt", "Type a prompt", "prompt"),
    ("Setup", "Show or fold the setup", "setup"),
)
"""Commands of the palette: title, help and action."""


@dataclass(frozen=True, slots=True)
class KeyContext:
    """What decides whether a key is enabled."""

    phase: Phase
    key: Callable[[], str]
    """Returns the name of the action that t performs."""
    resumable: Callable[[], bool]
    """Returns whether the form's config can resume the run. Called only if needed, as it reads the disk."""
    silent: bool = False
    """Whether the engine does not answer."""
    typing: bool = False
    """Whether a widget that takes text has the focus."""
    on_button: bool = False
    prompt_shown: bool = True
    lesson: bool = False
    forced: bool = False
    on_lr: bool = False
    """Whether the learning rate's field has the focus."""
    branching: bool = False
    """Whether the next run is to be a branch."""
    others: bool = False
    """Whether the playground has other runs."""
    overlaid: bool = False
    """Whether runs are overlaid on the charts."""


CHANGES = frozenset(("train", "resume", "look", "done", "pause", "go_on", "stop", "clip", "threshold"))
"""Actions that change the run."""


def is_enabled(action: str, parameters: tuple[object, ...], now: KeyContext) -> bool:
    """Returns whether the action would have an effect."""
    running = now.phase in RUNNING
    ending = now.phase is Phase.STOPPING
    followed = now.phase is Phase.FOLLOWED
    if followed and action in CHANGES and not now.silent:
        return action in ("train", "look") and now.lesson and now.key() == action
    match action:
        case "read_only":
            return followed
        case "other_run":
            return now.others
        case "clear_overlay":
            return now.overlaid
        case "threshold":
            return not now.typing
        case "main" | "switch_clip" | "move_threshold":
            return parameters[-1] == now.typing
        case "leave_field":
            return now.typing
        case "row":
            return now.on_button
        case "lr_range":
            return now.on_lr
        case "train" | "resume" | "look" | "done":
            return (not running or ending) and now.key() == action
        case "new":
            return ending or (not running and (followed or now.branching or now.resumable()))
        case "prompt":
            return not now.typing and now.prompt_shown
        case "stop":
            return running or now.silent
        case "close_lesson" | "answer":
            return now.lesson
        case "release":
            return now.forced
        case "pause" | "go_on" if now.silent:
            return action == "go_on"
        case "pause" | "go_on":
            return now.phase is (Phase.TRAINING if action == "pause" else Phase.PAUSED)
    return True


def main_label(phase: Phase, measuring: bool, key: Callable[[], str]) -> str:
    """Returns the label of the main button; `measuring`: a finished run is still being measured for the lesson."""
    return MAIN_LABELS.get(phase) or ("◌ Measuring" if measuring else KEY_LABELS[key()])


def commands(screen: Screen[None]) -> Iterable[SystemCommand]:
    """Returns the commands for the palette."""
    for title, help_text, action in COMMANDS:
        yield SystemCommand(title, help_text, getattr(screen, f"action_{action}"))


def silence_text(controller: RunController) -> str:
    """Reports that the engine does not answer, and what the user can do."""
    engine, state = controller.engine, controller.state
    process = f" (process {engine.pid})" if engine is not None and engine.pid is not None else ""
    resume = (
        f", and {KEYS.train} then resumes {state.run}" if state.running and state.checkpoint_step is not None else ""
    )
    return (
        f"✕ The engine{process} does not answer: it was stopped, or is stuck. "
        f"{key_name('playground.pause', begins=True)} continues a stopped one; "
        f"{KEYS.stop} kills it{resume}, without {state.at_risk}; {key_name('everywhere.quit')} twice leaves."
    )


def ended_text(controller: RunController, ended: EngineExit, resumable: bool) -> str:
    """Reports why the engine has ended, and how to continue."""
    state = controller.state
    if not resumable:
        return f"✕ The engine is gone: {ended.cause}. It is started again when you train."
    at = f" from the checkpoint at step {state.checkpoint_step:,}" if state.checkpoint_step else ""
    key = f"{KEYS.train} ({key_name('everywhere.train')} while typing)"
    return f"✕ The engine is gone: {ended.cause}. Press {key} to resume {state.run}{at}."


def failure_text(failed: messages.Failed) -> str:
    """Describes a failure of the engine and the key that follows its advice."""
    if failed.instead is not None:
        return f"{failed.message} Press {KEYS.go_back} to go back to the one at step {failed.instead:,}."
    return failed.message + (
        f" Press {KEYS.go_back} again to resume it from there." if failed.command == "go_back" else ""
    )
