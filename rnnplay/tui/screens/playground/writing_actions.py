"""Opens the scratchpad, and the samples that were drawn, from the playground."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen

from rnnplay.config import SamplingConfig
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.written import Written
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.writing.draft import DraftPlace

NO_RUN = "There is no run yet: {playground.train} trains one, {playground.runs} opens one."


class WritingActions:
    """What the playground's keys for writing do."""

    def __init__(
        self, screen: Screen[None], controllers: RunControllers, taken: Callable[[Written | None], None]
    ) -> None:
        """`taken` is called when one of these screens was left, with the sample that was chosen there."""
        self._screen, self._controllers, self._taken = screen, controllers, taken
        self._place: DraftPlace | None = None

    def write(self, sampling: SamplingConfig) -> None:
        """Opens the scratchpad; its samples are drawn with `sampling`."""
        from rnnplay.tui.screens.writing.screen import WritingScreen  # imported on first use

        try:
            self._place = self._place or DraftPlace(self._controllers.workspace)
        except InputError as error:
            self._screen.notify(str(error), severity="error", markup=False)
            return
        screen = WritingScreen(self._controllers, sampling, self._place)
        self._screen.app.push_screen(screen, lambda _: self._taken(None))

    def completion(self) -> None:
        """Shows the settings of completion."""
        from rnnplay.tui.screens.completion import CompletionDialog  # imported on first use

        dialog = CompletionDialog(self._controllers, self._controllers.front)
        self._screen.app.push_screen(dialog, lambda _: self._taken(None))

    def written(self) -> None:
        """Shows the samples that were drawn from the run; one that is chosen goes to the prompt with its settings."""
        from rnnplay.tui.screens.writing.written import WrittenScreen  # imported on first use

        if not (run := self._controllers.front.state.model_run):
            self._screen.notify(fill_keys(NO_RUN), severity="warning", markup=False)
            return
        folder = RunFolder(self._controllers.workspace.checkpoints / run)
        self._screen.app.push_screen(WrittenScreen(folder), self._taken)
