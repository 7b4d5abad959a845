"""A text editor that shows the model's continuation after the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Selection

from rnnplay.inspection.results import WordCandidate
from rnnplay.tui.heatmap.shades import shade_styles
from rnnplay.tui.keymap import key_name
from rnnplay.tui.prompt.ghost_input import runs
from rnnplay.tui.prompt.suggestions import Suggestions
from rnnplay.tui.textual_patches.text_lines import end_lines_at_newlines
from rnnplay.tui.textual_patches.wrapped_rows import wrap_long_lines, wrapped_row
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.tui.writing.surprise import Reading, Readings

UNDERLINED_FROM = 5
"""Tokens of this shade and more are underlined, so that they stand out without colours, too."""


class GhostArea(TextArea):
    """A text of many lines; the ghost stands at the end of the cursor's line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"ghost-area--shade"}
    DEFAULT_CSS = """
    GhostArea {
        border: none; padding: 0 1; background: transparent; scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-area--cursor-line { background: transparent; }
        & .text-area--suggestion { color: $text-disabled; text-style: italic; }
        & .ghost-area--shade { color: $warning; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", "Take", show=False, id="scratchpad.take"),
        Binding("ctrl+right", "accept_word", "Take a word", show=False, id="scratchpad.take-word"),
        Binding("alt+down,ctrl+down", "walk(1)", "Next word", show=False, id="scratchpad.next-word"),
        Binding("alt+up,ctrl+up", "walk(-1)", "Word before", show=False, id="scratchpad.word-before"),
        *(
            Binding(f"alt+{number}", f"accept_number({number})", show=False, id=f"scratchpad.take-{number}")
            for number in range(1, 6)
        ),
        # TextArea has no keys for these.
        Binding("ctrl+home", "text_end(False)", "To the beginning", show=False, id="scratchpad.beginning"),
        Binding("ctrl+end", "text_end(True)", "To the end", show=False, id="scratchpad.end"),
        *(
            Binding(
                f"ctrl+shift+{key}", f"text_end({last}, True)", f"Select {where}", show=False, id=f"scratchpad.{id}"
            )
            for key, last, where, id in (  # noqa: A001
                ("home", False, "to the beginning", "select-to-beginning"),
                ("end", True, "to the end", "select-to-end"),
            )
        ),
        Binding("alt+a", "select_all", "Select all", show=False, id="scratchpad.select-all"),
        # What the playground's function keys do is done from here, too.
        Binding("f6", "app.at_playground('switch_clip')", "Clip", show=False, id="everywhere.clip"),
        Binding(
            "f7", "app.at_playground('move_threshold', -1)", "Threshold", show=False, id="everywhere.threshold-down"
        ),
    ]
    HELP = """
    ## The scratchpad

    Your own text; the model suggests how it goes on. Below are the most probable words with their probabilities.

    - `{scratchpad.take}` takes the suggestion, `{scratchpad.take-word}` a word of it, `→` a character
    - `{scratchpad.next-word}` `{scratchpad.word-before}` choose among the words, each of which leads on to a phrase;
      `{scratchpad.take-1}` to `{scratchpad.take-5}` take one
    - `{everywhere.completion}`: what is suggested, and whether the model adapts to your text
    - `{scratchpad.samples}` draws samples that continue the text at the cursor, side by side
    - `{scratchpad.surprisal}` shades each token by its surprisal, -ln of the probability that it had, and underlines
      the most surprising. With the cursor on one, its probability and the alternatives are below:
      `{scratchpad.next-word}` and `enter`, or `{scratchpad.take-1}` to `{scratchpad.take-5}`, put one in its place and
      draw samples from there
    - `{scratchpad.written}` lists the samples that were drawn from this run; `{written.take}` inserts one
    - `{scratchpad.save}` saves to a file, `{scratchpad.open}` opens one; `{everywhere.back}` goes back, and the
      text stays
    - `{scratchpad.other-text}` goes to the text of an rnnplay that was open beside this one
    - `ctrl+z` undoes, `ctrl+y` redoes. To suspend rnnplay: `{everywhere.back}` first, then `{everywhere.suspend}`
    - `{scratchpad.beginning}` `{scratchpad.end}` go to the beginning and the end of the text;
      `{scratchpad.select-to-beginning}` `{scratchpad.select-to-end}` select up to there
    - `ctrl+c` `ctrl+x` `ctrl+v` copy, cut and paste; `{scratchpad.select-all}` selects all

    What was not saved is kept in the workspace, also if the terminal goes away.
    """

    @dataclass
    class Suggested(Message):
        """The suggestions may have changed."""

    @dataclass
    class Moved(Message):
        """The text before the cursor has changed."""

    @dataclass
    class Replaced(Message):
        """The user put an alternative in the place of a token."""

    def __init__(self, text: str, *, id: str | None = None) -> None:  # noqa: A002
        self.suggestions = Suggestions()
        self.before = ""
        """The text before the cursor."""
        self._readings = Readings()
        self._line_starts: list[int] = []
        """The number of characters before each line, where there are readings."""
        self._alternative: int | None = None
        """The index of the alternative chosen for the token under the cursor."""
        self._taken_to: tuple[int, int] | None = None
        """Where a suggestion that was just taken ends in a space, so that typing one adds no second."""
        wrap_long_lines()
        end_lines_at_newlines()
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

    # --- tokens and their surprisal -------------------------------------------------------------------------

    def show_readings(self, readings: Readings) -> None:
        """Shades the tokens of `readings`, until the text is changed."""
        self._readings, self._alternative = readings, None
        lines = self.document.lines if readings else []
        self._line_starts = [0]
        for line in lines:
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)
        self.refresh()
        self.post_message(self.Suggested())

    @property
    def reading(self) -> Reading | None:
        """The token under the cursor; None at the end of a line, where the text goes on."""
        row, column = self.cursor_location
        if not self._readings or self.at_line_end:
            return None
        return self._readings.at(self._line_starts[row] + column)

    @property
    def alternatives(self) -> list[WordCandidate]:
        """What the model expected in the place of the token under the cursor."""
        reading = self.reading
        return reading.alternatives if reading is not None else []

    @property
    def alternative(self) -> int | None:
        """The index of the chosen one of `alternatives`; None if none is."""
        return self._alternative

    def visible_part(self) -> tuple[int, int]:
        """The characters that are on the screen: their beginning and end in the text."""
        lines, y = self.document.lines, int(self.scroll_offset.y)
        top, bottom = (wrapped_row(self.wrapped_document, at) for at in (y, y + self.size.height - 1))
        first, start = (top.line, top.start) if top is not None else (0, 0)
        last, end = (bottom.line, bottom.end) if bottom is not None else (len(lines) - 1, len(lines[-1]))
        before = sum(map(len, lines[:first])) + first
        return before + start, before + sum(map(len, lines[first:last])) + last - first + end

    def _replace_token(self, number: int) -> None:
        reading, alternatives = self.reading, self.alternatives
        if reading is None or number >= len(alternatives):
            return
        row, _ = self.cursor_location
        line = self.document[row]
        start = max(0, reading.start - self._line_starts[row])
        end = min(reading.end - self._line_starts[row], len(line))
        start, text = reading.replaced(line, start, end, alternatives[number].text)
        self.replace(text, (row, start), (row, end), maintain_selection_offset=False)
        self.post_message(self.Replaced())

    async def _on_key(self, event: events.Key) -> None:
        taken_to, self._taken_to = self._taken_to, None
        if event.key == "enter" and self._alternative is not None and self.reading is not None:
            event.stop()
            event.prevent_default()
            self._replace_token(self._alternative)
        elif event.key == "space" and self.selection == Selection(taken_to or (-1, -1), taken_to or (-1, -1)):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)

    # --- drawing --------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        # TextArea would style and divide the whole paragraph for each of its rows.
        width, base = self.scrollable_content_region.width, self.rich_style
        wrapped = self.wrapped_document
        if (shown := wrapped_row(wrapped, int(self.scroll_offset.y) + y)) is None:
            return Strip.blank(width, base)
        row, start, end = shown
        line = self.document[row]
        styles = self._styles(row, start, end)
        text, tabs = line[start:end], iter(wrapped.get_tab_widths(row)[line.count("\t", 0, start) :])
        parts = [(" " * next(tabs, 1) if part == "\t" else part, style) for part, style in runs(text, styles)]
        if end == len(line):
            ghost = self.suggestion if self.has_focus and self.cursor_location == (row, end) else ""
            faint = self.get_component_rich_style("text-area--suggestion")
            cursor = self.get_component_rich_style("text-area--cursor")
            on_cursor = self.has_focus and self.cursor_location == (row, end)
            parts += [(ghost[:1] or " ", cursor if on_cursor else base), (ghost[1:], faint)]
        strip = Strip([Segment(part, style) for part, style in parts if part])
        return strip.crop_extend(0, width, base).apply_style(base)

    def _styles(self, row: int, start: int, end: int) -> list[Style]:
        """The style of each character `start` to `end` of a line, a new object where a tab stands."""
        base = self.rich_style
        styles = [base] * (end - start)
        if self._readings and row < len(self._line_starts):
            shades, offset = shade_styles(self, "ghost-area--shade"), self._line_starts[row] + start
            for one in self._readings.between(offset, offset + end - start):
                style = shades[one.level] + Style(underline=True) if one.level >= UNDERLINED_FROM else shades[one.level]
                for at in range(max(one.start - offset, 0), min(one.end - offset, len(styles))):
                    styles[at] = style
        if not self.selection.is_empty:
            (first_row, first), (last_row, last) = sorted(self.selection)
            if first_row <= row <= last_row:
                low = max((first if row == first_row else 0) - start, 0)
                high = min((last if row == last_row else end) - start, len(styles))
                selected = self.get_component_rich_style("text-area--selection")
                styles[low:high] = [selected] * max(0, high - low)
        line = self.document[row]
        for at in range(len(styles)):
            if line[start + at] == "\t":
                styles[at] = styles[at].copy()
        cursor_row, column = self.cursor_location
        if self.has_focus and cursor_row == row and start <= column < end:
            styles[column - start] = self.get_component_rich_style("text-area--cursor").copy()
        return styles

    # --- suggestions ----------------------------------------------------------------------------------------

    def update_suggestion(self) -> None:
        """Fits the suggestions to the text before the cursor."""
        row, column = self.cursor_location
        lines = self.document.lines
        before = "\n".join([*lines[:row], lines[row][:column]])
        self._alternative = None
        if before != self.before:
            self.before = before
            self.suggestions.type(before)
            self.post_message(self.Moved())
        self.show_suggestions()

    def show_suggestions(self) -> None:
        """Shows what is suggested now."""
        self.suggestion = visible_line(self.suggestions.ghost) if self.at_line_end else ""
        self.post_message(self.Suggested())

    def _on_resize(self) -> None:
        self.call_after_refresh(self.scroll_cursor_visible)  # as when samples are shown under the text

    @on(TextArea.SelectionChanged)
    def _cursor_moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self.update_suggestion()

    def edit(self, edit: Edit) -> EditResult:
        result = super().edit(edit)
        # TextArea scrolls to the cursor before it knows of a row that the change has added.
        self.scroll_cursor_visible()
        return result

    def _take(self, text: str) -> None:
        self.insert(text)
        self._taken_to = self.cursor_location if text.endswith(" ") else None

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
        if self.reading is not None:
            self._replace_token(number - 1)
        elif self.selection.is_empty and self.suggestions.choose(number - 1):
            self._take(self.suggestions.words[number - 1].text)

    def action_walk(self, direction: int) -> None:
        """Suggests the next word or the one before; on a token, chooses among the alternatives."""
        if count := len(self.alternatives):
            at = -1 if self._alternative is None else self._alternative
            self._alternative = min(max(at + direction, 0), count - 1)
            self.post_message(self.Suggested())
        elif self.at_line_end and self.suggestions.walk(direction):
            self.show_suggestions()

    def action_cursor_right(self, select: bool = False) -> None:
        if self.ghost and not select:
            self._take(self.ghost[0])
        else:
            self.suggestion = ""  # TextArea would take it
            super().action_cursor_right(select)

    def action_text_end(self, last: bool, select: bool = False) -> None:
        """Goes to the end of the text if `last`, else to its beginning."""
        self.move_cursor(self.document.end if last else (0, 0), select=select)

    def action_undo(self) -> None:
        if not self.history.undo_stack:
            self.notify(
                f"There is nothing to undo. "
                f"To suspend rnnplay, press {key_name('everywhere.back')}, then {key_name('everywhere.suspend')}.",
                markup=False,
            )
        super().action_undo()
