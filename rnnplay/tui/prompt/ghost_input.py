"""A one-line input that shows the model's continuation after the cursor; Tab takes it, → a character of it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Region, clamp
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Input
from textual.widgets.input import Selection

from rnnplay.engine.messages import Completion
from rnnplay.tui.prompt.suggestions import Suggestions
from rnnplay.tui.widgets.visible import shortened, visible_line

MOST_CHARACTERS = 100_000
"""A pasted text is cut to its last characters; the model reads only the end of a long text."""

WIDTH_STEP = 256

FOLLOW_SECONDS = 5.0
"""Time since the last key after which the ghost follows the weights that training changes."""


class GhostInput(Input):
    """`value` is the text as the model reads it, including newlines and tabs, which are shown as ⏎ and ⇥."""

    DEFAULT_CSS = """
    GhostInput {
        height: 1; width: 1fr; border: none; padding: 0; background: transparent; color: $foreground;
        &:focus { border: none; background-tint: transparent; }
        & > .input--suggestion { color: $text-disabled; text-style: italic; }
        & > .input--placeholder { color: $text-disabled; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", "Take the suggestion", show=False, id="prompt.take"),
        Binding("ctrl+right", "accept_word", "Take a word of it", show=False, id="prompt.take-word"),
        *(
            Binding(f"alt+{number}", f"accept_number({number})", show=False, id=f"prompt.take-{number}")
            for number in range(1, 6)
        ),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "Newline", show=False, id="prompt.newline"),
    ]
    HELP = """
    ## Prompt

    The model completes what you type. The faint text is what it suggests; below are the most probable words, each with
    its probability.

    - `{prompt.take}` takes the suggestion, `{prompt.take-word}` a word of it, `→` a character
    - `{prompt.down}` `{prompt.up}` choose among the words; `{prompt.take-1}` to `{prompt.take-5}` take one
    - `enter` writes a sample from here; `{everywhere.back}` ends it
    - `{prompt.up}` at the first word brings back earlier prompts, `{prompt.down}` later ones
    - `{prompt.newline}` puts in a newline, shown as ⏎
    - `{prompt.copy}` copies the last sample
    - `{prompt.down}` after the last word goes to the settings of the sample, `{prompt.up}` comes back
    """

    @dataclass
    class Suggested(Message):
        """The suggestions may have changed."""

    ghost = reactive("", init=False)
    """The rest of the suggestion, shown while the cursor is at the end."""

    def __init__(self, placeholder: str, *, id: str | None = None) -> None:  # noqa: A002
        self.suggestions = Suggestions(FOLLOW_SECONDS)
        self._measured = ""
        self._cells = [0]
        self._taken = ""
        """The text after a suggestion that ends in a space was taken, so that typing one adds no second."""
        super().__init__(placeholder=placeholder, id=id, select_on_focus=False)
        # A blinking cursor repaints twice a second, which costs traffic over SSH.
        self.cursor_blink = False

    def suggest(self, text: str, completion: Completion) -> None:
        """Shows what the model suggests after `text`, or its rest if the user has typed on."""
        self.suggestions.answer(text, completion)
        self._show_ghost()

    def forget(self) -> None:
        """Removes the suggestions."""
        self.suggestions.forget()
        self._show_ghost()

    def walk(self, direction: int) -> bool:
        """Suggests the next word or the one before; returns False if there is none."""
        if not (self.cursor_at_end and self.selection.is_empty and self.suggestions.walk(direction)):
            return False
        self._show_ghost()
        return True

    def _show_ghost(self) -> None:
        self.ghost = self.suggestions.ghost
        self.post_message(self.Suggested())

    @property
    def _ghost_shown(self) -> bool:
        return bool(self.ghost) and self.has_focus and self.cursor_at_end and self.selection.is_empty

    # --- keys -----------------------------------------------------------------------------------------------

    def _watch_value(self, value: str) -> None:
        self._measure(value)
        self.suggestions.type(value)
        self._show_ghost()
        wide = self.virtual_size.width
        super()._watch_value(value)
        if self.virtual_size.width != wide:
            # If the input scrolls before the layout knows the new width, the cursor may be out of sight.
            self.call_after_refresh(self._show_cursor)

    def _watch_selection(self, selection: Selection) -> None:
        self.suggestions.touch()
        super()._watch_selection(selection)

    def _on_focus(self, event: events.Focus) -> None:
        self.suggestions.touch()
        super()._on_focus(event)

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(self._cursor_offset, 0, 1, 1), force=True, animate=False)

    def action_accept(self) -> None:
        """Takes the suggestion; without one, Tab moves to the next widget only if the input is empty."""
        if not self._ghost_shown:
            if not self.value:
                raise SkipAction
            return
        self._append(self.ghost)

    def action_accept_word(self) -> None:
        """Takes the next word of the suggestion; without one, moves to the next word."""
        if self._ghost_shown:
            self._append(self.suggestions.piece())
        else:
            self.action_cursor_right_word()

    def action_accept_number(self, number: int) -> None:
        """Takes the word of that number, counted from 1."""
        if self.cursor_at_end and self.suggestions.choose(number - 1):
            self._append(self.suggestions.words[number - 1].text)

    def action_cursor_right(self, select: bool = False) -> None:
        if self._ghost_shown and not select:
            self._append(self.ghost[0])
        else:
            super().action_cursor_right(select)

    def _append(self, text: str) -> None:
        self.value += text
        self.cursor_position = len(self.value)
        self._taken = self.value if text.endswith(" ") else ""

    def insert_text_at_cursor(self, text: str) -> None:
        taken, self._taken = self._taken, ""
        if text != " " or self.value != taken or not self.cursor_at_end:
            super().insert_text_at_cursor(text)

    def action_newline(self) -> None:
        """Inserts a newline at the cursor."""
        self.replace("\n", *self.selection)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if event.text:
            self.replace(_pasted(event.text), *self.selection)

    def action_paste(self) -> None:
        self.replace(_pasted(self.app.clipboard), *self.selection)

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(text, start, end)
        if len(self.value) > MOST_CHARACTERS:
            cut = len(self.value) - MOST_CHARACTERS
            cursor = self.cursor_position
            self.value = self.value[cut:]
            self.cursor_position = max(0, cursor - cut)

    # --- cells: a character's visible form may be wider or narrower than itself --------------------------------

    def _measure(self, value: str) -> None:
        """Updates `_cells`, the cell at which each character begins; typing at the end costs one character."""
        old = self._measured
        if value.startswith(old):
            same = len(old)
        else:
            shorter = min(len(value), len(old))
            same = next((at for at in range(shorter) if value[at] != old[at]), shorter)
        del self._cells[same + 1 :]
        at = self._cells[-1]
        for character in visible_line(value[same:]):
            at += get_character_cell_size(character)
            self._cells.append(at)
        self._measured = value

    @property
    def content_width(self) -> int:
        # Rounded up, because each new width makes Textual lay out the whole screen.
        return (self._cells[-1] + 1) // WIDTH_STEP * WIDTH_STEP + WIDTH_STEP

    def _position_to_cell(self, position: int) -> int:
        return self._cells[clamp(position, 0, len(self._cells) - 1)]

    def _cell_offset_to_index(self, offset: int) -> int:
        return self._index_at_cell(offset + int(self.scroll_offset.x))

    def _index_at_cell(self, cell: int) -> int:
        """The index of the character drawn at `cell`, or the end."""
        return clamp(bisect_right(self._cells, max(cell, 0)) - 1, 0, len(self.value))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if y != 0:
            return Strip.blank(width, base)
        cursor_style = self.get_component_rich_style("input--cursor")
        show_cursor = self.has_focus and self._cursor_visible
        if not self.value and not self._ghost_shown:
            hint = self.get_component_rich_style("input--placeholder")
            text = shortened(self.placeholder, width) or " "
            return self._strip([(text[:1], cursor_style if show_cursor else hint), (text[1:], hint)], width)
        scroll = int(self.scroll_offset.x)
        first = self._index_at_cell(scroll)
        if self._cells[first] < scroll and first < len(self.value):
            first += 1  # half of a wide character
        indent = self._cells[first] - scroll
        # At most one character per cell is visible, apart from combining ones.
        shown = self.value[first : first + 4 * width + 4]
        styles = [base] * len(shown)
        if self.has_focus and not self.selection.is_empty:
            start, end = sorted(self.selection)
            selected = self.get_component_rich_style("input--selection")
            for index in range(max(0, start - first), min(len(shown), end - first)):
                styles[index] = selected
        cursor = self.cursor_position - first
        if show_cursor and 0 <= cursor < len(shown):
            styles[cursor] = cursor_style
        parts = [(" " * indent, base), *runs(visible_line(shown), styles)]
        if first + len(shown) >= len(self.value):
            ghost = visible_line(self.ghost) if self._ghost_shown else ""
            faint = self.get_component_rich_style("input--suggestion")
            parts.append((ghost[:1] or " ", cursor_style if show_cursor and self.cursor_at_end else faint))
            parts.append((ghost[1:], faint))
        return self._strip(parts, width)

    def _strip(self, parts: list[tuple[str, Style]], width: int) -> Strip:
        strip = Strip([Segment(text, style) for text, style in parts if text])
        return strip.crop_extend(0, width, self.rich_style).apply_style(self.rich_style)


def _pasted(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")[-MOST_CHARACTERS:]


def runs(text: str, styles: list[Style]) -> list[tuple[str, Style]]:
    """Divides `text` where the style of a character is another object than that of the one before."""
    runs: list[tuple[str, Style]] = []
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or styles[index] is not styles[start]:
            runs.append((text[start:index], styles[start]))
            start = index
    return runs
