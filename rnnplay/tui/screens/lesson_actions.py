"""Where the lesson under way meets the playground: its page on the screen, and what t does on its behalf."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from textual.screen import Screen

from rnnplay.config import RunConfig
from rnnplay.lessons.measurements import said
from rnnplay.runs.folder import list_runs
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.screens.playground_layout import PlaygroundLayout
from rnnplay.tui.screens.run_actions import RunActions
from rnnplay.tui.widgets.panels import TrainingCharts
from rnnplay.tui.widgets.visible import shortened

if TYPE_CHECKING:
    from rnnplay.tui.lessons.lesson_pane import LessonPane

VIEW_NUMBERS = {"gradients": 0, "predictions": 1, "gates": 2, "what if": 3, "clipping": 5, "distances": 6}
"""Where a lesson's view stands among those of the inspection."""
KEYS = {"train": "train", "again": "train", "resume": "resume", "open": "look", "look": "look"}
"""The action of t, by what the lesson needs."""


def action_of_t(progress: LessonProgress, form: RunConfig) -> str:
    """What t does, by the name of the action; `form` is what the form says."""
    need = progress.need
    if need is not None:
        return KEYS[need.what]
    if not progress.controller.resumable(form):
        return "train"
    return "done" if progress.variant is not None else "resume"  # for a lesson's run its length is enough


class LessonActions:
    """Of one playground. Imports the page only once a lesson is opened."""

    def __init__(
        self,
        screen: Screen[None],
        progress: LessonProgress,
        runs: RunActions,
        layout: PlaygroundLayout,
        inspect: Callable[[], None],
    ) -> None:
        """`inspect` opens the inspection."""
        self._screen, self._progress = screen, progress
        self._runs, self._layout, self._inspect = runs, layout, inspect

    @property
    def _panes(self) -> list[LessonPane]:
        return list(self._screen.query("#lesson").results())  # type: ignore[arg-type]

    async def go_on(self) -> None:
        """Do what the lesson needs next, whatever key asks for it and how soon."""
        await self._runs.measured()
        progress, screen = self._progress, self._screen
        if progress.controller.running:
            return
        if (need := progress.need) is None:
            screen.notify(words.ALL_DONE[progress.language])
            return
        assert progress.lesson is not None
        run, language = progress.run_of(need.variant), progress.language
        match need.what:
            case "resume":
                self._runs.resume()
            case "open" if run is not None and run in {one.name for one in list_runs(progress.controller.workspace)}:
                variant = progress.lesson.variants[need.variant].title[language]
                screen.notify(words.OPENED[language].format(step=need.step + 1, variant=variant), markup=False)
                self._runs.open(run)
                self._inspect()
            case "look":
                self._inspect()
            case "again":
                judged = progress.measurements.judge_step(progress.lesson.steps[need.step])
                failed = next(one for one in judged if not one.holds)
                asked, measured = said(failed, progress.lesson, language)
                text = words.AGAIN[language].format(step=need.step + 1, asked=asked, measured=measured)
                screen.notify(text, severity="warning", timeout=12, markup=False)
                self.train(need.variant, again=True)
            case _:
                self.train(need.variant)

    def train(self, variant: str, again: bool = False) -> None:
        """Train one of the lesson's models, `again` as another try."""

        def start() -> None:
            self._progress.train(variant, again)
            self.read(False)
            for pane in self._panes:  # shows the step that is under way
                self._screen.call_after_refresh(pane.follow)

        self._runs.begin(start)

    def train_if_none_runs(self, variant: str) -> None:
        """The same, for a button of the page."""
        if self._progress.controller.running:
            self._screen.notify(words.RUNNING[self._progress.language], severity="warning")
        else:
            self.train(variant)

    # --- the page -------------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Show the list of lessons; where the page has given way to the charts, the page."""
        from rnnplay.tui.screens.lessons import LessonsScreen

        if not self._come_back():
            self._screen.app.push_screen(LessonsScreen(self._progress), self._chosen)

    def _come_back(self) -> bool:
        """Show the page where it has given way to the charts; whether it had."""
        gone = self._progress.lesson is not None and self._layout.narrow and not self._layout.reading
        if gone:
            self.read(True)
        return gone

    async def _chosen(self, name: str | None) -> None:
        from rnnplay.lessons.reader import find_lesson

        if name is not None:
            self._progress.open(find_lesson(name))
        elif self._progress.lesson is not None:
            self._progress.open(self._progress.lesson)  # perhaps in another language
        await self._show(read=name is not None or self._layout.reading)

    async def close(self) -> None:
        """Put the page away."""
        self._progress.close()
        await self._show(read=False)

    async def _show(self, read: bool) -> None:
        for pane in self._panes:
            await pane.remove()
        if self._progress.lesson is not None:
            from rnnplay.tui.lessons.lesson_pane import LessonPane

            await self._screen.query_one("#body").mount(LessonPane(self._progress, id="lesson"), before=0)
            self.read(read)
        self._layout.apply()
        self._screen.post_message(RunActions.Changed())  # the header follows the language
        self._screen.refresh_bindings()

    def read(self, reading: bool) -> None:
        """Where it is narrow, show the page or the charts; the keys go there anyway."""
        self._layout.reading = reading
        self._layout.apply()
        for pane in self._panes:
            if reading:
                self._screen.call_after_refresh(pane.focus)  # until then the screen gives it back to who had it
            else:
                self._screen.query_one(TrainingCharts).focus_first()

    def refresh(self) -> None:
        """Bring ticks and measurements up to date."""
        if self._progress.lesson is not None:
            for pane in self._panes:
                pane.refresh_steps()
            self._screen.query_one(LessonLine).refresh_step()

    def ticked(self, step: int) -> None:
        """Say that a step ticked."""
        progress = self._progress
        if progress.page is None or progress.lesson is None:  # closed meanwhile
            return
        judged = progress.measurements.judge_step(progress.lesson.steps[step])
        told = [said(one, progress.lesson, progress.language) for one in judged]
        if self._layout.reading and self._layout.narrow and self._screen.is_current:
            # In one row, which hides nothing but the page's frame.
            text = f"✓ {step + 1}. " + "  ".join(f"{what}: {value}" for what, value in told)
            self._screen.app.notify(shortened(text, self._screen.size.width - 8), timeout=10, markup=False)
        else:  # on whatever screen the user is: the page may be out of sight
            text = progress.page.steps[step] + "".join(f"\n✓ {what}: {value}" for what, value in told)
            self._screen.app.notify(text, title=f"✓ {step + 1}", timeout=10, markup=False)
        for pane in self._panes:
            self._screen.call_after_refresh(pane.go_on_from, step)

    def lesson_view(self, view: int, prompt: str) -> tuple[int, str]:
        """The view of the inspection that the next step is about, else `view`; the lesson's text, else `prompt`."""
        lesson, step = self._progress.lesson, self._progress.next_step
        if lesson is None:
            return view, prompt
        wanted = lesson.steps[step].view if step is not None else ""
        return VIEW_NUMBERS.get(wanted, view), self._progress.text_for(wanted)

    def answer(self) -> None:
        """Open or fold the answer, and bring it into sight."""
        self._come_back()
        for pane in self._panes:
            pane.switch_answer()

    def ask(self) -> None:
        """What the conditions need is measured while a lesson is open, whatever is looked at."""
        self._progress.ask(monotonic())
