"""What a chart shows, apart from the widget: series in a window of steps, with the settings of its axes.

It remembers the range of its vertical axis from one drawing to the next, so that the axis does not jitter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rnnplay.tui.chart import axes, plot
from rnnplay.tui.chart.canvas import Frame, Layout
from rnnplay.tui.chart.decorations import Mark
from rnnplay.tui.chart.history import Columns, History
from rnnplay.tui.chart.viewport import Viewport

SMOOTHINGS = ("off", "light", "medium", "strong")


@dataclass(frozen=True, slots=True)
class Series:
    """One curve of a chart."""

    name: str
    history: History
    color: str = "primary"
    """One of canvas.TOKENS."""
    smooth: bool = True
    """Draw the moving average over the raw values, which are faint."""
    style: Literal["line", "dots"] = "line"


class Figure:
    """Series, window and axes; `draw` makes a frame of them."""

    def __init__(
        self, series: Sequence[Series] = (), *, log_y: bool = False, threshold: float | None = None, label: str = ""
    ) -> None:
        self.viewport = Viewport()
        self.series = tuple(series)
        self.log_y = log_y
        self.smoothing = 2
        """An index into SMOOTHINGS."""
        self.whole_range = False
        """Fit the vertical axis to every value, not to most."""
        self.y_range: tuple[float, float] | None = None
        """The ends of the vertical axis, where they are given (not for a logarithmic one)."""
        self.threshold = threshold
        self.threshold_label = label
        self.marks: tuple[Mark, ...] = ()
        self.cursor: int | None = None
        """The cell column of the cursor, from the plot's left edge."""
        self.window = (0.0, 1.0)
        """The steps that were drawn last."""
        self.columns: list[Columns] = []
        """What was drawn last of each series, two columns a cell."""
        self._range: tuple[float, float] | None = None

    def state(self) -> object:
        """All that a drawing depends on; as long as it is equal, so is the drawing."""
        view = self.viewport
        return (
            [(series, series.history.version) for series in self.series],
            (view.span, view.start, view.limit),
            (self.log_y, self.smoothing, self.whole_range, self.threshold, self.threshold_label),
            self.marks,
            self.cursor,
        )

    def extent(self) -> tuple[int, int] | None:
        """The first and the last step of all series; None if there is none."""
        histories = [series.history for series in self.series]
        firsts = [history.first_step for history in histories if history.first_step is not None]
        lasts = [history.last_step for history in histories if history.last_step is not None]
        return (min(firsts), max(lasts)) if firsts and lasts else None

    def loosen(self) -> None:
        """Let the vertical axis start afresh: something else is looked at."""
        self._range = None

    def draw(self, layout: Layout, *, dashed: bool = False) -> Frame:
        """The figure; with `dashed`, series after the first differ by their dashes. There is at least one value."""
        extent = self.extent()
        assert extent is not None
        lo, hi = self.window = self.viewport.window(*extent)
        level = max(self.smoothing - 1, 0)
        self.columns = [series.history.columns(lo, hi, 2 * layout.columns, level) for series in self.series]
        curves = [
            plot.Curve(
                columns,
                series.color,
                smooth=series.smooth and self.smoothing > 0,
                dots=series.style == "dots",
                dash=i % 3 if dashed else 0,
            )
            for i, (series, columns) in enumerate(zip(self.series, self.columns, strict=True))
        ]
        threshold = self.threshold, self.threshold_label
        return plot.draw(plot.Plot(curves, lo, hi, self._scale(), *threshold, self.marks, self.cursor), layout)

    def _scale(self) -> axes.Scale:
        """The vertical axis for what is visible; the former one, as long as that fits."""
        import numpy as np

        if self.y_range is not None and not self.log_y:
            return axes.Scale(*self.y_range)
        wanted = axes.visible_range(
            np.concatenate([columns.low for columns in self.columns]),
            np.concatenate([columns.high for columns in self.columns]),
            log=self.log_y,
            threshold=self.threshold,
            whole=self.whole_range,
        )
        self._range = axes.settle(self._range, wanted, positive=not self.log_y)
        return axes.Scale(*self._range, log=self.log_y)
