"""A ValuePlot on the screen, in the colours of the charts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.chart import chart, chart_strips
from rnnplay.tui.chart.canvas import TOKENS, Layout
from rnnplay.tui.chart.palette import look_css
from rnnplay.tui.value_plot.value_frame import ValuePlot, draw

_CSS = Path(chart.__file__).with_suffix(".tcss").read_text(encoding="utf-8")


class PlotView(Widget):
    """Draws a plot; repainted when it gets another one."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{name}" for name in (*chart_strips.COMPONENTS, *TOKENS)}
    DEFAULT_CSS = _CSS.replace("Chart {", "PlotView {", 1) + look_css("PlotView")

    def __init__(self, *, empty: str) -> None:
        super().__init__()
        self._empty = empty
        self._plot: ValuePlot | None = None
        self._palette: list[Style] = []
        self._strips: list[Strip] = []
        self._layout: Layout | None = None

    def show(self, plot: ValuePlot) -> None:
        """Shows `plot`."""
        if plot != self._plot:
            self._plot, self._layout = plot, None
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette, self._layout = [], None

    def render_line(self, y: int) -> Strip:
        if self._layout != Layout(*self.size):
            self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _draw(self) -> None:
        layout = self._layout = Layout(*self.size)
        if not self._palette:
            self._palette = chart_strips.resolve_palette(self)
        if self._plot is None or self._plot.empty:
            self._strips = chart_strips.empty_rows(self._empty, layout, self._palette)
            return
        frame = draw(self._plot, layout)
        self._strips = [chart_strips.frame_row(frame, y, self._palette) for y in range(layout.height)]
