"""A lesson's page beside the live views: text, equation, variants to train, steps that tick, and a question."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Collapsible, Markdown, Static

from rnnplay.lessons.lesson import Lesson
from rnnplay.lessons.measurements import condition_text
from rnnplay.lessons.wrapping import broken, narrowed, wrapped
from rnnplay.tui.keymap import KEYS, fill_keys
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.theme import BROAD, NARROW
from rnnplay.tui.widgets.visible import FAINT, MUTED, code_drawn

VIEW_KEYS = {
    "gradients": "{playground.inspect} {inspection.view-1}",
    "predictions": "{playground.inspect} {inspection.view-2}",
    "gates": "{playground.inspect} {inspection.view-3}",
    "what if": "{playground.inspect} {inspection.view-4}",
    "clipping": "{playground.inspect} {inspection.view-6}",
    "distances": "{playground.inspect} {inspection.view-7}",
    "timestep": "{playground.inspect} {inspection.view-8}",
}
"""Keys that open the view of a step from the playground."""


class LessonPane(VerticalScroll):
    """The page of the current lesson. `refresh_steps` updates the steps."""

    DEFAULT_CSS = """
    LessonPane {
        width: 52; height: 1fr; border: round $primary; border-title-color: $primary; padding: 0 1;
        scrollbar-size-vertical: 1; scrollbar-background: $background; scrollbar-color: $border-blurred;
        border-subtitle-color: $text-muted;
    }
    LessonPane Markdown { margin: 0; padding: 0; }
    LessonPane MarkdownH2 { margin: 1 0 0 0; }
    LessonPane MarkdownFence { margin: 0; max-height: 100; }
    LessonPane Button { width: 100%; margin: 0 0 1 0; background: $panel; color: $foreground; text-align: left; }
    LessonPane Button.wanted { background: $primary 30%; }
    LessonPane Button:focus { background: $accent; color: $background; }
    LessonPane .keys { height: auto; margin-bottom: 1; color: $foreground 65%; }
    LessonPane .step { height: auto; margin-bottom: 1; }
    LessonPane Collapsible { background: $background; border: none; padding: 0; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Charts", id="everywhere.back")]
    HELP = words.LESSON_HELP["en"]

    @dataclass
    class VariantWanted(Message):
        """The user wants to train `variant` of the lesson."""

        variant: str

    class Left(Message):
        """The user wants to see the charts, where only one of both fits."""

    def __init__(self, progress: LessonProgress, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        assert progress.lesson is not None
        assert progress.page is not None
        self._progress = progress
        self._lesson: Lesson = progress.lesson
        self._page = progress.page
        self._shown: list[Content | None] = [None] * len(self._lesson.steps)
        self._texts: list[tuple[Markdown, Callable[[int], str]]] = []
        """The Markdown widgets, each with a function from the width to its text."""
        self._wrapped_to = self._text_width()
        self._title = f"{self._lesson.number}. {self._page.title}"
        setattr(self, "HELP", words.LESSON_HELP[progress.language])  # noqa: B010 (Textual's is of the class)

    def compose(self) -> ComposeResult:
        page, lesson = self._page, self._lesson
        headings = re.findall(r"^## (.*)$", page.markdown, flags=re.MULTILINE)
        self._set_title()
        self.border_subtitle = fill_keys(words.LESSON_KEYS[self._progress.language])
        yield self._markdown(
            lambda columns: (
                f"{'' if self._title_fits(columns) else f'# {page.title}'}\n\n{page.text}\n\n## {headings[0]}\n\n"
                f"{narrowed(page.equation, columns - 4)}\n\n## {headings[1]}"
            )
        )
        for variant in lesson.variants:
            yield Button(
                f"▶ {lesson.title_of(variant, self._progress.language)}", id=f"variant-{variant}", compact=True
            )
        yield Static(fill_keys(words.KEYS[self._progress.language]), classes="keys", markup=False)
        for _ in lesson.steps:
            yield Static("", classes="step", markup=False)
        question = f"## {headings[2]}\n\n{page.watch}\n\n## {headings[3]}\n\n{page.question}"
        yield self._markdown(lambda _: question, "question")
        with Collapsible(title=fill_keys(words.ANSWER[self._progress.language]), collapsed=True):
            yield self._markdown(lambda _: page.answer)
        yield self._markdown(lambda _: f"## {headings[5]}\n\n{page.change}")

    def on_mount(self) -> None:
        self.refresh_steps()

    def on_resize(self) -> None:
        if (columns := self._text_width()) != self._wrapped_to:
            self._wrapped_to = columns
            self._set_title()
            for widget, text in self._texts:
                widget.update(wrapped(text(columns), columns))
            self.refresh_steps()

    def _title_fits(self, columns: int) -> bool:
        """Whether the frame has width for the title, which otherwise stands at the head of the page."""
        return cell_len(self._title) < columns

    def _set_title(self) -> None:
        number = words.NUMBER[self._progress.language].format(self._lesson.number)
        self.border_title = self._title if self._title_fits(self._text_width()) else number

    def refresh_steps(self) -> None:
        """Updates the ticks and measurements."""
        running, wanted = self._progress.controller.running, self._progress.next_variant
        for button in self.query(Button):
            button.disabled = running
            variant = (button.id or "").removeprefix("variant-")
            button.set_class(variant == wanted, "wanted")
            key = KEYS.train if variant == wanted else words.BUTTON_KEYS[self._progress.language]
            label = self._row(self._lesson.title_of(variant, self._progress.language), key)
            if str(button.label) != label:
                button.label = label
        for number, step in enumerate(self.query(".step").results(Static)):
            content = self._step(number)
            if self._shown[number] is None or content.markup != self._shown[number].markup:  # type: ignore[union-attr]
                self._shown[number] = content
                step.update(content)

    def switch_answer(self) -> None:
        """Shows or hides the answer, and scrolls to it."""
        answer = self.query_one(Collapsible)
        answer.collapsed = not answer.collapsed
        if not answer.collapsed:
            self.call_after_refresh(answer.scroll_visible, animate=False)

    def go_on_from(self, step: int) -> None:
        """Scrolls to the step after `step`, unless the user reads elsewhere on the page."""
        steps = list(self.query(".step").results(Static))
        if self.region.overlaps(steps[step].region):
            self.follow()

    def follow(self) -> None:
        """Scrolls to the next step, or to the question after the last step."""
        at = self._progress.next_step
        target = self.query(".step").results(Static) if at is not None else self.query(".question").results(Markdown)
        list(target)[at or 0].scroll_visible(animate=False)

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.VariantWanted((event.button.id or "").removeprefix("variant-")))

    def _step(self, number: int) -> Content:
        progress, lesson = self._progress, self._lesson
        done = number in progress.ticks.done(lesson)
        step = lesson.steps[number]
        place = f" [{fill_keys(VIEW_KEYS[step.view])}]" if step.view in VIEW_KEYS else ""
        mark = ("✓ ", "bold $success") if done else ("☐ ", "bold $primary")
        text = "$foreground" if done or number == progress.next_step else MUTED
        columns = self._text_width()
        step_text = broken(f"{mark[0]}{number + 1}. {self._page.steps[number]}", columns).removeprefix(mark[0])
        if "\n" in step_text and cell_len(step_text.rpartition("\n")[2] + place) > columns:
            place = "\n" + place.lstrip()  # so that no line breaks within the brackets
        parts: list[Content | tuple[str, str]] = [mark, code_drawn(step_text, text)]
        parts.append((place, "$accent"))
        for judged in progress.measurements.judge_step(step):
            sign = ("✓", "$success") if judged.holds else ("·", MUTED)
            asked = condition_text(judged.condition, lesson, progress.language)
            label = broken(f"  · {asked}:", columns).removeprefix("  ·")
            parts += [("\n  ", ""), sign, (f"{label} ", FAINT), (progress.value_text(judged), "bold $foreground")]
        return Content.assemble(*parts)

    def _row(self, title: str, key: str) -> str:
        """Returns a button's label: its title on the left, its key on the right."""
        return f"▶ {title}" + " " * max(2, self._text_width() - 4 - cell_len(title) - cell_len(key)) + key

    def _markdown(self, text: Callable[[int], str], classes: str | None = None) -> Markdown:
        widget = Markdown(wrapped(text(self._text_width()), self._text_width()), open_links=False, classes=classes)
        self._texts.append((widget, text))
        return widget

    def _text_width(self) -> int:
        width = self.app.size.width
        return (64 if width >= BROAD else 52 if width >= NARROW else width) - 5
