"""The last values of a metric as blocks, one value per cell."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.chart.axes import format_value

BLOCKS = "▁▂▃▄▅▆▇█"
NOT_FINITE = "✕"

VALUE_WIDTH = 6
"""Cells reserved at the right for the last value."""

KEPT = 256
"""Most values that are kept, the last ones."""


def blocks(values: Sequence[float], *, log: bool = False, rows: int = 1) -> list[str]:
    """`values` as blocks, one per cell, in `rows` rows from the top; "✕" (in the lowest row) if not finite.

    The least value is the lowest block and the greatest the highest; equal values are in the middle. `log` uses their
    logarithms, with values that are not positive as the lowest block.
    """
    heights = [_height(value, log) for value in values]
    known = [height for height in heights if math.isfinite(height)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    levels = 8 * rows
    lines = [""] * rows
    for value, height in zip(values, heights, strict=True):
        if not math.isfinite(value):
            column = " " * (rows - 1) + NOT_FINITE
        else:
            position = 0.5 if high <= low else max(0.0, (height - low) / (high - low))
            level = 1 + min(levels - 1, int(position * levels))
            cells = [min(8, max(0, level - 8 * row)) for row in reversed(range(rows))]
            column = "".join(BLOCKS[cell - 1] if cell else " " for cell in cells)
        lines = [line + character for line, character in zip(lines, column, strict=True)]
    return lines


def _height(value: float, log: bool) -> float:
    if not log or not math.isfinite(value):
        return value
    return math.log10(value) if value > 0 else -math.inf


class Spark(Widget):
    """The last values of a metric: `label ▂▃▂▅▇▃ 1.43`, in one row, or two if the widget is two rows high.

    Values above `threshold` have another colour; values that are not finite are a red ✕. Values are never stretched or
    squeezed: there is one per cell.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "spark--label",
        "spark--bar",
        "spark--above",
        "spark--bad",
        "spark--value",
    }

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")

    def __init__(
        self,
        label: str = "",
        *,
        log: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._label = label
        self._log = log
        self._threshold: float | None = None
        self._values: deque[float] = deque(maxlen=KEPT)
        self._strips: list[Strip] = []
        self._styles: dict[str, Style] = {}

    @property
    def values(self) -> list[float]:
        return list(self._values)

    @values.setter
    def values(self, values: Iterable[float]) -> None:
        self._values.clear()
        self.extend(values)

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        self._label = label
        self._update()

    @property
    def threshold(self) -> float | None:
        return self._threshold

    @threshold.setter
    def threshold(self, threshold: float | None) -> None:
        self._threshold = threshold
        self._update()

    def append(self, value: float) -> None:
        """Adds one value."""
        self.extend((value,))

    def extend(self, values: Iterable[float]) -> None:
        """Adds values and paints once."""
        self._values.extend(values)
        self._update()

    def text(self) -> list[str]:
        """The rows on screen."""
        return [strip.text for strip in self._strips or self._draw()]

    def _update(self) -> None:
        """Repaints the rows that changed."""
        if not self.is_mounted or not self.size:
            self._strips = []
            return
        former, self._strips = self._strips, self._draw()
        if len(former) != len(self._strips):
            self.refresh()
            return
        regions = [_changed(was, now, y) for y, (was, now) in enumerate(zip(former, self._strips, strict=True))]
        if dirty := [region for region in regions if region is not None]:
            self.refresh(*dirty)

    def _draw(self) -> list[Strip]:
        width, rows = self.size.width, min(max(self.size.height, 1), 2)
        style = self._style
        label = f"{self._label} "[:width] if self._label else ""
        free = width - len(label)
        last = ""
        if self._values and free > VALUE_WIDTH + 4:
            last = f" {format_value(self._values[-1])}".rjust(VALUE_WIDTH + 1)
            free -= len(last)
        values = list(self._values)[-free:] if free > 0 else []
        strips = []
        for row, line in enumerate(blocks(values, log=self._log, rows=rows)):
            foot = row == rows - 1
            segments = [Segment(label if foot else " " * len(label), style("label"))]
            segments += self._bars(line, values)
            segments.append(Segment(" " * (free - len(values)), style("value")))
            segments.append(Segment(last if foot else " " * len(last), style("value")))
            strips.append(Strip([segment for segment in segments if segment.text], width))
        return strips

    def _bars(self, line: str, values: Sequence[float]) -> list[Segment]:
        """The blocks, one segment per run of the same kind."""
        runs: list[tuple[str, str]] = []
        for character, value in zip(line, values, strict=True):
            above = self._threshold is not None and value > self._threshold
            kind = "bad" if not math.isfinite(value) else "above" if above else "bar"
            if runs and runs[-1][0] == kind:
                runs[-1] = kind, runs[-1][1] + character
            else:
                runs.append((kind, character))
        return [Segment(text, self._style(kind)) for kind, text in runs]

    def _style(self, kind: str) -> Style:
        if kind not in self._styles:
            self._styles[kind] = self.get_component_rich_style(f"spark--{kind}")
        return self._styles[kind]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}
        self._strips = []

    def render_line(self, y: int) -> Strip:
        if not self._strips or self._strips[0].cell_length != self.size.width or len(self._strips) < self.size.height:
            self._strips = self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)


def _changed(was: Strip, now: Strip, y: int) -> Region | None:
    """The stretch of row `y` that differs."""
    before, after = ([(c, s.style) for s in strip for c in s.text] for strip in (was, now))
    if len(before) != len(after):
        return Region(0, y, now.cell_length, 1)
    differing = [x for x, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    return Region(differing[0], y, differing[-1] + 1 - differing[0], 1) if differing else None
