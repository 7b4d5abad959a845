"""A text editor that shows the model's continuation after the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from rnnplay.tui.prompt.suggestions import Suggestions
from rnnplay.tui.widgets.visible import visible_line


class GhostArea(TextArea):
    """A text of many lines; the ghost stands at the end of the cursor's line."""

    DEFAULT_CSS = """
    GhostArea {
        border: none; padding: 0 1; background: transparent; scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-area--cursor-line { background: transparent; }
        & .text-area--suggestion { color: $text-disabled; text-style: italic; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", "Take", show=False),
        Binding("ctrl+right", "accept_word", "Take a word", show=False),
        Binding("alt+down,ctrl+down", "walk(1)", "Next word", show=False),
        Binding("alt+up,ctrl+up", "walk(-1)", "Word before", show=False),
        *(Binding(f"alt+{number}", f"accept_number({number})", show=False) for number in range(1, 6)),
        Binding("alt+a", "select_all", "Select all", show=False),
        # What the playground's function keys do is done from here, too.
        Binding("f6", "app.at_playground('switch_clip')", "Clip", show=False),
        Binding("f7", "app.at_playground('move_threshold', -1)", "Threshold", show=False),
    ]
    HELP = """
    ## The scratchpad

    Your own text; the model suggests how it goes on. Below are the most probable words with their probabilities.

    - `Tab` takes the suggestion, `Ctrl+→` a word of it, `→` a character
    - `Alt+↓` `Alt+↑` choose among the words; `Alt+1` to `Alt+5` take one
    - `Ctrl+G` draws samples that continue the text at the cursor, side by side
    - `Ctrl+S` saves to a file, `Ctrl+O` opens one; `Escape` goes back, and the text stays
    - `Ctrl+Z` undoes, `Ctrl+Y` redoes. To suspend rnnplay: `Escape` first, then `Ctrl+Z`
    - `Ctrl+C` `Ctrl+X` `Ctrl+V` copy, cut and paste; `Alt+A` selects all

    What was not saved is kept in the workspace, also if the terminal goes away.
    """

    @dataclass
    class Suggested(Message):
        """The suggestions may have changed."""

    @dataclass
    class Moved(Message):
        """The text before the cursor has changed."""

    def __init__(self, text: str, *, id: str | None = None) -> None:  # noqa: A002
        self.suggestions = Suggestions()
        self.before = ""
        """The text before the cursor."""
        super().__init__(text, soft_wrap=True, show_line_numbers=False, id=id, highlight_cursor_line=False)
        self.cursor_blink = False
        self.match_cursor_bracket = False

    @property
    def content(self) -> str:
        """The whole text, its lines ended by newlines."""
        return "\n".join(self.document.lines)

    @property
    def at_line_end(self) -> bool:
        """Whether a suggestion can be shown: the cursor is at the end of a line, and nothing is selected."""
        row, column = self.cursor_location
        return self.selection.is_empty and column == len(self.document[row])

    def find_matching_bracket(self, bracket: str, search_from: tuple[int, int]) -> tuple[int, int] | None:  # noqa: ARG002
        """Returns None: searching a long text for it would take longer than a key may."""
        return None

    # --- suggestions ----------------------------------------------------------------------------------------

    def update_suggestion(self) -> None:
        """Fits the suggestions to the text before the cursor."""
        row, column = self.cursor_location
        lines = self.document.lines
        before = "\n".join([*lines[:row], lines[row][:column]])
        if before != self.before:
            self.before = before
            self.suggestions.type(before)
            self.post_message(self.Moved())
        self.show_suggestions()

    def show_suggestions(self) -> None:
        """Shows what is suggested now."""
        self.suggestion = visible_line(self.suggestions.ghost) if self.at_line_end else ""
        self.post_message(self.Suggested())

    @on(TextArea.SelectionChanged)
    def _cursor_moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self.update_suggestion()

    def _take(self, text: str) -> None:
        self.insert(text)
        self.scroll_cursor_visible()

    @property
    def ghost(self) -> str:
        """The rest of the suggestion that is shown; "" for none."""
        return self.suggestions.ghost if self.suggestion else ""

    def action_accept(self) -> None:
        """Takes the suggestion; without one, Tab does nothing, as it may be on its way."""
        if self.ghost:
            self._take(self.ghost)

    def action_accept_word(self) -> None:
        """Takes the next word of the suggestion; without one, moves to the next word."""
        if self.ghost:
            self._take(self.suggestions.piece())
        else:
            self.action_cursor_word_right()

    def action_accept_number(self, number: int) -> None:
        """Takes the word of that number, counted from 1."""
        if self.selection.is_empty and self.suggestions.choose(number - 1):
            self._take(self.suggestions.words[number - 1].text)

    def action_walk(self, direction: int) -> None:
        """Suggests the next word or the one before."""
        if self.at_line_end and self.suggestions.walk(direction):
            self.show_suggestions()

    def action_cursor_right(self, select: bool = False) -> None:
        if self.ghost and not select:
            self._take(self.ghost[0])
        else:
            self.suggestion = ""  # TextArea would take it
            super().action_cursor_right(select)

    def action_undo(self) -> None:
        if not self.history.undo_stack:
            self.notify("There is nothing to undo. To suspend rnnplay, press escape, then ctrl+z.", markup=False)
        super().action_undo()
