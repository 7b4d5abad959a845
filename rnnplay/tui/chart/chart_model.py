"""The state of a chart, apart from its widget: series, the window of steps, and the settings of the axes.

The right edge of the window moves in jumps while data arrives, and the vertical axis keeps its range from one drawing
to the next, so that between jumps only the newest columns change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rnnplay.tui.chart import axes, plot
from rnnplay.tui.chart.axes import nice_ceiling
from rnnplay.tui.chart.canvas import Frame, Layout
from rnnplay.tui.chart.history import Columns, History
from rnnplay.tui.chart.plot import Mark

SMOOTHINGS = ("off", "light", "medium", "strong")
LEAST_SPAN = 8.0
"""A window never shows fewer steps than this."""


@dataclass(slots=True)
class Viewport:
    """The window on the axis of steps."""

    span: float | None = None
    """The number of steps shown; None for all."""
    start: float | None = None
    """The left edge after a pan; None while the latest step is followed."""
    limit: int | None = None
    """The last step of the run, if known: while all steps are shown, the axis leaves no margin beyond it."""
    from_zero: bool = False
    """Whether the axis begins at 0 while all steps are shown, wherever the first one is."""

    @property
    def whole(self) -> bool:
        return self.span is None and self.start is None

    @property
    def following(self) -> bool:
        return self.start is None

    def window(self, first: float, last: float) -> tuple[float, float]:
        """The steps [lo, hi) to show of a history from step `first` to `last`."""
        if self.start is not None and self.span is not None:
            return self.start, self.start + self.span
        if self.span is None:
            lo = 0.0 if first <= 10 or self.from_zero else float(first)
            hi = lo + nice_ceiling(max(last + 1 - lo, 10.0))
            if self.limit is not None and last <= self.limit < hi:
                hi = float(self.limit + 1)
            return lo, max(hi, lo + LEAST_SPAN)
        jump = self.span / 16
        hi = math.ceil((last + 1) / jump) * jump
        return hi - self.span, hi

    def reset(self) -> None:
        self.span = self.start = None

    def follow(self) -> None:
        """Returns to the latest step, at the same zoom."""
        self.start = None

    def zoom(self, factor: float, first: float, last: float, at: float | None = None) -> None:
        """Shows 1/factor as many steps around the step `at`, else the latest, if followed, or the middle."""
        lo, hi = self.window(first, last)
        old = hi - lo
        new = max(LEAST_SPAN, old / factor)
        if new >= (last + 1 - first) and factor < 1:
            self.reset()
            return
        self.span = new
        if at is None:
            if self.start is None:
                return
            at = (lo + hi) / 2
        self._place(at - (at - lo) * new / old, first, last)

    def pan(self, fraction: float, first: float, last: float) -> None:
        """Moves by a `fraction` of the window, to the right if positive; follows the latest step once it is reached."""
        if self.span is None:
            return
        lo, hi = self.window(first, last)
        self._place(lo + fraction * (hi - lo), first, last)

    def _place(self, start: float, first: float, last: float) -> None:
        assert self.span is not None
        if start + self.span > last + 1:
            self.start = None
        else:
            self.start = max(start, min(0.0 if first <= 10 else first, last + 1 - self.span))


@dataclass(frozen=True, slots=True)
class Series:
    """One curve of a chart."""

    name: str
    history: History
    color: str = "primary"
    """One of canvas.TOKENS."""
    smooth: bool = True
    """Whether the moving average is drawn over the raw values, which are then faint."""
    style: Literal["line", "dots"] = "line"
    raw: bool = True
    """Whether the raw values are drawn behind the moving average."""
    mark: str = ""
    """A character drawn on the curve, or on each of its dots, and in the legend: tells several runs apart."""
    listed: bool = True
    """Whether the legend on the upper border names it."""
    end: str = ""
    """A character drawn at the last point, such as palette.DIED."""


class ChartModel:
    """Series, window and axes of a chart; `draw` turns them into a frame."""

    def __init__(self, series: Sequence[Series], *, log_y: bool = False) -> None:
        self.viewport = Viewport()
        self.series = tuple(series)
        self.log_y = log_y
        self.smoothing = 2
        """An index into SMOOTHINGS."""
        self.unit = 1.0
        """What a step is on the horizontal axis: 0.001 where the histories count milliseconds and it shows seconds."""
        self.whole_range = False
        """Fit the vertical axis to every value, not only to most."""
        self.y_range: tuple[float, float] | None = None
        """Fixed ends of the vertical axis, if any; ignored for a logarithmic one."""
        self.threshold: float | None = None
        self.threshold_label = ""
        self.marks: tuple[Mark, ...] = ()
        self.cursor: int | None = None
        """The cell column of the cursor, counted from the left edge of the plot."""
        self.window = (0.0, 1.0)
        """The steps that were last drawn."""
        self.columns: list[Columns] = []
        """The columns that were last drawn of each series, two per cell."""
        self._range: tuple[float, float] | None = None
        self._window: tuple[float, float, int, int] | None = None
        self._read: list[tuple[History, int, Columns]] = []
        """The columns that were last drawn, by history and its version, for the window `_window`."""

    def state(self) -> object:
        """Everything a drawing depends on: equal states give equal drawings."""
        view = self.viewport
        return (
            [(series, series.history.version) for series in self.series],
            (view.span, view.start, view.limit, self.unit),
            (self.log_y, self.smoothing, self.whole_range, self.threshold, self.threshold_label),
            self.marks,
            self.cursor,
        )

    def extent(self) -> tuple[int, int] | None:
        """The first and the last step of all series; None without any."""
        histories = [series.history for series in self.series]
        firsts = [history.first_step for history in histories if history.first_step is not None]
        lasts = [history.last_step for history in histories if history.last_step is not None]
        return (min(firsts), max(lasts)) if firsts and lasts else None

    def loosen(self) -> None:
        """Forgets the range of the vertical axis."""
        self._range = None

    def step_at(self, column: int, columns: int) -> float:
        """The step in the middle of a cell column of a plot that is `columns` cells wide."""
        lo, hi = self.window
        return lo + (column + 0.5) * (hi - lo) / columns

    def zoom(self, factor: float, column: int | None, columns: int) -> None:
        """Shows 1/factor as many steps around a cell column, or as the viewport does without one.

        Near the latest step, zooming keeps following it.
        """
        extent = self.extent()
        if extent is None:
            return
        at = None if column is None else self.step_at(column, columns)
        lo, hi = self.window
        if at is not None and self.viewport.following and at > extent[1] - (hi - lo) / 20:
            at = None
        self.viewport.zoom(factor, *extent, at=at)
        self.loosen()

    def pan(self, fraction: float) -> None:
        """Moves by a `fraction` of the window, to the right if positive."""
        extent = self.extent()
        if extent is not None:
            self.viewport.pan(fraction, *extent)
            self.loosen()

    def drag(self, start: float, cells: int, columns: int) -> None:
        """Moves a window that began at step `start` along with the mouse, which has moved by `cells`."""
        lo, hi = self.window
        self.pan((start - lo) / (hi - lo) - cells / columns)

    def move_cursor(self, cells: int, columns: int) -> None:
        """Moves the cursor; it begins at the latest step."""
        extent = self.extent()
        if extent is None:
            return
        lo, hi = self.window
        column = int((extent[1] - lo) / (hi - lo) * columns) if self.cursor is None else self.cursor + cells
        self.cursor = min(max(column, 0), columns - 1)

    def draw(self, layout: Layout, *, dashed: bool = False) -> Frame:
        """Draws at least one value; with `dashed`, series after the first differ by their dashes."""
        extent = self.extent()
        assert extent is not None
        lo, hi = self.window = self.viewport.window(*extent)
        level = max(self.smoothing - 1, 0)
        self.columns = self._columns_of(lo, hi, 2 * layout.columns, level)
        curves = [
            plot.Curve(
                columns,
                series.color,
                smooth=series.smooth and self.smoothing > 0,
                dots=series.style == "dots",
                raw=series.raw,
                mark=series.mark,
                end=series.end,
                dash=sum(not one.mark for one in self.series[:i]) % 3 if dashed and not series.mark else 0,
            )
            for i, (series, columns) in enumerate(zip(self.series, self.columns, strict=True))
        ]
        threshold = self.threshold, self.threshold_label
        drawn = plot.Plot(curves, lo, hi, self._scale(), *threshold, self.marks, self.cursor, self.unit)
        return plot.draw(drawn, layout)

    def _columns_of(self, lo: float, hi: float, n: int, level: int) -> list[Columns]:
        """The columns of each series; of a history that has not changed, those that were drawn before."""
        window = lo, hi, n, level
        known = {id(history): (version, columns) for history, version, columns in self._read if window == self._window}
        self._window, self._read = window, []
        for series in self.series:
            history = series.history
            version, columns = known.get(id(history), (None, None))
            if columns is None or version != history.version:
                version, columns = history.version, history.columns(lo, hi, n, level)
            self._read.append((history, version, columns))
        return [columns for _, _, columns in self._read]

    def _scale(self) -> axes.Scale:
        """The vertical axis for the visible values; the previous one while it fits."""
        import numpy as np

        if self.y_range is not None and not self.log_y:
            return axes.Scale(*self.y_range)
        runs: dict[str, list[int]] = {}  # all series of a run have its mark
        for number, series in enumerate(self.series):
            runs.setdefault(series.mark, []).append(number)
        wanted = axes.visible_range(
            [
                (
                    np.concatenate([self.columns[number].low for number in numbers]),
                    np.concatenate([self.columns[number].high for number in numbers]),
                )
                for numbers in runs.values()
            ],
            log=self.log_y,
            threshold=self.threshold,
            whole=self.whole_range,
            lost=[
                any(self.series[number].end or self.columns[number].bad.any() for number in numbers)
                for numbers in runs.values()
            ],
        )
        self._range = axes.settle(self._range, wanted, positive=not self.log_y)
        return axes.Scale(*self._range, log=self.log_y)
