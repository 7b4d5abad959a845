"""Text on the screen: rows that are repainted singly, messages of a few rows, and code in toasts."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message_pump import MessagePump
from textual.strip import Strip
from textual.visual import VisualType
from textual.widget import Widget
from textual.widgets import Static
from textual.widgets._toast import Toast

from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.widgets.visible import code_drawn, shortened

_render_toast = Toast.render


def translation_of(widget: MessagePump) -> Callable[[str], str]:
    """Returns what translates a text into the language of the lesson that is open, in an app that has lessons."""
    found: Callable[[str], str] = getattr(getattr(widget.app, "lesson_progress", None), "translated", str)
    return found


def rows_in_language(widget: MessagePump, rows: list[Content], styles: Collection[str]) -> list[Content]:
    """Returns `rows` in the language of the lesson that is open; only the pieces in one of `styles` are words.

    What stands between two or more spaces is translated by itself; columns stay where they are if there is room.
    """
    translated = translation_of(widget)
    if translated("Help") == "Help":  # no lesson, or one in English: nothing is taken apart
        return rows
    return [_row_in(row, translated, styles) for row in rows]


def _row_in(row: Content, translated: Callable[[str], str], styles: Collection[str]) -> Content:
    pieces: list[tuple[str, str]] = []
    cuts = sorted({0, len(row.plain)} | {at for span in row.spans for at in (span.start, span.end)})
    for start, end in pairwise(cuts):
        text = row.plain[start:end]
        style = next((str(span.style) for span in row.spans if span.start <= start and end <= span.end), "")
        if style in styles:
            text = "".join(_padded_alike(part, translated) for part in re.split(r"(?<=  )(?=\S)", text))
        pieces.append((text, style))
    return Content.assemble(*pieces)


def _padded_alike(part: str, translated: Callable[[str], str]) -> str:
    """Translates a part of a row; the spaces after it make up for another width."""
    words = part.strip()
    if not words or (said := translated(words)) == words:
        return part
    before, _, after = part.partition(words)
    gap = max(len(after) + cell_len(words) - cell_len(said), min(len(after), 2))
    return f"{before}{said}{' ' * gap}" if after else before + said


def refresh_rows(widget: Widget, former: Sequence[Strip], rows: Sequence[Strip]) -> None:
    """Repaints the rows of `widget` that differ from the `former` ones; all of it if their number has changed."""
    if len(former) != len(rows):
        widget.refresh()
        return
    width = widget.size.width
    pairs = enumerate(zip(former, rows, strict=True))
    if changed := [Region(0, y, width, 1) for y, (was, now) in pairs if was != now]:
        widget.refresh(*changed)


class Lines(Widget):
    """Shows one `Content` per row, and cuts off what does not fit."""

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.rows: list[Content] = []

    def show(self, rows: Sequence[Content]) -> None:
        """Replaces the rows."""
        former, self.rows = self.rows, list(rows)
        if len(former) != len(self.rows):
            self.refresh(layout=self.styles.is_auto_height)
            return
        width = self.content_size.width
        changed = [y for y, (was, now) in enumerate(zip(former, self.rows, strict=True)) if not was.is_same(now)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def text(self) -> list[str]:
        """Returns the rows without styles."""
        return [row.plain for row in self.rows]

    def render(self) -> Content:
        return Content("\n").join(self.rows)


class FieldScroll(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls to the field that has the focus. ↑ and ↓ are left to whatever moves the focus.

    Textual's own container takes them to scroll as soon as it is too low for all fields, and the focus stays.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "Scroll up", show=False, id="everywhere.scroll-up"),
        Binding("pagedown", "page_down", "Scroll down", show=False, id="everywhere.scroll-down"),
    ]


class BoundedText(Static):
    """Plain text in a limited number of rows; Textual would cut it at `max-height` without an ellipsis."""

    DEFAULT_CSS = """
    BoundedText { height: auto; }
    """

    def __init__(self, text: str = "", *, rows: int, id: str | None = None) -> None:  # noqa: A002
        super().__init__(text, id=id, markup=False)
        self.rows = rows
        """The largest number of rows, from the next text on."""
        self._whole = text

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Replaces the text by `content`, which is plain text."""
        self._whole = str(content)
        text = code_drawn(fitted(self._whole, self.content_size.width, self.rows))
        if text.plain != str(self.content):
            super().update(text, layout=layout)

    def on_resize(self) -> None:
        text = code_drawn(fitted(self._whole, self.content_size.width, self.rows))
        if text.plain != str(self.content):
            super().update(text)


class Banner(BoundedText):
    """A message that is hidden while empty."""

    DEFAULT_CSS = """
    Banner { display: none; }
    Banner.shown { display: block; }
    """

    def say(self, text: str) -> None:
        """Shows `text`, with keys in place of their ids in braces; "" hides the message."""
        self.update(fill_keys(text))
        self.set_class(bool(text), "shown")


def fitted(text: str, width: int, rows: int) -> str:
    """Returns `text`, shortened with … if it does not wrap to `rows` rows of `width` cells."""
    if not width or width * rows >= 2 * cell_len(text) or len(lines := wrap(text, width)) <= rows:
        return text
    kept = lines[:rows]
    kept[-1] = shortened(f"{kept[-1]} {lines[rows]}", width)
    return " ".join(kept)


def draw_code_in_toasts() -> None:
    """Makes toasts draw quoted commands and knob names in colour; may be called more than once.

    Tested with Textual 8, whose toasts render the notification's text themselves and offer no hook.
    """
    Toast.render = _render_with_code  # type: ignore[method-assign, assignment]


def _render_with_code(toast: Toast) -> Content:
    drawn = _render_toast(toast)
    message = toast._notification.message
    if toast._notification.markup or "`" not in message:
        return drawn
    head = drawn.plain[: len(drawn.plain) - len(message)]
    return Content.assemble(drawn[: len(head)], code_drawn(message))
