"""Begins races from the playground, keeps the present one going, and shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from rnnplay.engine import messages
from rnnplay.engine.client import engines_left
from rnnplay.experiments.race_plan import RacePlan
from rnnplay.experiments.variants import MOST
from rnnplay.runs.metrics.records import Started
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.race.race_status import playground_text
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.visible import visible_line

if TYPE_CHECKING:
    from rnnplay.tui.race.race_settings import RaceSettings
    from rnnplay.tui.screens.race.screen import RaceChoice


class RaceActions:
    """The races of one playground. Imports the screens on first use."""

    def __init__(self, screen: Screen[None], controllers: RunControllers) -> None:
        self._screen, self._controllers = screen, controllers
        self.live: LiveRace | None = None
        """The present race, also after it has ended."""
        self._over = False
        self._before: tuple[str, RaceSettings] | None = None
        """What the race before was of, with which the next dialog begins."""

    @property
    def text(self) -> str:
        """What the playground's first line says of the race; "" without one."""
        return playground_text(self.live) if self.live is not None else ""

    def take(self, message: RunController.EngineMessage) -> None:
        """Follows what an engine has done."""
        live = self.live
        if live is None:
            return
        live.take(message)
        if live.over and not self._over:
            self._tell_end(live)
        self._over = live.over
        if live.training and begins_to_train(message) and not self._is_of_race(message.controller):
            text = (
                "A race is under way and shares the cores with this run: both are slower. {playground.race}, then "
                "{race.pause-all} pauses it."
            )
            self._screen.notify(text, severity="warning", timeout=8)

    def renamed(self, run: str, name: str) -> None:
        """Takes note that a run has been renamed."""
        if self.live is not None:
            self.live.renamed(run, name)

    def _tell_end(self, live: LiveRace) -> None:
        if live.stopped:
            return
        from rnnplay.tui.race.ranking import ranking

        rows = [one for one in ranking(live, live.plan.measure).rows if one.place]
        first = f" {rows[0].label} is first." if rows else ""
        self._screen.notify(f"The race has ended.{first}", markup=False)

    def open(self) -> None:
        """Shows the race, or plans one."""
        if self.live is not None:
            self._show(self.live)
        else:
            self.plan()

    def plan(self) -> None:
        """Opens the dialog that plans a race."""
        from rnnplay.tui.screens.race.dialog import RaceDialog

        form = self._screen.query_one(SetupForm)
        if form.first_error:
            self._screen.notify(form.first_error, severity="error", markup=False)
            return
        state = self._controllers.front.state
        if state.phase is Phase.PREPARING:
            self._screen.notify("A run is being prepared; a race can begin once it trains.", severity="warning")
            return
        own = not self._is_of_race(self._controllers.front)
        note = f"{state.run} is paused meanwhile." if own and state.phase is Phase.TRAINING else ""
        device = self._controllers.front.device
        if state.next_branch is not None:
            note = f"All begin with the weights of {visible_line(state.next_branch.checkpoint)}."
        ended = self.live.engines_to_end if self.live is not None else 0
        dialog = RaceDialog(
            *(form.config, self._controllers.workspace, note, device, self._before),
            branch=state.next_branch,
            most=min(MOST, engines_left() + ended),
        )

        def planned(plan: RacePlan | None) -> None:
            if plan is not None:
                self._before = dialog.chosen
                self._screen.run_worker(self._begin(plan), exclusive=True, group="race")

        self._screen.app.push_screen(dialog, planned)

    def _is_of_race(self, controller: RunController) -> bool:
        return self.live is not None and any(one.controller is controller for one in self.live.entrants)

    async def _begin(self, plan: RacePlan) -> None:
        if self.live is not None:
            await self.live.close()
        front = self._controllers.front
        if front.state.phase is Phase.TRAINING:
            front.pause_or_continue()
        live = self.live = LiveRace(plan, self._controllers)
        self._over = False
        self._show(live)
        await live.start()

    def _show(self, live: LiveRace) -> None:
        from rnnplay.tui.screens.race.screen import RaceScreen

        self._screen.app.push_screen(RaceScreen(live), self._left)

    def _left(self, choice: RaceChoice | None) -> None:
        live = self.live
        assert live is not None
        if choice is None:
            if self._controllers.front is not live.own:
                self._controllers.bring_to_front(live.own)
        elif choice.action == "new":
            self.plan()
        elif choice.controller is not None:
            self._controllers.bring_to_front(choice.controller)


def begins_to_train(message: RunController.EngineMessage) -> bool:
    """Returns whether a run has just begun to train, or goes on after a pause."""
    match message:
        case RunController.EventReceived(event=messages.Continued()):
            return True
        case RunController.EventReceived(event=messages.Progress() as event):
            return any(isinstance(record, Started) for record in event.records)
    return False
