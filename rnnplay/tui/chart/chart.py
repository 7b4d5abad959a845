"""The chart: curves over training steps, drawn in braille.

A redraw is compared with what is on the screen, and only the stretch of each line that changed is painted anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.chart import chart_ink, chart_text
from rnnplay.tui.chart.canvas import TOKENS, Frame, Layout
from rnnplay.tui.chart.decorations import Mark
from rnnplay.tui.chart.figure import SMOOTHINGS, Figure, Series
from rnnplay.tui.chart.viewport import Viewport

__all__ = ["Chart", "Mark", "Series"]


KEYS = "\\[ ] zoom  ← → pan  ⇧← ⇧→ read  0 all  y log  s smooth  f fit"
"""On the lower border while the chart has the focus."""


class Chart(Widget, can_focus=True):
    """Curves of one quantity over training steps.

    Append to the histories, then call `refresh_data`: ten times a second is more than enough.
    """

    HELP = """\
### Chart
Raw values are faint, the moving average stands over them. `✕` marks steps whose value was NaN or infinite.

- `[` and `]`, `↓` and `↑`, or the mouse wheel: more or fewer steps in the same width
- `←` and `→`, or drag: earlier and later steps; `end`: the latest; `0`, `home` or a double click: all of them
- `shift+←` and `shift+→`, or the mouse: read the values at a step; `escape` ends it
- `y`: logarithmic axis; `s`: smoothing off, light, medium, strong; `f`: fit most values or every one
"""

    # Not in the footer, which is for the screen: the chart says them on its own lower border while it has the focus.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,down", "zoom(0.5)", "Zoom out", key_display="[", show=False),
        Binding("right_square_bracket,up", "zoom(2)", "Zoom in", key_display="]", show=False),
        Binding("left", "pan(-0.25)", "Earlier steps", show=False),
        Binding("right", "pan(0.25)", "Later steps", show=False),
        Binding("shift+left", "cursor(-1)", "Read the values at a step", show=False),
        Binding("shift+right", "cursor(1)", "Read the values at a step", show=False),
        Binding("0,home", "whole", "All steps, following the latest", key_display="0", show=False),
        Binding("end", "latest", "Follow the latest step at this zoom", show=False),
        Binding("y", "log_y", "Logarithmic or linear axis", show=False),
        Binding("s", "smoothing", "Smoothing: off, light, medium, strong", show=False),
        Binding("f", "fit", "Fit the axis to most values or to every one", show=False),
        Binding("escape", "clear_cursor", "End reading", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{name}" for name in (*chart_ink.COMPONENTS, *TOKENS)}
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")

    def __init__(
        self,
        series: Iterable[Series] = (),
        *,
        title: str = "",
        log_y: bool = False,
        threshold: float | None = None,
        threshold_label: str = "",
        empty: str = "no data yet",
        legend: bool = True,
        x: str = "step",
        y_range: tuple[float, float] | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`legend=False` leaves the names and last values out of the upper border, for the readout alone.

        `x` is what the horizontal axis counts; `y_range` are the ends of the vertical one while it is not logarithmic.
        """
        super().__init__(name=name, id=id, classes=classes)
        if title:
            self.border_title = title
        self.empty = empty
        self._figure = Figure(tuple(series), log_y=log_y, threshold=threshold, label=threshold_label)
        self._figure.y_range = y_range
        self._x = x
        self._readout = ""
        self._legend = legend
        self._drag: tuple[int, float] | None = None  # where the mouse went down, and the window's start then
        # What is on the screen.
        self._drawn: object = None
        self._layout: Layout | None = None
        self._frame: Frame | None = None  # None also while there is nothing to draw
        self._palette: list[Style] = []
        self._strips: list[Strip] = []
        self._top: list[chart_text.Group] = []
        self._bottom: list[chart_text.Group] = []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Without a cursor, escape is the screen's."""
        return self._figure.cursor is not None if action == "clear_cursor" else True

    def on_focus(self) -> None:
        # What is over something else than steps is not smoothed.
        self.border_subtitle = KEYS if self._x == "step" else KEYS.replace("s smooth  ", "")

    def on_blur(self) -> None:
        self.border_subtitle = ""

    # What is to be shown

    @property
    def viewport(self) -> Viewport:
        """Which steps are shown; after changing it, `refresh_data`. `viewport.limit` is the run's last step."""
        return self._figure.viewport

    @property
    def series(self) -> tuple[Series, ...]:
        return self._figure.series

    @series.setter
    def series(self, series: Iterable[Series]) -> None:
        self._figure.series = tuple(series)
        self._start_afresh()

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._figure.marks

    @marks.setter
    def marks(self, marks: Iterable[Mark]) -> None:
        self._figure.marks = tuple(marks)
        self.refresh_data()

    @property
    def log_y(self) -> bool:
        return self._figure.log_y

    @log_y.setter
    def log_y(self, log_y: bool) -> None:
        if log_y != self._figure.log_y:
            self._figure.log_y = log_y
            self._start_afresh()

    @property
    def smoothing(self) -> int:
        """An index into SMOOTHINGS: 0 off, 1 light, 2 medium, 3 strong."""
        return self._figure.smoothing

    @smoothing.setter
    def smoothing(self, smoothing: int) -> None:
        self._figure.smoothing = smoothing % len(SMOOTHINGS)
        self.refresh_data()

    def set_threshold(self, value: float | None, label: str = "") -> None:
        """A dashed line at `value`, with `label` at its right end; None for no line."""
        self._figure.threshold, self._figure.threshold_label = value, label
        self.refresh_data()

    @property
    def readout(self) -> str:
        """Plain text at the right of the upper border, after the legend."""
        return self._readout

    @readout.setter
    def readout(self, text: str) -> None:
        if text != self._readout:
            self._readout = text
            self._refresh_borders()

    @property
    def reading(self) -> str:
        """What the cursor reads, as on the lower border; empty without a cursor."""
        return "  ".join("".join(segment.text for segment in group) for group in self._bottom)

    def refresh_data(self) -> None:
        """Draw what came to the histories since the last call; paint what differs. Almost free if nothing came."""
        if not self.is_mounted or not self.size or not self.display:
            return
        if self._layout is not None and self._state() == self._drawn:
            return
        former = self._frame
        frame = self._draw()
        if former is None or frame is None or former.layout != frame.layout:
            self.refresh()
            return
        differs = (former.characters != frame.characters) | (former.inks != frame.inks)
        rows = differs.any(axis=1).nonzero()[0].tolist()
        if rows:
            first = differs.argmax(axis=1).tolist()
            end = (differs.shape[1] - differs[:, ::-1].argmax(axis=1)).tolist()
            self.refresh(*(Region(first[y], y, end[y] - first[y], 1) for y in rows))
        self._refresh_borders()

    # Drawing

    def _state(self) -> object:
        """All that the frame depends on."""
        return self.size, self._figure.state()

    def _draw(self) -> Frame | None:
        """Compute the frame, and the strips of the rows in which it differs from the former one."""
        self._drawn = self._state()
        layout = self._layout = Layout(*self.size)
        former, strips = self._frame, self._strips
        if not self._palette:
            self._palette = chart_ink.resolve_palette(self)
            former = None
        if self._figure.extent() is None:
            # The first paint of the program does not wait for numpy to be loaded.
            self._frame = None
            self._strips = chart_ink.words(self.empty, layout, self._palette)
            return None
        frame = self._frame = self._figure.draw(layout, dashed=self.app.no_color)
        same = [False] * layout.height
        if former is not None and former.layout == layout:
            same = ((former.characters == frame.characters) & (former.inks == frame.inks)).all(axis=1).tolist()
        self._strips = [strips[y] if kept else chart_ink.strip(frame, y, self._palette) for y, kept in enumerate(same)]
        return frame

    def render_line(self, y: int) -> Strip:
        if self._layout != Layout(*self.size) or not self._palette:
            self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = []

    # The words on the borders

    def _update_borders(self) -> None:
        if not self._palette:
            return
        figure, palette = self._figure, self._palette
        series = figure.series if self._legend else ()
        self._top = chart_text.legend(series, figure.smoothing, self._readout, palette)
        self._bottom = (
            [] if figure.cursor is None else chart_text.reading(figure, self.step_at(figure.cursor), palette, self._x)
        )

    def _refresh_borders(self) -> None:
        """Paint the words on the borders anew where they changed."""
        if not self.is_mounted or not self.size or not self._palette:
            return
        former = self._top, self._bottom
        self._update_borders()
        width, height = self.outer_size
        left, top = self.content_offset
        regions = []
        for was, now, y in ((former[0], self._top, 0), (former[1], self._bottom, height - 1)):
            if was != now:
                length = 4 + max(sum(2 + segment.cell_length for g in groups for segment in g) for groups in (was, now))
                regions.append(Region(max(0, width - length) - left, y - top, min(width, length), 1))
        if regions:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        width, height = self.outer_size
        strips = super().render_lines(Region(0, crop.y, width, crop.height))
        border = self.styles.border
        for y, edge, title in ((0, border.top[0], self.border_title), (height - 1, border.bottom[0], None)):
            if edge and crop.y <= y < crop.bottom:
                self._update_borders()
                room = width - 4 - (len(title) + 4 if title else 0)
                text = chart_text.fit(self._bottom if y else self._top, room, self.rich_style)
                if text is not None:
                    for line_filter in self.get_line_filters():
                        text = text.apply_filter(line_filter, self.background_colors[1])
                    strips[y - crop.y] = chart_text.overlay(strips[y - crop.y], text)
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    # Keys

    def _start_afresh(self) -> None:
        """Draw something else than before, with its own vertical axis."""
        self._figure.loosen()
        self.refresh_data()

    def action_zoom(self, factor: float) -> None:
        self._zoom(factor, self._figure.cursor)

    def _zoom(self, factor: float, column: int | None) -> None:
        extent = self._figure.extent()
        if extent is not None:
            at = None if column is None else self.step_at(column)
            # Near the latest step zooming keeps following it.
            lo, hi = self._figure.window
            if at is not None and self.viewport.following and at > extent[1] - (hi - lo) / 20:
                at = None
            self.viewport.zoom(factor, *extent, at=at)
            self._start_afresh()

    def action_pan(self, share: float) -> None:
        extent = self._figure.extent()
        if extent is not None:
            self.viewport.pan(share, *extent)
            self._start_afresh()

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
        self._figure.whole_range = not self._figure.whole_range
        self._start_afresh()

    def action_cursor(self, cells: int) -> None:
        """Move the cursor; it begins at the latest step."""
        extent = self._figure.extent()
        if extent is None or self._frame is None:
            return
        columns = self._frame.layout.columns
        lo, hi = self._figure.window
        cursor = self._figure.cursor
        column = int((extent[1] - lo) / (hi - lo) * columns) if cursor is None else cursor + cells
        self._set_cursor(min(max(column, 0), columns - 1))

    def action_clear_cursor(self) -> None:
        self._set_cursor(None)

    def _set_cursor(self, column: int | None) -> None:
        if column != self._figure.cursor:
            self._figure.cursor = column
            self.refresh_data()

    def step_at(self, column: int) -> float:
        """The step in the middle of a cell column of the plot."""
        lo, hi = self._figure.window
        return lo + (column + 0.5) * (hi - lo) / Layout(*self.size).columns

    # The mouse

    def _plot_column(self, event: events.MouseEvent) -> int | None:
        """The cell column of the plot under the mouse."""
        layout = Layout(*self.size)
        left, top = self.content_offset
        column = event.x - left - layout.left
        return column if 0 <= column < layout.columns and 0 <= event.y - top < layout.height else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        extent = self._figure.extent()
        if self._drag is None or extent is None:
            self._set_cursor(self._plot_column(event))
            return
        x, start = self._drag
        lo, hi = self._figure.window
        wanted = start - (event.x - x) * (hi - lo) / Layout(*self.size).columns
        self.viewport.pan((wanted - lo) / (hi - lo), *extent)
        self._start_afresh()

    def on_leave(self) -> None:
        self._set_cursor(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and not self.viewport.whole:
            self._drag = event.x, self._figure.window[0]
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
