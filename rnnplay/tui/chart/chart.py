"""The chart: curves over training steps, drawn in braille.

A redraw is compared with the screen, and only the stretch of each line that changed is repainted.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.markup import escape
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.chart import chart_borders, chart_strips
from rnnplay.tui.chart.canvas import TOKENS, Frame, Layout
from rnnplay.tui.chart.chart_model import SMOOTHINGS, ChartModel, Series, Viewport
from rnnplay.tui.chart.palette import look_css
from rnnplay.tui.chart.plot import Mark
from rnnplay.tui.keymap import fill_keys

__all__ = ["Chart", "Mark", "Series"]


KEYS = (
    "{chart.zoom-out} {chart.zoom-in} zoom  {chart.earlier} {chart.later} pan  "
    "{chart.read-earlier} {chart.read-later} read  {chart.whole} all  {chart.log-y} log  {chart.smoothing} smooth  "
    "{chart.fit} fit"
)
"""Shown on the lower border while the chart has the focus."""


class Chart(Widget, can_focus=True):
    """Curves of one quantity over training steps.

    Append to the histories, then call `refresh_data`, at most ten times a second.
    """

    ALLOW_SELECT = False
    HELP = """\
### Chart
Raw values are faint, the moving average stands over them. `✕` marks steps whose value was NaN or infinite.

- `[` and `]`, `↓` and `↑`, or the mouse wheel: more or fewer steps in the same width
- `←` and `→`, or drag: earlier and later steps; `end`: the latest; `0`, `home` or a double click: all of them
- `shift+←` and `shift+→`, or the mouse: read the values at a step; `escape` ends it
- `y`: logarithmic axis; `s`: smoothing off, light, medium, strong; `f`: fit most values or every one
"""

    # Not in the footer, which belongs to the screen: the chart lists them on its lower border while it has the focus.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,down", "zoom(0.5)", "Zoom out", key_display="[", show=False, id="chart.zoom-out"),
        Binding("right_square_bracket,up", "zoom(2)", "Zoom in", key_display="]", show=False, id="chart.zoom-in"),
        Binding("left", "pan(-0.25)", "Earlier steps", show=False, id="chart.earlier"),
        Binding("right", "pan(0.25)", "Later steps", show=False, id="chart.later"),
        Binding("shift+left", "cursor(-1)", "Read the values at a step", show=False, id="chart.read-earlier"),
        Binding("shift+right", "cursor(1)", "Read the values at a step", show=False, id="chart.read-later"),
        Binding("0,home", "whole", "All steps, following the latest", key_display="0", show=False, id="chart.whole"),
        Binding("end", "latest", "Follow the latest step at this zoom", show=False, id="chart.latest"),
        Binding("y", "log_y", "Logarithmic or linear axis", show=False, id="chart.log-y"),
        Binding("s", "smoothing", "Smoothing: off, light, medium, strong", show=False, id="chart.smoothing"),
        Binding("f", "fit", "Fit the axis to most values or to every one", show=False, id="chart.fit"),
        Binding("escape", "clear_cursor", "End reading", show=False, id="everywhere.back"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{name}" for name in (*chart_strips.COMPONENTS, *TOKENS)}
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8") + look_css("Chart")

    def __init__(
        self,
        series: Iterable[Series] = (),
        *,
        title: str = "",
        log_y: bool = False,
        empty: str = "no data yet",
        legend: bool = True,
        x: str = "step",
        y_range: tuple[float, float] | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`legend=False` leaves only the readout on the upper border, without names and last values.

        `x` names the unit of the horizontal axis; `y_range` gives the ends of the vertical one while it is not
        logarithmic.
        """
        super().__init__(id=id)
        if title:
            self.border_title = title
        self._empty = empty
        self._model = ChartModel(tuple(series), log_y=log_y)
        self._model.y_range = y_range
        self._border_text = chart_borders.BorderText(legend=legend, x=x)
        self._note = ""
        self._smoothed = x == "step"  # a quantity by distance is not
        self._drag: tuple[int, float] | None = None  # column of the mouse button press; window start then
        # The state of the screen.
        self._drawn: object = None
        self._layout: Layout | None = None
        self._frame: Frame | None = None  # None also while there is nothing to draw
        self._palette: list[Style] = []
        self._strips: list[Strip] = []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leaves escape to the screen while there is no cursor."""
        return self._model.cursor is not None if action == "clear_cursor" else True

    def on_focus(self) -> None:
        keys = fill_keys(KEYS if self._smoothed else KEYS.replace("{chart.smoothing} smooth  ", ""))
        self.border_subtitle = keys.replace("shift+", "⇧").replace("[", "\\[")

    def on_blur(self) -> None:
        self.border_subtitle = escape(self._note)

    # Contents

    @property
    def empty(self) -> str:
        """The text in a chart without data."""
        return self._empty

    @empty.setter
    def empty(self, text: str) -> None:
        if text != self._empty:
            self._empty = text
            if self._frame is None:
                self._layout = None  # draw it anew
                self.refresh()

    @property
    def viewport(self) -> Viewport:
        """The steps shown; after changing it, call `refresh_data`. `viewport.limit` is the last step of the run."""
        return self._model.viewport

    @property
    def series(self) -> tuple[Series, ...]:
        return self._model.series

    @series.setter
    def series(self, series: Iterable[Series]) -> None:
        self._model.series = tuple(series)
        self._start_afresh()

    def set_x(self, x: str, unit: float = 1.0, limit: int | None = None) -> None:
        """Shows the steps of the histories as `x`, each being `unit` of it, from 0 to at least `limit` steps."""
        self._border_text.x, self._model.unit = x, unit
        self._model.viewport.from_zero, self._model.viewport.limit = True, limit

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._model.marks

    @marks.setter
    def marks(self, marks: Iterable[Mark]) -> None:
        self._model.marks = tuple(marks)
        self.refresh_data()

    @property
    def log_y(self) -> bool:
        return self._model.log_y

    @log_y.setter
    def log_y(self, log_y: bool) -> None:
        if log_y != self._model.log_y:
            self._model.log_y = log_y
            self._start_afresh()

    @property
    def smoothing(self) -> int:
        """An index into SMOOTHINGS: 0 off, 1 light, 2 medium, 3 strong."""
        return self._model.smoothing

    @smoothing.setter
    def smoothing(self, smoothing: int) -> None:
        self._model.smoothing = smoothing % len(SMOOTHINGS)
        self.refresh_data()

    def set_threshold(self, value: float | None, label: str) -> None:
        """Draws a dashed line at `value`, with `label` at its right end; none for None."""
        self._model.threshold, self._model.threshold_label = value, label
        self.refresh_data()

    @property
    def readout(self) -> str:
        """Plain text at the right of the upper border, after the legend."""
        return self._border_text.readout

    @readout.setter
    def readout(self, text: str) -> None:
        if text != self._border_text.readout:
            self._border_text.readout = text
            self._refresh_borders()

    @property
    def note(self) -> str:
        """Plain text on the lower border, while the keys are not there."""
        return self._note

    @note.setter
    def note(self, text: str) -> None:
        if text != self._note:
            self._note = text
            if not self.has_focus:
                self.border_subtitle = escape(text)

    @property
    def reading(self) -> str:
        """The values at the cursor, as on the lower border; empty without a cursor."""
        return self._border_text.reading

    def refresh_data(self) -> None:
        """Draws the points added since the last call and repaints what differs; almost free if there are none."""
        if not self.is_mounted or not self.size or not self.display:
            return
        if self._layout is not None and self._state() == self._drawn:
            return
        former = self._frame
        frame = self._draw()
        if former is None or frame is None or former.layout != frame.layout:
            self.refresh()
            return
        if regions := chart_strips.differing(former, frame):
            self.refresh(*regions)
        self._refresh_borders()

    # Drawing

    def _state(self) -> object:
        """Everything the frame depends on."""
        return self.size, self._model.state()

    def _draw(self) -> Frame | None:
        """Computes the frame, and the strips of the rows that differ from the previous one."""
        self._drawn = self._state()
        layout = self._layout = Layout(*self.size)
        former, strips = self._frame, self._strips
        if not self._palette:
            self._palette = chart_strips.resolve_palette(self)
            former = None
        if self._model.extent() is None:
            # The first paint of the program does not wait for the import of numpy.
            self._frame = None
            self._strips = chart_strips.empty_rows(self._empty, layout, self._palette)
            return None
        frame = self._frame = self._model.draw(layout, dashed=self.app.no_color)
        self._strips = chart_strips.frame_rows(frame, former, strips, self._palette)
        return frame

    def render_line(self, y: int) -> Strip:
        if self._layout != Layout(*self.size) or not self._palette:
            self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = []

    # Text on the borders

    def _update_border_text(self) -> tuple[int, int]:
        return self._border_text.update(self._model, self._columns, self._palette) if self._palette else (0, 0)

    def _refresh_borders(self) -> None:
        """Repaints the text on the borders where it changed."""
        if not self.is_mounted or not self.size:
            return
        width, height = self.outer_size
        left, top = self.content_offset
        for cells, y in zip(self._update_border_text(), (0, height - 1), strict=True):
            if cells:
                self.refresh(Region(max(0, width - cells) - left, y - top, min(width, cells), 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        width, height = self.outer_size
        strips = super().render_lines(Region(0, crop.y, width, crop.height))
        border = self.styles.border
        for y, edge, title in ((0, border.top[0], self.border_title), (height - 1, border.bottom[0], None)):
            if edge and crop.y <= y < crop.bottom:
                self._update_border_text()
                free = width - 4 - (cell_len(title) + 4 if title else 0)
                text = self._border_text.fitted(free, self.rich_style, lower=y > 0)
                if text is not None:
                    for line_filter in self.get_line_filters():
                        text = text.apply_filter(line_filter, self.background_colors[1])
                    strips[y - crop.y] = chart_borders.overlay(strips[y - crop.y], text)
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    # Keys

    def _start_afresh(self) -> None:
        """Redraws with a new vertical axis, as for other contents."""
        self._model.loosen()
        self.refresh_data()

    def action_zoom(self, factor: float) -> None:
        self._zoom(factor, self._model.cursor)

    def _zoom(self, factor: float, column: int | None) -> None:
        self._model.zoom(factor, column, self._columns)
        self.refresh_data()

    def action_pan(self, fraction: float) -> None:
        self._model.pan(fraction)
        self.refresh_data()

    def action_whole(self) -> None:
        self.viewport.reset()
        self._start_afresh()

    def action_latest(self) -> None:
        self.viewport.follow()
        self._start_afresh()

    def action_log_y(self) -> None:
        self.log_y = not self.log_y

    def action_smoothing(self) -> None:
        self.smoothing += 1

    def action_fit(self) -> None:
        self._model.whole_range = not self._model.whole_range
        self._start_afresh()

    def action_cursor(self, cells: int) -> None:
        """Moves the cursor; it begins at the latest step."""
        if self._frame is not None:
            self._model.move_cursor(cells, self._columns)
            self.refresh_data()

    def action_clear_cursor(self) -> None:
        self._set_cursor(None)

    def _set_cursor(self, column: int | None) -> None:
        if column != self._model.cursor:
            self._model.cursor = column
            self.refresh_data()

    def step_at(self, column: int) -> float:
        """The step in the middle of a cell column of the plot."""
        return self._model.step_at(column, self._columns)

    @property
    def _columns(self) -> int:
        """The width of the plot in cells."""
        return Layout(*self.size).columns

    # The mouse

    def _plot_column(self, event: events.MouseEvent) -> int | None:
        """The cell column of the plot under the mouse."""
        layout = Layout(*self.size)
        left, top = self.content_offset
        column = event.x - left - layout.left
        return column if 0 <= column < layout.columns and 0 <= event.y - top < layout.height else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag is None:
            self._set_cursor(self._plot_column(event))
            return
        x, start = self._drag
        self._model.drag(start, event.x - x, self._columns)
        self.refresh_data()

    def on_leave(self) -> None:
        self._set_cursor(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and not self.viewport.whole:
            self._drag = event.x, self._model.window[0]
            self._set_cursor(None)
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        if self._drag is not None:
            self._drag = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2:
            self.action_whole()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._zoom(1.5, self._plot_column(event))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._zoom(1 / 1.5, self._plot_column(event))
