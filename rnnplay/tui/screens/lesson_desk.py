"""Where the lesson under way meets the playground: its page on the screen, and what is asked on its behalf."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from rnnplay.lessons.measurements import said
from rnnplay.runs.folder import list_runs
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.room import NARROW

if TYPE_CHECKING:
    from rnnplay.tui.lessons.lesson_pane import LessonPane
    from rnnplay.tui.screens.playground import PlaygroundScreen

POLL_SECONDS = 0.05
VIEW_NUMBERS = {"gradients": 0, "predictions": 1, "gates": 2, "what if": 3, "clipping": 5, "distances": 6}
"""Where a lesson's view stands among those of the inspection."""


class LessonDesk:
    """Of one playground. Imports the page only once a lesson is opened."""

    def __init__(self, screen: PlaygroundScreen) -> None:
        self._screen = screen
        self._coach = screen.coach
        self._reading = False
        """Where it is narrow: whether the page stands in place of the charts."""

    @property
    def _panes(self) -> list[LessonPane]:
        return list(self._screen.query("#lesson").results())  # type: ignore[arg-type]

    # --- what t does ----------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        """Whether the lesson, rather than the form, says what t does."""
        return self._coach.need is not None or self.key == "done"

    @property
    def key(self) -> str:
        """What t does, by the name of the action."""
        need = self._coach.need
        if need is None:
            if not self._screen.controller.resumable(self._screen.form.config):
                return "train"
            return "done" if self._coach.variant is not None else "resume"  # for a lesson's run its length is enough
        return {"train": "train", "again": "train", "resume": "resume", "open": "look", "look": "look"}[need.what]

    async def measured(self) -> None:
        """Wait until what the run that has just finished owes is measured: the next one would take its model away."""
        if self._coach.owed:
            self._screen.notify(words.MEASURING_FIRST[self._coach.language], timeout=3)
            while self._coach.owed:
                await asyncio.sleep(POLL_SECONDS)
            self._screen.show_state()

    async def go_on(self) -> None:
        """Do what the lesson needs next, whatever key asks for it and how soon."""
        await self.measured()
        coach, screen = self._coach, self._screen
        if screen.controller.running:
            return
        if (need := coach.need) is None:
            screen.notify(words.ALL_DONE[coach.language])
            return
        assert coach.lesson is not None
        run, language = coach.run_of(need.variant), coach.language
        match need.what:
            case "resume":
                screen.begin(resume=True)
            case "open" if run is not None and run in {one.name for one in list_runs(screen.controller.workspace)}:
                variant = coach.lesson.variants[need.variant].title[language]
                screen.notify(words.OPENED[language].format(step=need.step + 1, variant=variant), markup=False)
                screen.open_run(run)
                screen.action_inspect()
            case "look":
                screen.action_inspect()
            case "again":
                judged = coach.measurements.judge_step(coach.lesson.steps[need.step])
                failed = next(one for one in judged if not one.holds)
                asked, measured = said(failed, coach.lesson, language)
                text = words.AGAIN[language].format(step=need.step + 1, asked=asked, measured=measured)
                screen.notify(text, severity="warning", timeout=12, markup=False)
                screen.begin(variant=need.variant, again=True)
            case _:
                screen.begin(variant=need.variant)

    async def may_begin_another(self) -> bool:
        """Whether a run that is not the lesson's is really wanted, while the lesson has steps to tick."""
        if self._coach.need is None:
            return True
        from rnnplay.tui.screens.confirm import Confirm

        language = self._coach.language
        texts = (words.NEW_TITLE, words.NEW_QUESTION, words.NEW_YES, words.NEW_NO)
        return await self._screen.app.push_screen_wait(Confirm(*(text[language] for text in texts)))

    # --- the page -------------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Show the list of lessons; where the page has given way to the charts, the page."""
        from rnnplay.tui.screens.lessons import LessonsScreen

        if self._coach.lesson is not None and self._screen.size.width < NARROW and not self._reading:
            self.read(True)
        else:
            self._screen.app.push_screen(LessonsScreen(self._coach), self._chosen)

    async def _chosen(self, name: str | None) -> None:
        from rnnplay.lessons.reader import find_lesson

        if name is not None:
            self._coach.open(find_lesson(name))
        elif self._coach.lesson is not None:
            self._coach.open(self._coach.lesson)  # perhaps in another language
        await self._show(read=name is not None or self._reading)

    async def close(self) -> None:
        """Put the page away."""
        self._coach.close()
        await self._show(read=False)

    async def _show(self, read: bool) -> None:
        screen = self._screen
        for pane in self._panes:
            await pane.remove()
        if self._coach.lesson is not None:
            from rnnplay.tui.lessons.lesson_pane import LessonPane

            await screen.query_one("#body").mount(LessonPane(self._coach, id="lesson"), before=0)
            self.read(read)
        screen.fold()
        screen.refresh_bindings()

    def read(self, reading: bool) -> None:
        """Where it is narrow, show the page or the charts; the keys go there anyway."""
        self._reading = reading
        self._screen.fold()
        for pane in self._panes:
            if reading:
                self._screen.call_after_refresh(pane.focus)  # until then the screen gives it back to who had it
            else:
                self._screen.action_leave_field()

    def fold(self, narrow: bool) -> bool:
        """Show and hide the page and the line; returns whether the page takes the place of the charts."""
        reading = narrow and self._reading and self._coach.lesson is not None
        for pane in self._panes:
            pane.display = not narrow or reading
        line = self._screen.query_one(LessonLine)
        line.hidden_by_page = not narrow or reading
        line.refresh_step()
        return reading

    def refresh(self) -> None:
        """Bring ticks and measurements up to date."""
        if self._coach.lesson is not None:
            for pane in self._panes:
                pane.refresh_steps()
            self._screen.query_one(LessonLine).refresh_step()

    def ticked(self, step: int) -> None:
        """Say that a step ticked."""
        coach = self._coach
        assert coach.page is not None and coach.lesson is not None
        judged = coach.measurements.judge_step(coach.lesson.steps[step])
        told = [said(one, coach.lesson, coach.language) for one in judged]
        values = "".join(f"\n✓ {what}: {value}" for what, value in told)
        # Said on whatever screen the user is: the page may be out of sight.
        self._screen.app.notify(coach.page.steps[step] + values, title=f"✓ {step + 1}", timeout=10, markup=False)
        self._screen.show_state()
        for pane in self._panes:
            self._screen.call_after_refresh(pane.go_on_from, step)

    def follow(self) -> None:
        """Show the step that is under way, on the page."""
        for pane in self._panes:
            self._screen.call_after_refresh(pane.follow)

    def looked_at(self, view: int, prompt: str) -> tuple[int, str]:
        """The view of the inspection that the next step is about, else `view`; the lesson's text, else `prompt`."""
        lesson = self._coach.lesson
        if lesson is None:
            return view, prompt
        wanted = lesson.steps[self._coach.next_step].view if self._coach.next_step is not None else ""
        return VIEW_NUMBERS.get(wanted, view), self._coach.text_for(wanted)

    def answer(self) -> None:
        """Open or fold the answer, and bring it into sight."""
        if self._screen.size.width < NARROW and not self._reading:
            self.read(True)
        for pane in self._panes:
            pane.switch_answer()

    def ask(self) -> None:
        """What the conditions need is measured while a lesson is open, whatever is looked at."""
        self._coach.ask(monotonic())
