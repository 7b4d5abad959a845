"""Messages of a few rows, with an ellipsis where they are cut."""

from __future__ import annotations

from textwrap import wrap

from rich.cells import cell_len
from textual.visual import VisualType
from textual.widgets import Static

from rnnplay.tui.widgets.visible import code_drawn, shortened


class Said(Static):
    """Plain text in a limited number of rows; Textual would cut it at `max-height` without an ellipsis."""

    DEFAULT_CSS = """
    Said { height: auto; }
    """

    def __init__(self, text: str = "", *, rows: int, id: str | None = None) -> None:  # noqa: A002
        super().__init__(text, id=id, markup=False)
        self._rows, self._whole = rows, text

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Replaces the text by `content`, which is plain text."""
        self._whole = str(content)
        super().update(code_drawn(fitted(self._whole, self.content_size.width, self._rows)), layout=layout)

    def on_resize(self) -> None:
        text = code_drawn(fitted(self._whole, self.content_size.width, self._rows))
        if text.plain != str(self.content):
            super().update(text)


class Banner(Said):
    """A message that is hidden while empty."""

    DEFAULT_CSS = """
    Banner { display: none; }
    Banner.shown { display: block; }
    """

    def say(self, text: str) -> None:
        """Shows `text`; "" hides the message."""
        self.update(text)
        self.set_class(bool(text), "shown")


def fitted(text: str, width: int, rows: int) -> str:
    """Returns `text`, shortened with … if it does not wrap to `rows` rows of `width` cells."""
    if not width or width * rows >= 2 * cell_len(text) or len(lines := wrap(text, width)) <= rows:
        return text
    kept = lines[:rows]
    kept[-1] = shortened(f"{kept[-1]} {lines[rows]}", width)
    return " ".join(kept)
