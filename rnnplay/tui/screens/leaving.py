"""Leaves the interface: the question before it, and the screen shown while the engines write their checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic

from textual.app import App, ComposeResult
from textual.widgets import Label

from rnnplay.common.signals import signal_name
from rnnplay.engine import messages
from rnnplay.engine.client import LEAVING_SECONDS
from rnnplay.tui.keymap import KEYS, key_name
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Confirm, Dialog, DialogBox

SHOWN_SECONDS = 0.7
"""Nothing is shown if leaving takes less time than this."""
NO_ANSWER_SECONDS = 0.3
"""Longest normal wait for the answer to a Ping, which comes within milliseconds."""


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


class Departure:
    """How the interface is left: by the user, who is asked while a run is being trained, or by a signal."""

    def __init__(self, app: App[None], controllers: RunControllers, show_state: Callable[[], object]) -> None:
        """`show_state` is called when runs have been told to stop."""
        self._app, self._controllers, self._show_state = app, controllers, show_state
        self._question: Confirm | None = None
        self._signal: int | None = None
        self._left: list[RunController] = []
        """Controllers whose runs were under way when the interface was left."""

    def ask(self) -> None:
        """Leaves, or first asks whether to; the second time, does not wait for the engines."""
        screen = self._app.screen
        if isinstance(screen, Leaving):
            screen.hurry()
            self._controllers.hurry()
        elif isinstance(screen, Confirm):
            # A second ctrl+q does not answer the question, unless the engine is not responding.
            unanswered = max(one.silence.unanswered for one in self._controllers.all)
            if screen is self._question and unanswered > NO_ANSWER_SECONDS:
                screen.dismiss(True)
        elif (question := before_leaving(self._controllers)) is None:
            self._leave()
        else:
            for controller in self._controllers.all:
                controller.send(messages.Ping())  # the answers arrive before the user's
            self._question = question
            self._app.push_screen(question, self._leave_if)

    def _leave_if(self, sure: bool | None) -> None:
        if sure:
            for controller in self._controllers.running:
                controller.state.phase = Phase.STOPPING
            self._show_state()
            self._leave()

    def leave_by_signal(self, number: int) -> None:
        """Leaves without a question, but with a checkpoint."""
        if self._signal is None:
            self._signal = number
            self._leave()

    def _leave(self) -> None:
        self._app.run_worker(self._close())

    async def _close(self) -> None:
        self._left = [one for one in self._controllers.all if one.running or one.state.unsaved]
        self._app.push_screen(Leaving(self._controllers))
        await self._controllers.close()
        self._app.exit()

    def last_words(self) -> list[str]:
        """Returns what to print once the terminal is restored, a sentence each."""
        return [
            *([f"rnnplay was ended by {signal_name(self._signal)}."] if self._signal is not None else []),
            *onward_hints(self._left),
        ]

    @property
    def exit_code(self) -> int:
        """0, or 128 plus the number of the signal."""
        return 0 if self._signal is None else 128 + self._signal
