"""Who has how much of the playground: setup, charts and the lesson's page, which take turns where it is narrow."""

from __future__ import annotations

from typing import NamedTuple

from textual.screen import Screen

from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_controller import RunControllers
from rnnplay.tui.theme import NARROW
from rnnplay.tui.widgets.panels import TrainingCharts


class Panes(NamedTuple):
    """What is on the screen."""

    setup: bool
    alone: bool
    """Setup, with all the width: beside the help there is none for more."""
    charts: bool
    page: bool
    """The lesson's page, if there is one; else its line."""


def arrange(
    *, narrow: bool, chosen: bool | None, beside_help: bool | None, run: bool, lesson: bool, reading: bool
) -> Panes:
    """Give the width to what is used.

    `chosen`: whether the user folded setup, None if it was left to itself; `beside_help`: while help is shown, whether
    setup rather than the charts was being used; `run` and `lesson`: whether there is one; `reading`: the page was asked
    for where it stands in place of the charts.
    """
    # Once there is a run the charts keep the width, so that they do not jump when it ends.
    folded = chosen if chosen is not None else (narrow and run) or lesson
    if narrow and beside_help is not None:
        folded = not beside_help
    alone = narrow and beside_help is not None and not folded
    reading = narrow and reading and lesson
    return Panes(setup=not folded, alone=alone, charts=not (alone or reading), page=not narrow or reading)


class PlaygroundLayout:
    """What the user chose of it, and `apply`, which brings the screen up to date."""

    def __init__(self, screen: Screen[None], controllers: RunControllers, lesson_progress: LessonProgress) -> None:
        self._screen, self._controllers, self._lesson_progress = screen, controllers, lesson_progress
        self._chosen: bool | None = None
        self._beside_help: bool | None = None
        self.charts = True
        """Whether they are on the screen, and the prompt with them."""
        self.reading = False
        """Where it is narrow: whether its page stands in place of the charts."""

    @property
    def narrow(self) -> bool:
        return self._screen.size.width < NARROW

    def help_shown(self, shown: bool) -> None:
        """Where it is narrow, only the side with the focus stays beside the help."""
        self._beside_help = self._screen.query_one("#setup").has_focus_within if shown else None
        self.apply()

    def switch_setup(self) -> bool:
        """Fold setup, or unfold it; returns whether it is there now."""
        self._chosen = not self._screen.query_one("#setup").has_class("folded")
        if self._beside_help is not None:
            self._beside_help = not self._chosen
        self.apply()
        return not self._chosen

    def apply(self) -> None:
        """Bring the screen up to date."""
        screen = self._screen
        shown = arrange(
            narrow=self.narrow,
            chosen=self._chosen,
            beside_help=self._beside_help,
            run=self._controllers.front.state.run is not None,
            lesson=self._lesson_progress.lesson is not None,
            reading=self.reading,
        )
        setup, work, line = screen.query_one("#setup"), screen.query_one("#work"), screen.query_one(LessonLine)
        setup.set_class(shown.alone, "alone")
        for page in screen.query("#lesson"):
            page.display = shown.page
        line.hidden_by_page = shown.page
        line.refresh_step()
        if self.charts != shown.charts:
            work.display = self.charts = shown.charts
            screen.refresh_bindings()  # without a prompt to be seen, its key is of no use
        if not shown.setup and setup.has_focus_within:
            screen.query_one(TrainingCharts).focus_first()
        setup.set_class(not shown.setup, "folded")
