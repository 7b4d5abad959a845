"""Carries out the user's commands for runs on disk: open, lay over, go back to a checkpoint, branch, export."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from rnnplay.errors import RnnplayError
from rnnplay.runs.folder import RunFolder, find_run
from rnnplay.tui.followed_run import FollowedRun, read_only_text
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.overlay import Overlay
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.screens.playground.run_actions import RunActions

if TYPE_CHECKING:
    from rnnplay.tui.screens.playground.go_back import CheckpointChoice
    from rnnplay.tui.screens.runs.browser import RunChoice


class SavedRunActions:
    """Opens runs and their checkpoints in one playground. Imports the dialogs on first use."""

    def __init__(self, screen: Screen[None], controllers: RunControllers, overlay: Overlay, runs: RunActions) -> None:
        self._screen, self._controllers, self._overlay, self._runs = screen, controllers, overlay, runs

    @property
    def _controller(self) -> RunController:
        return self._controllers.front

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

    def choose_trial(self) -> None:
        """Shows the studies; a trial that is chosen there is opened."""
        from rnnplay.tui.screens.runs.sweep import SweepScreen

        self._screen.app.push_screen(SweepScreen(self._controllers.workspace), self._trial_chosen)

    def _trial_chosen(self, run: str | None) -> None:
        if run is not None:
            self.open(run)

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
        await self._runs.wait_until_measured()
        controller.state.opening = not resume
        workspace = self._controllers.workspace
        try:
            loaded = await asyncio.to_thread(lambda: _read(find_run(run, workspace), workspace.cache))
        except (RnnplayError, OSError) as error:
            self._screen.notify(str(error), severity="error", markup=False)
            controller.state.opening = False
            self._runs.changed()
            await self._controllers.lend(controller)
            return
        if self._runs.refused(controller):
            return
        if resume and loaded.state.followed:
            resume = False
            text = f"{run} is being {loaded.state.trained_by}, so followed; {KEYS.train} resumes it once it has ended."
            self._screen.notify(text, timeout=10, markup=False)
        controller.follow(loaded)
        controller.state.opening = not resume
        self._runs.show_config(controller)
        self._runs.changed()
        if resume:
            self._runs.resume(controller)
        elif not await controller.start_engine():
            controller.state.opening = False
            self._runs.changed()
        elif not self._runs.refused(controller):
            controller.open(run)

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
        elif self._runs.may_begin():
            self._runs.resume(controller, checkpoint)

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
        if self._runs.refused(controller):
            return
        await self._runs.wait_until_measured()
        state = RunState(parent.config)
        state.begin(None, parent.config, branch, parent.hold)
        controller.load(state)
        self._runs.show_config(controller)
        self._runs.changed()
        await self._controllers.lend(controller)


def _read(folder: RunFolder, cache: Path) -> FollowedRun:
    """Reads a run and how it stands. Raises RnnplayError or OSError."""
    run = FollowedRun(folder, cache)
    run.apply(run.look())
    return run
