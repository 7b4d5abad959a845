"""The list of lessons, which also chooses their language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Static

from rnnplay.common.terminal_text import sanitize_line
from rnnplay.lessons.languages import LANGUAGES, NAMES, Language, can_show
from rnnplay.lessons.own import own_lessons, shown_in_one_language
from rnnplay.lessons.reader import lessons, page
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.textual_patches.output import terminal_encoding
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.row_table import RowTable
from rnnplay.tui.widgets.visible import shortened

MAX_PROBLEMS = 3
"""Lessons of the user's own that cannot be read, shown below the list."""

WORDS: dict[Language, tuple[str, str, str, str]] = {
    "en": ("Lessons", "done", "minutes", "{Lessons.open} opens a lesson beside the charts; its steps tick themselves."),
    "zh": ("课程", "完成", "分钟", "按 {lessons.open} 在图表旁打开一课；每一步会自己打勾。"),
}


class LessonTable(RowTable):
    """The table of lessons; its Enter binding appears in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Open", id="lessons.open")]


class LessonsScreen(Screen[str | None]):
    """Chooses a lesson; the result is its name, or None."""

    DEFAULT_CSS = """
    LessonsScreen { background: $background; }
    LessonsScreen > Vertical {
        height: 1fr; border: round $primary; border-title-color: $primary; margin: 1 2; padding: 0 1;
    }
    LessonsScreen DataTable {
        height: 1fr; background: $background;
        & > .datatable--header { background: $surface; color: $text-muted; text-style: none; }
        &:focus > .datatable--cursor { background: $primary 25%; color: $foreground; text-style: none; }
    }
    LessonsScreen #note { height: auto; color: $text-muted; }
    """
    HELP = words.LIST_HELP["en"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "language", "中文/English", id="lessons.language"),
        Binding("escape", "cancel", "Back", id="everywhere.back"),
        *HELP_KEYS,
    ]

    @dataclass
    class LanguageChosen(Message):
        """The user chose another language for the lessons."""

        language: Language

    def __init__(self, progress: LessonProgress) -> None:
        super().__init__()
        self._progress = progress
        own, self._problems = own_lessons(progress.controller.workspace.lessons)
        self._lessons = (*lessons(), *own)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LessonTable()
            yield Static("", id="note", markup=False)
        yield KeyRow()

    def on_mount(self) -> None:
        self._show(row=self._first_open())
        self.query_one(DataTable).focus()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The bindings for the footer, in the chosen language."""
        return words.footer_in(super().active_bindings, self._progress.language)

    def _first_open(self) -> int:
        """The row of the current lesson, or else of the first unfinished one."""
        found = self._lessons
        if self._progress.lesson is not None:
            name = self._progress.lesson.name
            return next((at for at, one in enumerate(found) if one.name == name), 0)
        return next((at for at, one in enumerate(found) if not self._progress.ticks.is_complete(one)), 0)

    def _show(self, row: int) -> None:
        language = self._progress.language
        setattr(self, "HELP", words.LIST_HELP[language])  # noqa: B010 (Textual's is of the class)
        title, done, minutes, note = WORDS[language]
        self.query_one(Vertical).border_title = title
        table = self.query_one(DataTable)
        table.clear(columns=True)
        number_width = max(len(str(lesson.number)) for lesson in self._lessons)
        # Cells on both sides of four columns, the frame, its margin and a scrollbar.
        title_width = self.app.size.width - 17 - number_width - cell_len(done) - cell_len(minutes)
        table.add_column("", width=number_width)
        chosen = self._progress.chosen_language
        titles = [page(shown_in_one_language(lesson, chosen), language).title for lesson in self._lessons]
        title_width = min(title_width, max(map(cell_len, titles)))
        table.add_column(title, width=title_width)
        table.add_columns(done, minutes)
        for lesson, full in zip(self._lessons, titles, strict=True):
            ticked = len(self._progress.ticks.done(lesson))
            mark = "✓" if ticked == len(lesson.steps) else str(lesson.number)
            cells = (
                mark,
                shortened(full, title_width),
                f"{ticked}/{len(lesson.steps)}",
                f"{lesson.minutes:g}",
            )
            table.add_row(*map(Text, cells), key=lesson.name)
        table.move_cursor(row=row)
        wrong = "".join(f"\n{sanitize_line(str(problem))}" for problem in self._problems[:MAX_PROBLEMS])
        self.query_one("#note", Static).update(fill_keys(note) + wrong)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.dismiss(event.row_key.value)

    def action_language(self) -> None:
        """Switches to the next language."""
        encoding = terminal_encoding()
        at = LANGUAGES.index(self._progress.language)
        following = LANGUAGES[(at + 1) % len(LANGUAGES)]
        if not can_show(encoding, following):
            self.notify(f"The encoding here is {encoding}, which lacks the lessons' Chinese characters.", timeout=4)
            return
        self._progress.language = self._progress.chosen_language = following
        self.post_message(self.LanguageChosen(self._progress.language))
        self.notify(NAMES[self._progress.language], timeout=2)
        self.refresh_bindings()
        self._show(self.query_one(DataTable).cursor_row)

    def action_cancel(self) -> None:
        self.dismiss(None)
