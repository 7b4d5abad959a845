"""The screen shown while the engines write their checkpoints and exit, and the question before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from time import monotonic

from textual.app import ComposeResult
from textual.widgets import Label

from rnnplay.engine.client import LEAVING_SECONDS
from rnnplay.tui.keymap import KEYS, key_name
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Confirm, Dialog, DialogBox

SHOWN_SECONDS = 0.7
"""Nothing is shown if leaving takes less time than this."""


class Leaving(Dialog[None]):
    """Explains the wait, and takes all keys except the application's ctrl+q, so that none becomes a command."""

    DEFAULT_CSS = """
    Leaving { align: center middle; background: $background 0%; }
    Leaving > DialogBox { width: 60; max-width: 90%; padding: 1 2; display: none; }
    Leaving.shown > DialogBox { display: block; }
    Leaving Label { width: 100%; }
    """

    def __init__(self, controllers: RunControllers) -> None:
        super().__init__()
        self._training = list(controllers.running)
        self._began = monotonic()
        self._hurried = False

    def compose(self) -> ComposeResult:
        with DialogBox() as box:
            box.border_title = "Leaving"
            yield Label(self._text(), markup=False)

    def on_mount(self) -> None:
        self.set_timer(SHOWN_SECONDS, lambda: self.add_class("shown"))
        self.set_interval(1.0, self._update)

    def hurry(self) -> None:
        """Reports that the user does not want to wait any longer."""
        self._hurried = True
        self.add_class("shown")
        self._update()

    def _update(self) -> None:
        self.query_one(Label).update(self._text())

    def _text(self) -> str:
        if self._hurried:
            return "Leaving now."
        time = f"{monotonic() - self._began:.0f} s so far, {LEAVING_SECONDS:.0f} at most"
        if not self._training:
            return f"The engine is ending: {time}. Press {key_name('everywhere.quit')} to leave now; nothing is lost."
        return (
            f"The engine finishes its step and writes a checkpoint: {time}. "
            f"Press {key_name('everywhere.quit')} to leave now; "
            f"{' and '.join(one.state.at_risk for one in self._training)} is then lost."
        )


def before_leaving(controllers: RunControllers) -> Confirm | None:
    """Returns the question to ask before leaving; None if nothing can be lost."""
    for controller in controllers.all:
        state = controller.state
        if state.unsaved and controller.engine is not None and controller.engine.alive:
            question = (
                f"{state.run} is at step {state.step:,}, but its last steps could not be saved. "
                "Leaving tries once more; if the disk is still full, they are lost."
            )
            return Confirm("The run is not saved", question, "Leave", "Stay", lost=True)
    running = [one.state for one in controllers.running]
    if not running:
        return None
    state = running[0]
    if len(running) > 1:
        question = (
            f"{len(running)} runs are under way: {', '.join(state.run or '' for state in running)}. A checkpoint of "
            f"each is written before leaving; choose them under Runs ({KEYS.runs}) to resume them."
        )
    elif state.phase is Phase.PREPARING:
        question = f"{state.run} is being prepared and has not begun to train; leaving cancels it."
    else:
        question = (
            f"{state.run} is at step {state.step:,}. A checkpoint is written before leaving; "
            f"choose it under Runs ({KEYS.runs}) to resume it."
        )
    return Confirm("Training is under way", question, "Stop and keep", "Go on training")


def onward_hints(left: Sequence[RunController]) -> list[str]:
    """Returns how the runs that were left while they trained go on, a sentence each, and so for whole races."""
    from rnnplay.experiments.race_names import race_number  # imported on first use

    hints = [hint for one in left if (hint := one.resume_hint())]
    numbers = Counter(number for one in left if (number := race_number(one.state.run or "")))
    for number, runs in numbers.items():
        if runs > 1:
            race = f"race-{number:02d}"
            hints.append(f"{race} goes on as a whole with: {left[0].workspace.command('race', resume=race)}")
    return hints
