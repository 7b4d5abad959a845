"""Connects the current lesson with the playground: shows its page, and does what its next step needs."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from textual.screen import Screen

from rnnplay.config import RunConfig
from rnnplay.lessons.measurements import judged_text
from rnnplay.runs.folder import list_runs
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.screens.playground.layout import PlaygroundLayout
from rnnplay.tui.screens.playground.new_run_question import before_lesson_run
from rnnplay.tui.screens.playground.run_actions import RunActions
from rnnplay.tui.screens.playground.saved_run_actions import SavedRunActions
from rnnplay.tui.widgets.training_charts import TrainingCharts
from rnnplay.tui.widgets.visible import shortened

if TYPE_CHECKING:
    from rnnplay.lessons.lesson import Lesson
    from rnnplay.tui.lessons.lesson_pane import LessonPane

VIEW_NUMBERS = {
    "gradients": 0,
    "predictions": 1,
    "gates": 2,
    "what if": 3,
    "clipping": 5,
    "distances": 6,
    "timestep": 7,
}
"""Index of the inspection view for each view named by a lesson."""
KEYS = {"train": "train", "again": "train", "resume": "resume", "open": "look", "look": "look"}
"""The action of the t key for each need of a lesson."""


def action_of_t(progress: LessonProgress, form: RunConfig) -> str:
    """Returns the name of the action that t performs; `form` is the form's config."""
    need = progress.need
    if need is not None:
        return KEYS[need.what]
    if not progress.controller.resumable(form):
        return "train"
    return "done" if progress.variant is not None else "resume"  # a lesson's run is complete at its length


class LessonActions:
    """Performs the lesson commands of one playground. Imports the page when a lesson is opened."""

    def __init__(
        self,
        screen: Screen[None],
        progress: LessonProgress,
        runs: RunActions,
        saved: SavedRunActions,
        layout: PlaygroundLayout,
        inspect: Callable[[], None],
    ) -> None:
        """`inspect` opens the inspection."""
        self._screen, self._progress = screen, progress
        self._runs, self._saved, self._layout, self._inspect = runs, saved, layout, inspect

    @property
    def _panes(self) -> list[LessonPane]:
        return list(self._screen.query("#lesson").results())  # type: ignore[arg-type]

    async def go_on(self) -> None:
        """Does what the lesson needs next."""
        await self._runs.wait_until_measured()
        progress, screen = self._progress, self._screen
        if progress.controller.running:
            return
        if (need := progress.need) is None:
            screen.notify(fill_keys(words.ALL_DONE[progress.language]))
            return
        assert progress.lesson is not None
        run, language = progress.run_of(need.variant), progress.language
        match need.what:
            case "resume":
                self._runs.resume(progress.controller)
            case "open" if run is not None and run in {one.name for one in list_runs(progress.controller.workspace)}:
                variant = progress.lesson.title_of(need.variant, language)
                screen.notify(words.OPENED[language].format(step=need.step + 1, variant=variant), markup=False)
                self._saved.open(run)
                self._inspect()
            case "look":
                self._inspect()
            case "again":
                judged = progress.measurements.judge_step(progress.lesson.steps[need.step])
                failed = next(one for one in judged if not one.holds)
                asked, measured = judged_text(failed, progress.lesson, language)
                text = words.AGAIN[language].format(step=need.step + 1, asked=asked, measured=measured)
                screen.notify(text, severity="warning", timeout=12, markup=False)
                self.train(need.variant, again=True)
            case _:
                self.train(need.variant)

    def train(self, variant: str, again: bool = False) -> None:
        """Trains a variant of the lesson; `again` uses another seed. Asks first where an unfinished run gives way."""
        from rnnplay.tui.screens.dialogs import Confirm

        controller = self._progress.controller
        question = before_lesson_run(controller.state, self._progress)

        def begin(wanted: bool | None = True) -> None:
            if wanted:
                self._runs.begin(controller, start)

        def start() -> None:
            self._progress.train(variant, again)
            self.read(False)
            for pane in self._panes:  # to show the step under way
                self._screen.call_after_refresh(pane.follow)

        if question is None:
            begin()
        else:
            title, text, yes, no, lost = question
            self._screen.app.push_screen(Confirm(title, text, yes, no, lost=lost), begin)

    def train_if_none_runs(self, variant: str) -> None:
        """Trains a variant for a button of the page, unless a run is under way."""
        if self._progress.controller.running:
            self._screen.notify(fill_keys(words.RUNNING[self._progress.language]), severity="warning")
        else:
            self.train(variant)

    # --- the page -------------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Shows the list of lessons; or the page, where the charts have replaced it."""
        from rnnplay.tui.screens.lessons import LessonsScreen

        if not self._come_back():
            self._screen.app.push_screen(LessonsScreen(self._progress), self._chosen)

    def _come_back(self) -> bool:
        """Shows the page again where the charts have replaced it; returns whether they had."""
        gone = self._progress.lesson is not None and self._layout.narrow and not self._layout.reading
        if gone:
            self.read(True)
        return gone

    def _own(self) -> list[Lesson]:
        from rnnplay.lessons.own import own_lessons, shown_in_one_language

        found = own_lessons(self._progress.controller.workspace.lessons)[0]
        return [shown_in_one_language(lesson, self._progress.chosen_language) for lesson in found]

    async def _chosen(self, name: str | None) -> None:
        from rnnplay.lessons.reader import find_lesson

        if name is not None:
            self._progress.open(find_lesson(name, own=self._own()))
        elif (lesson := self._progress.lesson) is not None:  # the language may have changed
            self._progress.open(next((one for one in self._own() if one.name == lesson.name), lesson))
        await self._show(read=name is not None or self._layout.reading)

    async def close(self) -> None:
        """Closes the lesson and its page."""
        self._progress.close()
        await self._show(read=False)

    async def _show(self, read: bool) -> None:
        for pane in self._panes:
            await pane.remove()
        if self._progress.lesson is not None:
            from rnnplay.tui.lessons.lesson_pane import LessonPane

            pane = LessonPane(self._progress, id="lesson")
            pane.display = False  # until the layout makes room for it
            await self._screen.query_one("#body").mount(pane, before=0)
            self.read(read)
        self._layout.apply()
        self._screen.post_message(RunActions.Changed())  # the header follows the language
        self._screen.refresh_bindings()

    def read(self, reading: bool) -> None:
        """Moves the focus to the page or the charts; a narrow screen shows only that one."""
        self._layout.reading = reading
        self._layout.apply()
        for pane in self._panes:
            if reading:
                self._screen.call_after_refresh(pane.focus)  # not before the screen has restored the earlier focus
            else:
                self._screen.query_one(TrainingCharts).focus_first()

    def refresh(self) -> None:
        """Updates the ticks and measurements."""
        if self._progress.lesson is not None:
            for pane in self._panes:
                pane.refresh_steps()
            self._screen.query_one(LessonLine).refresh_step()

    def ticked(self, step: int) -> None:
        """Notifies the user that a step has ticked."""
        progress = self._progress
        if progress.page is None or progress.lesson is None:  # the lesson has been closed
            return
        judged = progress.measurements.judge_step(progress.lesson.steps[step])
        lines = [judged_text(one, progress.lesson, progress.language) for one in judged]
        if self._layout.reading and self._layout.narrow and self._screen.is_current:
            # A single row covers only the frame of the page.
            text = f"✓ {step + 1}. " + "  ".join(f"{what}: {value}" for what, value in lines)
            self._screen.app.notify(shortened(text, self._screen.size.width - 8), timeout=10, markup=False)
        else:  # on any screen, because the page may be hidden
            text = progress.page.steps[step] + "".join(f"\n✓ {what}: {value}" for what, value in lines)
            self._screen.app.notify(text, title=f"✓ {step + 1}", timeout=10, markup=False)
        for pane in self._panes:
            self._screen.call_after_refresh(pane.go_on_from, step)

    def lesson_view(self, view: int, prompt: str) -> tuple[int, str]:
        """Returns the view that the next step is about and the lesson's text for it, or else `view` and `prompt`."""
        lesson, step = self._progress.lesson, self._progress.next_step
        if lesson is None:
            return view, prompt
        wanted = lesson.steps[step].view if step is not None else ""
        return VIEW_NUMBERS.get(wanted, view), self._progress.text_for(wanted)

    def answer(self) -> None:
        """Shows or hides the answer."""
        self._come_back()
        for pane in self._panes:
            pane.switch_answer()

    def ask(self) -> None:
        """Asks the engine for what the lesson's conditions need, whatever view is shown."""
        self._progress.ask(monotonic())
