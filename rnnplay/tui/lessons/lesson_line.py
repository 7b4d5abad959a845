"""A single row for the current lesson where its page does not fit: the next step and its measurements."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from rnnplay.lessons.measurements import Judged, comparison_text
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.widgets.visible import MUTED, code_drawn, shortened


class LessonLine(Widget):
    """A row such as "3 ☐ 2. Begin with gain 2.5 …  4.1"; hidden without a lesson."""

    DEFAULT_CSS = """
    LessonLine { height: 1; padding: 0 1; display: none; background: $panel; }
    LessonLine.shown { display: block; }
    """

    def __init__(self, progress: LessonProgress, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._progress = progress
        self._shown = ""
        self.hidden_by_page = False
        """Whether the page itself is shown."""

    def refresh_step(self) -> None:
        """Updates the row."""
        self.set_class(self._progress.lesson is not None and not self.hidden_by_page, "shown")
        text = self._text()
        if text.plain != self._shown:
            self._shown = text.plain
            self.refresh()

    def render(self) -> Content:
        return self._text()

    def _value(self, judged: Judged) -> str:
        """Describes a measurement, e.g. "✓ 0.21 ≤ 0.3"."""
        return f"{'✓' if judged.holds else '·'} {self._progress.value_text(judged)} {comparison_text(judged.condition)}"

    def _text(self) -> Content:
        progress = self._progress
        if progress.lesson is None or progress.page is None:
            return Content("")
        number = progress.next_step
        lesson = (f"{progress.lesson.number} ", "bold $primary")
        if number is None:
            return Content.assemble(lesson, ("✓ ", "bold $success"), words.DONE[progress.language])
        judged = progress.measurements.judge_step(progress.lesson.steps[number])
        values = "  ".join(self._value(one) for one in judged)
        step_width = max(10, self.content_size.width - cell_len(values) - 8)
        step = shortened(f"{number + 1}. {progress.page.steps[number]}", step_width)
        return Content.assemble(lesson, "☐ ", code_drawn(step), "  ", (values, MUTED))
