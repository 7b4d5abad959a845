"""Samples as they stream in, wrapped, the newest at the end."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from rnnplay.tui.widgets.visible import padded, shortened, visible_text

KEPT = 8
"""Number of samples kept to scroll back to."""
PINNED_FROM = 3
"""From this height on, the header of a sample stays visible in place of the first row: it has the seed."""


@dataclass
class _Line:
    """One row on screen."""

    text: str
    prompt: int = 0
    """Number of characters at the start that are the user's, not the model's."""
    header: bool = False
    open: bool = False
    """Whether text continues here: the row was not ended by a newline."""


@dataclass
class _Sample:
    header: str
    prompt: str
    pieces: list[str] = field(default_factory=list)
    done: bool = False

    @property
    def text(self) -> str:
        return self.prompt + "".join(self.pieces)


class SampleView(ScrollView, can_focus=True):
    """The last samples. Follows the end unless the user has scrolled up."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "sample--header",
        "sample--prompt",
        "sample--text",
        "sample--hint",
        "sample--end",
    }
    DEFAULT_CSS = """
    SampleView {
        height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; background: transparent;
        scrollbar-background: $background; scrollbar-color: $border-blurred;
        & > .sample--header { color: $text-disabled; }
        & > .sample--prompt { color: $primary; text-style: bold; }
        & > .sample--text { color: $foreground; }
        & > .sample--hint { color: $text-disabled; text-style: italic; }
        & > .sample--end { color: $primary; }
        &:focus > .sample--header { color: $primary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy the sample", id="sample.copy")]
    HELP = """
    ## Samples

    What the model wrote; the prompt is in another colour. `y` copies the last one, the mouse selects, arrows scroll.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._samples: deque[_Sample] = deque(maxlen=KEPT)
        self._lines: list[_Line] = []
        self._headers: list[int] = []
        """The indices of the header rows."""
        self._width = 0
        self.hint = ""

    # --- for the pane ---------------------------------------------------------------------------------------

    @property
    def streaming(self) -> bool:
        """Whether the last sample is still being written."""
        return bool(self._samples) and not self._samples[-1].done

    @property
    def last(self) -> str:
        """The last sample so far, including its prompt; "" without one."""
        return self._samples[-1].text if self._samples else ""

    def set_hint(self, hint: str) -> None:
        """Sets the text shown while there is no sample."""
        if hint != self.hint:
            self.hint = hint
            if not self._samples:
                self.refresh()

    def start(self, prompt: str, header: str) -> None:
        """Starts a new sample."""
        self._end_last()
        dropped = len(self._samples) == KEPT
        self._samples.append(_Sample(header, prompt))
        if dropped:
            self._wrap_all()
        else:
            self._add_lines(self._samples[-1])
        self._grown(follow=True)

    def append(self, text: str, done: bool = False) -> None:
        """Adds text to the current sample; ignored without one."""
        if not self.streaming:
            return
        follow = self.is_vertical_scroll_end
        sample = self._samples[-1]
        sample.pieces.append(text)
        sample.done = done
        self._extend(text, 0)
        self._grown(follow)

    def _end_last(self) -> None:
        if self._samples:
            self._samples[-1].done = True

    # --- wrapping -------------------------------------------------------------------------------------------

    def _add_lines(self, sample: _Sample) -> None:
        self._headers.append(len(self._lines))
        self._lines.append(_Line(sample.header, header=True))
        self._lines.append(_Line("", open=True))
        self._extend(sample.prompt, len(sample.prompt))
        if sample.pieces:
            self._extend("".join(sample.pieces), 0)

    def _extend(self, text: str, prompt: int) -> None:
        """Continues the last row; `prompt` is 0 or the length of `text`.

        Only the last row is wrapped again: earlier rows do not depend on later text.
        """
        width = max(self._width, 1)
        paragraphs = visible_text(text).split("\n")
        for at, paragraph in enumerate(paragraphs):
            last = self._lines[-1] if self._lines and self._lines[-1].open else _Line("", open=True)
            if self._lines and last is self._lines[-1]:
                self._lines.pop()
            whole = last.text + paragraph
            theirs = len(whole) if prompt else last.prompt
            for row in wrap(whole, width):
                self._lines.append(_Line(row, prompt=max(0, min(theirs, len(row)))))
                theirs -= len(row)
            if at == len(paragraphs) - 1:
                self._lines[-1].open = True
            else:
                self._lines.append(_Line("", open=True))

    def _wrap_all(self) -> None:
        self._lines.clear()
        self._headers.clear()
        for sample in self._samples:
            self._add_lines(sample)

    def _grown(self, follow: bool) -> None:
        self.virtual_size = Size(max(self._width, 1), len(self._lines))
        if follow:
            # Forced: the scrollbar, without which Textual does not scroll, may not exist yet.
            self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)
        self.refresh()

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            follow = self.is_vertical_scroll_end
            self._width = width
            self._wrap_all()
            self._grown(follow)

    # --- drawing --------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self._samples:
            if y or not self.hint:
                return Strip.blank(width, base)
            style = self.get_component_rich_style("sample--hint")
            return Strip([Segment(padded(self.hint, width), style)], width).apply_style(base)
        at = int(self.scroll_offset.y) + y
        if at >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[at]
        if y == 0 and self.scrollable_content_region.height >= PINNED_FROM:
            line = self._header_of(at)
        if line.header:
            rule = shortened(f"─ {line.text} ", width)
            rule += "─" * max(0, width - cell_len(rule))
            parts = [(rule, self.get_component_rich_style("sample--header"))]
        else:
            parts = [
                (line.text[: line.prompt], self.get_component_rich_style("sample--prompt")),
                (line.text[line.prompt :], self.get_component_rich_style("sample--text")),
            ]
        parts = self._with_selection(parts, at)
        if at == len(self._lines) - 1 and self.streaming and not line.header:
            parts.append(("▌", self.get_component_rich_style("sample--end")))
        strip = Strip([Segment(text, style) for text, style in parts if text])
        return strip.crop_extend(0, width, base).apply_style(base).apply_offsets(0, at)

    def _header_of(self, at: int) -> _Line:
        """The header of the sample that contains row `at`."""
        return self._lines[self._headers[bisect_right(self._headers, at) - 1]]

    def _with_selection(self, parts: list[tuple[str, Style]], at: int) -> list[tuple[str, Style]]:
        selection = self.text_selection
        span = selection.get_span(at) if selection is not None else None
        if span is None:
            return parts
        start, end = span
        chosen = self.screen.get_component_rich_style("screen--selection")
        result: list[tuple[str, Style]] = []
        begin = 0
        for text, style in parts:
            low = min(max(start - begin, 0), len(text))
            high = len(text) if end == -1 else min(max(end - begin, low), len(text))
            result += [(text[:low], style), (text[low:high], style + chosen), (text[high:], style)]
            begin += len(text)
        return result

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract("\n".join(line.text for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        self.refresh()

    def action_copy(self) -> None:
        """Copies the last sample to the clipboard."""
        if self.last:
            self.app.copy_to_clipboard(self.last)
            self.notify("copied")


def wrap(text: str, width: int) -> list[str]:
    """Wraps `text`, without newlines, into rows of at most `width` cells, which joined give `text` again.

    Rows end after a space if possible; a space that would begin a row hangs over the end of the one before. A word
    longer than a row is broken.
    """
    rows: list[str] = []
    start = 0
    used = 0  # cells from `start`
    after_space = 0  # where the row may end; 0 if nowhere yet
    narrow = text.isascii()
    for index, character in enumerate(text):
        size = 1 if narrow else get_character_cell_size(character)
        if used + size > width and character != " ":
            cut = after_space if after_space > start else index
            if cut == start:  # one character wider than the row
                cut = index + 1 if index == start else index
            rows.append(text[start:cut])
            start = cut
            used = cell_len(text[start:index])
        used += size
        if character == " ":
            after_space = index + 1
    rows.append(text[start:])
    return rows
