"""Divides the playground among setup, charts and the lesson's page, which alternate on narrow screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.screen import Screen

from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.theme import NARROW, TINY
from rnnplay.tui.widgets.training_charts import TrainingCharts


class Panes(NamedTuple):
    """What is on the screen."""

    setup: bool
    alone: bool
    """Whether setup takes the full width, since no other pane fits beside it or the help."""
    charts: bool
    page: bool
    """Whether the lesson's page, rather than its line, is shown."""


def arrange(
    *,
    narrow: bool,
    tiny: bool = False,
    chosen: bool | None,
    beside_help: bool | None,
    run: bool,
    lesson: bool,
    reading: bool,
) -> Panes:
    """Decides which panes are shown.

    `chosen`: whether the user folded setup, None if never; `beside_help`: while help is shown, whether setup rather
    than the charts had the focus; `run` and `lesson`: whether there is one; `reading`: whether the user wants the page
    rather than the charts where only one fits.
    """
    # Once there is a run, setup stays folded, so that the charts do not jump when it ends.
    folded = chosen if chosen is not None else (narrow and run) or lesson
    if narrow and beside_help is not None:
        folded = not beside_help
    alone = not folded and (tiny or (narrow and beside_help is not None))
    reading = narrow and reading and lesson
    return Panes(setup=not folded, alone=alone, charts=not (alone or reading), page=not narrow or reading)


class PlaygroundLayout:
    """Keeps the user's choices of layout, and applies them to the screen."""

    def __init__(self, screen: Screen[None], controllers: RunControllers, lesson_progress: LessonProgress) -> None:
        self._screen, self._controllers, self._lesson_progress = screen, controllers, lesson_progress
        self._chosen: bool | None = None
        self._beside_help: bool | None = None
        self.charts = True
        """Whether the charts and the prompt are shown."""
        self.reading = False
        """On a narrow screen, whether the page replaces the charts."""

    @property
    def narrow(self) -> bool:
        return self._screen.size.width < NARROW

    @property
    def _tiny(self) -> bool:
        return self._screen.size.width < TINY

    @property
    def prompt_in_reach(self) -> bool:
        """Whether the prompt is shown, or will be once setup makes room for it."""
        return self.charts or (self._tiny and not self.reading and self._beside_help is None)

    def show_prompt(self, focus: Callable[[], None]) -> None:
        """Calls `focus`, which gives the prompt the focus; folds setup where there is no room for both."""
        covered = not self.charts
        self._screen.query_one("#work").display = True  # what is hidden takes no focus
        focus()
        if covered:
            self._chosen = True
            self.apply()

    def help_shown(self, shown: bool) -> None:
        """Keeps only the side with the focus beside the help on a narrow screen."""
        self._beside_help = self._screen.query_one("#setup").has_focus_within if shown else None
        self.apply()

    def switch_setup(self) -> bool:
        """Folds or unfolds setup; returns whether it is now shown."""
        self._chosen = not self._screen.query_one("#setup").has_class("folded")
        if self._beside_help is not None:
            self._beside_help = not self._chosen
        self.apply()
        return not self._chosen

    def apply(self) -> None:
        """Applies the layout to the screen."""
        screen = self._screen
        shown = arrange(
            narrow=self.narrow,
            tiny=self._tiny,
            chosen=self._chosen,
            beside_help=self._beside_help,
            run=self._controllers.front.state.run is not None
            or (self._tiny and screen.query_one("#prompt").has_focus_within),
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
            screen.refresh_bindings()  # a hidden prompt disables its key
        if not shown.setup and setup.has_focus_within:
            screen.query_one(TrainingCharts).focus_first()
        setup.set_class(not shown.setup, "folded")
