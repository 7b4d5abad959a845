"""Carries out the user's commands for the run in front: begin, resume, pause, stop; asks first where needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from textual.message import Message
from textual.screen import Screen

from rnnplay.config import RunConfig
from rnnplay.engine.messages import Failed, Ready
from rnnplay.errors import RnnplayError
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.screens.playground.new_run_question import before_new
from rnnplay.tui.setup.preset_choice import listed
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.text import Banner

POLL_SECONDS = 0.05


class RunActions:
    """Performs the run commands of one playground. Imports the dialogs on first use."""

    class Changed(Message):
        """The state has changed, so the screen must be updated."""

    def __init__(self, screen: Screen[None], controllers: RunControllers, lesson_progress: LessonProgress) -> None:
        self._screen, self._controllers, self._lesson_progress = screen, controllers, lesson_progress

    @property
    def _controller(self) -> RunController:
        return self._controllers.front

    @property
    def _form(self) -> SetupForm:
        return self._screen.query_one(SetupForm)

    # --- begin ----------------------------------------------------------------------------------------------

    async def wait_until_measured(self) -> None:
        """Waits until the lesson has measured the finished run, since the next one replaces its model."""
        progress = self._lesson_progress
        if progress.measuring:
            self._screen.notify(words.MEASURING_FIRST[progress.language], timeout=3)
            while progress.measuring:
                await asyncio.sleep(POLL_SECONDS)
            self.changed()

    def once_stopped(self, action: Callable[[], None]) -> bool:
        """Returns whether the run in front is still stopping; if so, calls `action` when it has stopped.

        Writing the last checkpoint takes a moment, and a key pressed in it must not be lost. The last one counts.
        """
        controller = self._controller
        if controller.state.phase is not Phase.STOPPING:
            return False

        async def wait() -> None:
            while controller.state.phase is Phase.STOPPING:
                await asyncio.sleep(POLL_SECONDS)
            if controller is self._controller:
                action()

        self._screen.run_worker(wait(), exclusive=True, group="once stopped")
        return True

    def train(self, alone: bool = False) -> None:
        """Starts a run with the form's config: a branch where one was chosen, unless `alone`."""
        controller = self._controller
        branch = None if alone else controller.state.next_branch
        self.begin(controller, lambda: controller.train(self._wanted(controller), branch=branch))

    def resume(self, controller: RunController, checkpoint: str = "latest") -> None:
        """Resumes the run of `controller` with what the form changes, and reports what of that cannot change."""

        def start() -> None:
            wanted = self._wanted(controller)
            if fixed := controller.fixed_changes(wanted):
                text = f"{listed(fixed)} cannot change when a run is resumed and was set back."
                self._screen.notify(text, severity="warning", timeout=12, markup=False)
            controller.resume(wanted, checkpoint)

        self.begin(controller, start)

    def _wanted(self, controller: RunController) -> RunConfig:
        """Returns the form's config if the form shows that run, or else the config wanted for it."""
        form = self._form
        return form.config if form.state is controller.state else controller.state.wanted

    def begin(self, controller: RunController, start: Callable[[], object]) -> None:
        """Calls `start`, with an engine running, unless a run is under way or another was opened meanwhile."""
        self._screen.run_worker(self._begin(controller, controller.state, start))

    async def _begin(self, controller: RunController, state: RunState, start: Callable[[], object]) -> None:
        await self.wait_until_measured()
        self._screen.query_one(Banner).say("")
        if await controller.start_engine():
            if controller.running or controller.state is not state:
                return  # the key was pressed twice, or `start` was meant for the run shown before
            try:
                start()
            except RnnplayError as error:
                self._screen.notify(str(error), severity="error", timeout=12, markup=False)
            else:
                self.show_config(controller)
        self.changed()

    def may_begin(self) -> bool:
        """Returns whether a run can begin with the form's config; notifies the user of an invalid field."""
        error = self._form.first_error
        if error:
            self._screen.notify(error, severity="error", markup=False)
        return not self._controller.running and not error

    def train_or_resume(self) -> None:
        """Resumes the run in front if the form's config allows it, or else trains a new one, as `new` does."""
        if self.may_begin():
            controller = self._controller
            if controller.resumable(self._form.config):
                self.resume(controller)
            elif controller.resumable(controller.state.config):
                self._screen.run_worker(self.new(), exclusive=True, group="new")
            else:
                self.train()

    async def new(self) -> None:
        """Trains a new run; asks first in a lesson, and while the run in front is unfinished."""
        from rnnplay.tui.screens.dialogs import Confirm

        controller = self._controller
        fixed = controller.fixed_changes(self._form.config)
        question = before_new(controller.state, self._lesson_progress, fixed)
        if not self.may_begin():
            return
        if question is not None:
            title, text, yes, no, lost = question
            if not await self._screen.app.push_screen_wait(Confirm(title, text, yes, no, lost=lost)):
                return
        self.train(alone=True)
        for other in self._controllers.others:
            if other.running:
                text = f"{other.state.run} goes on behind; the two share the cores. {KEYS.other_run} shows the other."
                self._screen.notify(text, timeout=8, markup=False)

    def choose_text(self) -> None:
        """Opens the dialog that chooses a text file as the corpus."""
        from rnnplay.tui.screens.file_picker import FilePicker

        self._screen.app.push_screen(FilePicker(self._controllers.workspace, several=True), self._text_chosen)

    def download_text(self) -> None:
        """Opens the dialog that downloads a text, which is then the corpus."""
        from rnnplay.tui.screens.downloads import DownloadsScreen

        self._screen.app.push_screen(DownloadsScreen(self._controllers.workspace), self._text_chosen)

    def _text_chosen(self, corpus: str | None) -> None:
        if corpus is not None:
            self._form.set_value("corpus", corpus)

    def take(self, message: RunController.EngineMessage) -> None:
        """Lends a model where the engine has none, and asks what to do where a text's tokens were refused.

        A branch whose parent's vocabulary lacks tokens of its text can begin with them added.
        """
        match message:
            case RunController.EventReceived(event=Failed(extendable=True) as failed):
                self._screen.run_worker(self._extend(message.controller, failed), exclusive=True, group="new")
                self._screen.run_worker(self._controllers.lend(message.controller))
            case RunController.EventReceived(event=Ready() | Failed(command="train" | "open")):
                self._screen.run_worker(self._controllers.lend(message.controller))

    async def _extend(self, controller: RunController, failed: Failed) -> None:
        from rnnplay.tui.screens.dialogs import Confirm

        branch = controller.state.next_branch
        dialog = Confirm("The vocabulary lacks tokens", failed.message, "Add them", "Cancel")
        if branch is None or not await self._screen.app.push_screen_wait(dialog):
            return
        extended = msgspec.structs.replace(branch, extend_vocabulary=True)
        if controller.state.next_branch == branch and self.may_begin():
            self.begin(controller, lambda: controller.train(self._wanted(controller), branch=extended))

    # --- the run under way ----------------------------------------------------------------------------------

    def pause(self) -> None:
        """Pauses or continues the run; continues an engine process that was stopped."""
        if self._controller.engine_silent:
            self._controller.wake()
        else:
            self._controller.pause_or_continue()

    def stop(self) -> None:
        """Stops the run with a checkpoint; if the engine does not answer, offers to kill it."""
        controller = self._controller
        if not controller.engine_silent:
            controller.stop()
            self.changed()
            return
        from rnnplay.tui.screens.dialogs import Confirm

        text = f"Killing it loses {controller.state.at_risk}."
        dialog = Confirm("The engine does not answer", text, "Kill it", "Wait", lost=True)
        self._screen.app.push_screen(dialog, lambda sure: controller.end_engine() if sure else None)

    def refused(self, controller: RunController) -> bool:
        """Returns whether no run can be opened because one is under way; if so, notifies the user."""
        if controller.running:
            controller.state.opening = False
            text = "A run is under way; stop it ({playground.stop}) before opening or branching from another."
            self._screen.notify(text, severity="warning")
            self.changed()
        return controller.running

    def show_config(self, controller: RunController) -> None:
        """Shows the config of the run of `controller` in the form, if that run is in front."""
        if controller is self._controller:
            self._form.forget()

    def changed(self) -> None:
        """Tells the screen that the state has changed."""
        self._screen.post_message(self.Changed())
