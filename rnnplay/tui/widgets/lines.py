"""Rows of styled text, of which only changed ones are repainted."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget


class Lines(Widget):
    """Shows one `Content` per row, and cuts off what does not fit."""

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: list[Content] = []

    def show(self, rows: Sequence[Content]) -> None:
        """Replaces the rows."""
        former, self._rows = self._rows, list(rows)
        if len(former) != len(self._rows):
            self.refresh(layout=self.styles.is_auto_height)
            return
        width = self.content_size.width
        changed = [y for y, (was, now) in enumerate(zip(former, self._rows, strict=True)) if not was.is_same(now)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def text(self) -> list[str]:
        """Returns the rows without styles."""
        return [row.plain for row in self._rows]

    def render(self) -> Content:
        return Content("\n").join(self._rows)
