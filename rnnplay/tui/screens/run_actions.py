"""Carries out the user's commands for the run in front: begin, resume, open, go back, stop; asks first where needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message
from textual.screen import Screen

from rnnplay.config import RunConfig
from rnnplay.errors import RnnplayError
from rnnplay.runs.folder import find_run
from rnnplay.tui.inspection.loaded_runs import load_run
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_controller import RunController, RunControllers
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.text import Banner

if TYPE_CHECKING:
    from rnnplay.tui.screens.runs import RunChoice

POLL_SECONDS = 0.05


class Question(NamedTuple):
    """A question before a command."""

    title: str
    text: str
    yes: str
    no: str = "Cancel"
    lost: bool = False
    """Whether "yes" cannot be undone."""


class RunActions:
    """Performs the run commands of one playground. Imports the dialogs on first use."""

    class Changed(Message):
        """The state has changed, so the screen must be updated."""

    def __init__(self, screen: Screen[None], controllers: RunControllers, lesson_progress: LessonProgress) -> None:
        self._screen = screen
        self._controllers = controllers
        self._lesson_progress = lesson_progress

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
            self._changed()

    def train(self) -> None:
        """Starts a run with the form's config."""
        controller = self._controller
        self.begin(lambda: controller.train(self._form.config))

    def resume(self, config: RunConfig | None = None, checkpoint: str = "latest") -> None:
        """Resumes the run in front."""
        controller = self._controller
        self.begin(lambda: controller.resume(config, checkpoint))

    def begin(self, start: Callable[[], object]) -> None:
        """Calls `start`, with an engine running, unless a run is under way."""
        self._screen.run_worker(self._begin(self._controller, start))

    async def _begin(self, controller: RunController, start: Callable[[], object]) -> None:
        await self.wait_until_measured()
        self._screen.query_one(Banner).say("")
        if await controller.start_engine():
            if controller.running:
                return  # the key was pressed twice
            try:
                start()
            except RnnplayError as error:
                self._screen.notify(str(error), severity="error", timeout=12, markup=False)
            else:
                self._show_config(controller)
        self._changed()

    def may_begin(self) -> bool:
        """Returns whether a run can begin with the form's config; notifies the user of an invalid field."""
        error = self._form.first_error
        if error:
            self._screen.notify(error, severity="error", markup=False)
        return not self._controller.running and not error

    def train_or_resume(self) -> None:
        """Resumes the run in front if the form's config allows it, or else trains a new one."""
        if self.may_begin():
            form = self._form.config
            if self._controller.resumable(form):
                self.resume(form)
            else:
                self.train()

    async def new(self) -> None:
        """Trains a new run; asks first in a lesson, and while the run in front is unfinished."""
        from rnnplay.tui.screens.dialogs import Confirm

        question = before_new(self._controller.state, self._lesson_progress)
        if not self.may_begin():
            return
        if question is not None:
            title, text, yes, no, lost = question
            if not await self._screen.app.push_screen_wait(Confirm(title, text, yes, no, lost=lost)):
                return
        self.train()

    def choose_text(self) -> None:
        """Opens the dialog that chooses a text file as the corpus."""
        from rnnplay.tui.screens.file_picker import FilePicker

        self._screen.app.push_screen(FilePicker(self._controllers.workspace), self._text_chosen)

    def _text_chosen(self, path: Path | None) -> None:
        if path is not None:
            self._form.set_value("corpus", str(path))

    # --- runs on disk ---------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Opens the list of runs on disk."""
        from rnnplay.tui.screens.runs import RunsScreen  # imported on first use

        busy = [one.state.run for one in self._controllers.running if one.state.run is not None]
        self._screen.app.push_screen(RunsScreen(self._controllers.workspace, busy), self._chosen)

    def _chosen(self, choice: RunChoice | None) -> None:
        if choice is None:
            return
        behind = next((one for one in self._controllers.running if one.state.run == choice.run), None)
        if behind is not None and behind is not self._controller:
            self._controllers.bring_to_front(behind)
            return
        if self._controller.running:
            text = "A run is under way; stop it (x) before opening another."
            self._screen.notify(text, severity="warning")
            return
        self.open(choice.run, resume=choice.action == "resume")

    def open(self, run: str, resume: bool = False) -> None:
        """Opens a run for prompts, or resumes it."""
        self._screen.run_worker(self._open(self._controller, run, resume), exclusive=True, group="load run")

    async def _open(self, controller: RunController, run: str, resume: bool) -> None:
        """Loads the run's history, which may be long, and then resumes or opens it."""
        await self.wait_until_measured()
        controller.state.opening = not resume
        workspace = self._controllers.workspace
        try:
            loaded = await asyncio.to_thread(lambda: load_run(find_run(run, workspace), workspace.cache))
        except (RnnplayError, OSError) as error:
            self._screen.notify(str(error), severity="error", markup=False)
            controller.state.opening = False
            self._changed()
            return
        controller.load(loaded)
        controller.state.opening = not resume
        self._show_config(controller)
        self._changed()
        if resume:
            self.begin(controller.resume)
        elif await controller.start_engine():
            controller.open(run)
        else:
            controller.state.opening = False
            self._changed()

    def go_back(self) -> None:
        """Opens the list of checkpoints; a run that has ended is resumed from the chosen one."""
        from rnnplay.tui.screens.go_back import GoBackScreen

        state, screen = self._controller.state, self._screen
        if state.run is None or state.phase is Phase.PREPARING:
            screen.notify("There is no run to put back; choose one under Runs (o).", severity="warning")
            return
        try:
            dialog = GoBackScreen(find_run(state.run, self._controllers.workspace))
        except (RnnplayError, OSError) as error:
            screen.notify(str(error), severity="error", markup=False)
            return
        screen.app.push_screen(dialog, self._back_to)

    def _back_to(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        if self._controller.running:
            self._controller.go_back(checkpoint)
        else:
            self.resume(checkpoint=checkpoint)

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
            self._changed()
            return
        from rnnplay.tui.screens.dialogs import Confirm

        text = f"Killing it loses {controller.state.at_risk}."
        dialog = Confirm("The engine does not answer", text, "Kill it", "Wait", lost=True)
        self._screen.app.push_screen(dialog, lambda sure: controller.end_engine() if sure else None)

    def _show_config(self, controller: RunController) -> None:
        if controller is self._controller:
            self._form.forget()

    def _changed(self) -> None:
        self._screen.post_message(self.Changed())


def before_new(state: RunState, lesson_progress: LessonProgress) -> Question | None:
    """Returns the question before a run that is outside the lesson, or that replaces an unfinished one; else None."""
    if lesson_progress.need is not None:
        texts = (words.NEW_TITLE, words.NEW_QUESTION, words.NEW_YES, words.NEW_NO)
        title, text, yes, no = (text[lesson_progress.language] for text in texts)
        return Question(title, text, yes, no)
    if state.run is None or state.phase is Phase.FINISHED or not state.step:
        return None
    text = (
        f"{state.run} is at step {state.step:,} and not finished; t resumes it. "
        "Train a new one from the beginning? The old one stays in the list of runs (o)."
    )
    return Question("Begin a new run", text, "Begin", lost=True)
