"""Carries out the user's commands for the run in front: begin, resume, open, go back, stop; asks first where needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual.message import Message
from textual.screen import Screen

from rnnplay.config import RunConfig
from rnnplay.engine.messages import Failed, Ready
from rnnplay.errors import RnnplayError
from rnnplay.runs.folder import RunFolder, find_run
from rnnplay.tui.followed_run import FollowedRun, read_only_text
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.overlay import Overlay
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.screens.playground.new_run_question import before_new
from rnnplay.tui.setup.preset_choice import listed
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.text import Banner

if TYPE_CHECKING:
    from rnnplay.tui.screens.playground.go_back import CheckpointChoice
    from rnnplay.tui.screens.runs.browser import RunChoice

POLL_SECONDS = 0.05


class RunActions:
    """Performs the run commands of one playground. Imports the dialogs on first use."""

    class Changed(Message):
        """The state has changed, so the screen must be updated."""

    def __init__(
        self, screen: Screen[None], controllers: RunControllers, lesson_progress: LessonProgress, overlay: Overlay
    ) -> None:
        self._screen, self._overlay = screen, overlay
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
                self._show_config(controller)
        self._changed()

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

    def _text_chosen(self, corpus: str | None) -> None:
        if corpus is not None:
            self._form.set_value("corpus", corpus)

    # --- runs on disk ---------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Opens the list of runs on disk."""
        from rnnplay.tui.screens.runs.browser import RunsScreen  # imported on first use

        runs, overlaid = self._controllers, self._overlay.names
        self._screen.app.push_screen(RunsScreen(runs.workspace, runs.busy, overlaid, runs.renamed), self._chosen)

    def _chosen(self, choice: RunChoice | None) -> None:
        if choice is None:
            return
        if choice.action == "overlay":
            self._screen.run_worker(self._show_overlay(choice.runs), exclusive=True, group="overlay")
            return
        behind = next((one for one in self._controllers.running if one.state.run == choice.run), None)
        if behind is not None:
            if behind is not self._controller:
                self._controllers.bring_to_front(behind)
            return
        if choice.action == "branch":
            self.branch(choice.run, choice.checkpoint)
        else:
            self.open(choice.run, resume=choice.action == "resume")

    async def _show_overlay(self, runs: Sequence[str]) -> None:
        for problem in await self._overlay.show(runs):
            self._screen.notify(problem, severity="error", markup=False)
        front = self._controller.state.run
        if self._overlay.runs and not self._overlay.behind(front):
            self._screen.notify(
                f"{front} is the run shown; choose others ({{runs.choose}}) to see them behind it.", markup=False
            )
        self._screen.refresh_bindings()

    def clear_overlay(self) -> None:
        """Takes the overlaid runs off the charts."""
        self._overlay.clear()
        self._screen.refresh_bindings()

    def _make_room(self) -> None:
        """While the run in front is under way, brings a controller without one to the front."""
        if self._controller.running:
            left = self._controller.state.run
            self._controllers.bring_to_front(self._controllers.spare())
            self._screen.notify(f"{left} goes on behind; {KEYS.other_run} shows it again.", markup=False)

    def other(self) -> None:
        """Shows the next of the playground's runs."""
        if (other := self._controllers.next) is not None:
            self._controllers.bring_to_front(other)
        else:
            self._screen.notify(f"There is no other run; {KEYS.runs} opens one, also while this one trains.")

    def open(self, run: str, resume: bool = False) -> None:
        """Opens a run for prompts, or resumes it; beside the run in front, if that is under way."""
        self._make_room()
        self._screen.run_worker(self._open(self._controller, run, resume), exclusive=True, group="load run")

    async def _open(self, controller: RunController, run: str, resume: bool) -> None:
        """Loads the run's history, which may be long, and then resumes or opens it.

        A run that another process trains is opened and followed, also if it was to be resumed.
        """
        await self.wait_until_measured()
        controller.state.opening = not resume
        workspace = self._controllers.workspace
        try:
            loaded = await asyncio.to_thread(lambda: _read(find_run(run, workspace), workspace.cache))
        except (RnnplayError, OSError) as error:
            self._screen.notify(str(error), severity="error", markup=False)
            controller.state.opening = False
            self._changed()
            await self._controllers.lend(controller)
            return
        if self._refused(controller):
            return
        if resume and loaded.state.followed:
            resume = False
            text = f"{run} is being {loaded.state.trained_by}, so followed; {KEYS.train} resumes it once it has ended."
            self._screen.notify(text, timeout=10, markup=False)
        controller.follow(loaded)
        controller.state.opening = not resume
        self._show_config(controller)
        self._changed()
        if resume:
            self.resume(controller)
        elif not await controller.start_engine():
            controller.state.opening = False
            self._changed()
        elif not self._refused(controller):
            controller.open(run)

    def _refused(self, controller: RunController) -> bool:
        """Returns whether no run can be opened because one is under way; if so, notifies the user."""
        if controller.running:
            controller.state.opening = False
            text = "A run is under way; stop it ({playground.stop}) before opening or branching from another."
            self._screen.notify(text, severity="warning")
            self._changed()
        return controller.running

    def export(self) -> None:
        """Opens the dialog that exports the run in front."""
        run, workspace = self._controller.state.run, self._controllers.workspace
        folder = RunFolder(workspace.checkpoints / run) if run is not None else None
        if folder is None or not folder.holds_run():
            self._screen.notify("No run to export yet: train ({playground.train}) or open one ({playground.runs}).")
            return
        from rnnplay.tui.screens.runs.export import ExportScreen

        self._screen.app.push_screen(ExportScreen([folder], workspace), self._exported)

    def _exported(self, said: str | None) -> None:
        if said is not None:
            self._screen.notify(said, timeout=10, markup=False)

    def go_back(self) -> None:
        """Opens the list of checkpoints; a run that has ended is resumed from the chosen one."""
        from rnnplay.tui.screens.playground.go_back import GoBackScreen

        controller, screen = self._controller, self._screen
        state = controller.state
        if state.run is None or state.phase is Phase.PREPARING:
            screen.notify("There is no run to put back; choose one under Runs ({playground.runs}).", severity="warning")
            return
        try:
            dialog = GoBackScreen(find_run(state.run, self._controllers.workspace), state.followed)
        except (RnnplayError, OSError) as error:
            screen.notify(str(error), severity="error", markup=False)
            return
        run = state.run
        screen.app.push_screen(dialog, lambda choice: self._back_to(run, choice))

    def _back_to(self, run: str, choice: CheckpointChoice | None) -> None:
        controller = self._controller
        if choice is None:
            return
        checkpoint = str(choice.step)
        if choice.branch:
            self.branch(run, checkpoint)
            return
        if controller.state.run != run:  # it was still being opened when the list was
            self._screen.notify(f"The checkpoint is one of {run}, which is no longer shown.", severity="warning")
        elif controller.state.followed:
            self._screen.notify(read_only_text(controller.state), severity="warning", timeout=8, markup=False)
        elif controller.running:
            controller.go_back(checkpoint)
        elif self.may_begin():
            self.resume(controller, checkpoint)

    def samples(self) -> None:
        """Opens the sample log of the run in front."""
        from rnnplay.tui.screens.runs.samples import SamplesScreen

        state = self._controller.state
        if state.run is None:
            none = f"There is no run yet: {KEYS.train} trains one, {KEYS.runs} opens one."
            self._screen.notify(none, severity="warning")
            return
        run = RunFolder(self._controllers.workspace.checkpoints / state.run)
        self._screen.app.push_screen(SamplesScreen(run, state.config.sample_prompts == "off"))

    # --- branches -------------------------------------------------------------------------------------------

    def branch(self, run: str, checkpoint: str = "latest") -> None:
        """Asks what to take over from a checkpoint ("latest", "best" or a step), and shows its settings in the form."""
        self._screen.run_worker(self._branch(self._controller, run, checkpoint), exclusive=True, group="load run")

    async def _branch(self, controller: RunController, run: str, checkpoint: str) -> None:
        from rnnplay.tui.screens.runs.branch import BranchScreen, read_parent

        workspace = self._controllers.workspace
        try:
            parent = await asyncio.to_thread(read_parent, f"{run}@{checkpoint}", workspace)
        except (RnnplayError, OSError) as error:
            self._screen.notify(str(error), severity="error", markup=False)
            return
        branch = await self._screen.app.push_screen_wait(BranchScreen(parent))
        if branch is None:
            parent.hold.release()
            return
        if controller is self._controller:
            self._make_room()
            controller = self._controller
        if self._refused(controller):
            return
        await self.wait_until_measured()
        state = RunState(parent.config)
        state.begin(None, parent.config, branch, parent.hold)
        controller.load(state)
        self._show_config(controller)
        self._changed()
        await self._controllers.lend(controller)

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


def _read(folder: RunFolder, cache: Path) -> FollowedRun:
    """Reads a run and how it stands. Raises RnnplayError or OSError."""
    run = FollowedRun(folder, cache)
    run.apply(run.look())
    return run
