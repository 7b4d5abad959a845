"""Carries out commands for the variants of a race: drop, add, resume, inspect, export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textual.screen import Screen

from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.race_names import race_number
from rnnplay.experiments.resumption import DROPPED, tag_dropped
from rnnplay.runs.folder import RunFolder
from rnnplay.tui.inspection.view import Curves
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.race.race_settings import check_kept, single_variant
from rnnplay.tui.screens.dialogs import Ask


class VariantActions:
    """The commands of one race's screen. Imports the screens on first use."""

    def __init__(self, screen: Screen[Any], live: LiveRace, show: Callable[[], None]) -> None:
        """`show` brings the screen up to date."""
        self._screen, self._live, self._show = screen, live, show

    def drop(self, one: Entrant) -> None:
        """Takes a variant out of the race, unless it is the last."""
        if len(self._live.entrants) == 1:
            self._screen.notify("That is the last variant; stop the race ({race.stop}) instead.", severity="warning")
            return
        title, run = one.title, one.entry.run
        self._live.drop(one)
        folder = RunFolder(self._live.own.workspace.checkpoints / run)
        if folder.holds_run():
            with suppress(InputError):
                tag_dropped(folder)
        self._screen.notify(f"{title} has left the race; its run stays as {run}, tagged {DROPPED}.", markup=False)
        self._show()

    def add(self) -> None:
        """Asks for another variant."""
        question = "Which knobs differ from the setup? The variant starts from the beginning."
        self._screen.app.push_screen(Ask("Add a variant", question, "Add", self._add))

    async def _add(self, text: str) -> str | None:
        try:
            plan = self._live.plan
            variant = single_variant(text, plan.setup)
            check_kept([variant], plan.setup, plan.branch)
            entrant = self._live.add(variant)
        except RnnplayError as error:
            return str(error)
        self._screen.run_worker(entrant.controller.start_engine())
        self._show()
        return None

    async def resume(self, one: Entrant) -> None:
        """Resumes a variant that is over."""
        try:
            await self._live.resume(one)
        except RnnplayError as error:
            self._screen.notify(str(error), severity="error", markup=False)
        self._show()

    def inspect(self, one: Entrant) -> None:
        """Opens the inspection of a variant."""
        from rnnplay.tui.screens.inspect import InspectScreen

        screen = InspectScreen(one.controller, one.variant.config, self._live.prompt, curves=Curves())
        self._screen.app.push_screen(screen)

    def export(self) -> None:
        """Opens the dialog that exports the runs of all variants: their charts, tables or event files."""
        from rnnplay.tui.screens.runs.export import ExportScreen

        workspace = self._live.own.workspace
        folders = [RunFolder(workspace.checkpoints / entry.run) for one in self._live.entrants for entry in one.entries]
        runs = [folder for folder in folders if folder.holds_run()]
        if runs:
            name = f"race-{race_number(runs[0].name):02d}"
            self._screen.app.push_screen(ExportScreen(runs, workspace, name=name), self._exported)
        else:
            self._screen.notify("No variant has begun yet, so there is nothing to export.", severity="warning")

    def _exported(self, said: str | None) -> None:
        if said is not None:
            self._screen.notify(said, timeout=10, markup=False)
