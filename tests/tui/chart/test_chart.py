"""The chart: its rows as text, its keys and mouse, what it paints."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np
import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import HelpPanel

from rnnplay.tui.chart import axes, chart_strips, plot
from rnnplay.tui.chart.axes import Scale
from rnnplay.tui.chart.canvas import Layout, ink
from rnnplay.tui.chart.chart import Chart, Mark, Series
from rnnplay.tui.chart.history import History


def history_of(values: list[float], first: int = 1) -> History:
    history = History()
    history.extend(enumerate(values, first))
    return history


class ChartApp(App[None]):
    """One chart that fills the screen."""

    def __init__(self, *series: Series, **options: object) -> None:
        super().__init__()
        self.chart = Chart(series, title="Loss", **options)  # type: ignore[arg-type]

    def compose(self) -> ComposeResult:
        yield self.chart


def rows(app: ChartApp) -> list[str]:
    """The screen as text, borders included."""
    width, height = app.size
    strips = app.chart.render_lines(Region(0, 0, width, height))
    return [strip.text for strip in strips]


def plot_of(history: History, layout: Layout, **options: object) -> list[str]:
    """A curve over the steps 0 to 40 and values 0 to 10, without a widget."""
    columns = history.columns(0, 40, 2 * layout.columns)
    curve = plot.Curve(
        columns, "primary", smooth=bool(options.pop("smooth", False)), dots=bool(options.pop("dots", False))
    )
    return plot.draw(plot.Plot([curve], 0, 40, Scale(0, 10), **options), layout).text()  # type: ignore[arg-type]


def test_a_falling_curve() -> None:
    history = history_of([10 - step / 4 for step in range(41)], first=0)
    assert plot_of(history, Layout(26, 8)) == [
        "  10 ┤⠑⠢⣀                 ",
        "     │   ⠑⠢⣀              ",
        "     │      ⠑⠢⣀           ",
        "   5 ┤         ⠑⠤⡀        ",
        "     │           ⠈⠑⠤⡀     ",
        "     │              ⠈⠑⠤⡀  ",
        "   0 ┤                 ⠈⠑⠤",
        "      0         20        ",
    ]


def test_a_tall_plot_has_an_axis_of_steps() -> None:
    text = plot_of(history_of([10 - step / 4 for step in range(41)], first=0), Layout(32, 14))
    assert text[-2:] == [
        "     └┬────────────┬────────────",
        "      0            20           ",
    ]


def test_a_gap_is_not_joined_and_marked() -> None:
    history = history_of([5.0] * 15 + [math.nan] * 10 + [5.0] * 15, first=0)
    assert plot_of(history, Layout(26, 5)) == [
        "  10 ┤       ✕╌╌╌╌╌       ",
        "     │                    ",
        "   5 ┤⠤⠤⠤⠤⠤⠤⠤⠄    ⠠⠤⠤⠤⠤⠤⠤⠤",
        "     │                    ",
        "   0 ┤                    ",
    ]


def test_what_is_not_finite_is_one_stretch_where_steps_are_farther_apart_than_columns() -> None:
    """A ✕ for each step would stand in uneven places, and say no more."""
    history = History()
    history.extend((step, math.nan if 10 <= step < 30 else 5.0) for step in range(0, 41, 4))
    assert plot_of(history, Layout(26, 5))[0] == "  10 ┤      ✕╌╌╌╌╌╌╌╌     "


def test_threshold_and_marks() -> None:
    history = history_of([2.0] * 40, first=0)
    marks = [Mark(10, "↺ 8"), Mark(30)]
    text = plot_of(history, Layout(26, 5), threshold=7.5, threshold_label="clip", marks=marks)
    assert text == [
        "  10 ┤     ↺ 8            ",
        "     │⠒ ⠒ ⠒┊⠒ ⠒ ⠒ ⠒ ⠒ clip",
        "   5 ┤     ┊              ",
        "     │⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
        "   0 ┤     ┊         ╵    ",
    ]


def test_a_threshold_out_of_sight_says_where_it_is() -> None:
    history = history_of([2.0] * 40, first=0)
    assert plot_of(history, Layout(26, 3), threshold=20.0, threshold_label="clip")[0].endswith(" clip ↑")
    assert plot_of(history, Layout(26, 3), threshold=-20.0, threshold_label="clip")[2].endswith(" clip ↓")


def test_the_threshold_shows_through_a_line_in_the_same_row() -> None:
    # The dots of the threshold join those of the line in every other cell.
    history = history_of([5.0] * 40, first=0)
    assert plot_of(history, Layout(12, 1), threshold=7.0) == ["│⠶⠤⠶⠤⠶⠤⠶⠤⠶⠤⠶"]


def test_smooth_line_over_faint_raw() -> None:
    layout = Layout(30, 6)
    noisy = history_of([5 + 3 * (-1) ** step for step in range(40)], first=0)
    columns = noisy.columns(0, 40, 2 * layout.columns, 2)
    frame = plot.draw(plot.Plot([plot.Curve(columns, "primary")], 0, 40, Scale(0, 10)), layout)
    inks = set(np.unique(frame.area().inks).tolist())
    assert {ink("primary"), ink("primary", faint=True)} <= inks


def test_dashes_tell_curves_apart_without_colour() -> None:
    columns = history_of([5.0] * 40, first=0).columns(0, 40, 40)
    texts = [
        plot.draw(
            plot.Plot([plot.Curve(columns, "primary", False, dash=dash)], 0, 40, Scale(0, 10)), Layout(26, 1)
        ).text()
        for dash in range(3)
    ]
    assert [text[0][6:] for text in texts] == ["⠤" * 20, "⠤⠤⠤ " * 5, "⠤ " * 10]


def test_sparse_points_are_squares_at_their_height() -> None:
    history = History()
    history.extend([(10, 5.0), (20, 10.0), (30, 6.0)])
    assert [row[6:] for row in plot_of(history, Layout(26, 3), dots=True)] == [
        "          ⠛         ",
        "     ⠶         ⠛    ",
        "                    ",
    ]


@pytest.mark.parametrize("size", [(20, 3), (20, 5), (8, 3), (3, 3), (40, 1), (1, 1), (0, 3), (3, 0), (80, 24)])
@pytest.mark.parametrize("values", [[], [1.0], [math.nan], [math.inf, 1.0], [0.0, 0.0], [1e300, -1e300, 1e-300]])
def test_any_size_and_any_values_can_be_drawn(size: tuple[int, int], values: list[float]) -> None:
    history = history_of(values)
    layout = Layout(*size)
    columns = history.columns(0, 10, 2 * layout.columns)
    for log in (False, True):
        wanted = axes.visible_range([(columns.low, columns.high)], log=log, threshold=1.0)
        scale = axes.Scale(*axes.settle(None, wanted, positive=not log), log=log)
        drawn = plot.Plot([plot.Curve(columns, "primary")], 0, 10, scale, 1.0, "clip", [Mark(2, "x"), Mark(3)], 1)
        frame = plot.draw(drawn, layout)
        assert [len(row) for row in frame.text()] == [size[0]] * size[1]
        strips = [chart_strips.frame_row(frame, row, [Style()] * 30) for row in range(size[1])]
        assert [strip.cell_length for strip in strips] == [size[0]] * size[1]
    blank = chart_strips.empty_rows("no data yet", layout, [Style()] * 30)
    assert [strip.cell_length for strip in blank] == [size[0]] * size[1]


def test_what_an_empty_chart_says_is_wrapped_and_never_cut() -> None:
    """In a race at 80x24 the right chart has 30 columns."""
    blank = chart_strips.empty_rows("for corpora with known dependencies", Layout(28, 12), [Style()] * 30)
    shown = [strip.text.strip() for strip in blank]
    assert shown == [""] * 5 + ["for corpora with known", "dependencies"] + [""] * 5
    assert {strip.cell_length for strip in blank} == {28}
    assert [strip.text for strip in chart_strips.empty_rows("a b", Layout(1, 1), [Style()] * 30)] == ["a"]


async def test_empty_state() -> None:
    app = ChartApp()
    async with app.run_test(size=(40, 9)):
        assert "no data yet" in rows(app)[4]


async def test_title_legend_and_readout_on_the_border() -> None:
    app = ChartApp(Series("train", history_of([2.0] * 50)), Series("valid", history_of([3.0]), "accent", smooth=False))
    async with app.run_test(size=(60, 9)) as pilot:
        app.chart.readout = "perplexity 4.5"
        await pilot.pause()
        assert rows(app)[0] == "╭─ Loss ────── ━ train 2.00  ━ valid 3.00  perplexity 4.5 ─╮"
        app.chart.readout = "a readout too long for so narrow a border"
        assert rows(app)[0] == "╭─ Loss ────────────────────────────────── ━ 2.00  ━ 3.00 ─╮"


async def test_new_points_paint_few_cells() -> None:
    # Bytes to the terminal are few only if what stays the same is not painted again.
    rng = random.Random(1)
    history = history_of([2 + rng.gauss(0, 0.2) for _ in range(1100)])
    app = ChartApp(Series("train", history))
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        painted: list[Region] = []
        refresh = app.chart.refresh

        def spy(*regions: Region, **options: bool) -> Chart:
            painted.extend(regions or [app.chart.size.region])
            return refresh(*regions, **options)

        app.chart.refresh = spy  # type: ignore[method-assign]
        history.extend((step, 2.0) for step in range(1101, 1106))
        app.chart.refresh_data()
        plot_area = sum(region.area for region in painted if region.y >= 0)
        assert 0 < plot_area < 100
        painted.clear()
        app.chart.refresh_data()
        assert not painted


async def test_what_is_painted_is_what_would_be_drawn_afresh() -> None:
    # Strips of unchanged rows are kept: after many updates they must be those of a new chart.
    rng = random.Random(2)
    history = History()
    app = ChartApp(Series("train", history))
    async with app.run_test(size=(80, 16)) as pilot:
        app.chart.set_threshold(2.5, "clip")
        for step in range(1, 400):
            history.append(step, math.nan if 200 < step < 220 else 2 + rng.gauss(0, 0.2) + 30 / (step + 10))
            if step % 7 == 0:
                app.chart.refresh_data()
        app.chart.refresh_data()
        await pilot.pause()
        kept = [strip.text for strip in app.chart._strips]
        assert kept == app.chart._frame.text()  # type: ignore[union-attr]
        assert "✕" in kept[0]


@pytest.fixture
def long_app() -> Iterator[ChartApp]:
    yield ChartApp(Series("train", history_of([1000 / step for step in range(1, 1001)])))


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_keys_zoom_and_pan(long_app: ChartApp) -> None:
    async with long_app.run_test(size=(80, 20)) as pilot:
        chart = long_app.chart
        chart.focus()
        whole = rows(long_app)
        await press(pilot, "right_square_bracket", "up")
        assert chart.viewport.span == 1250 / 4
        zoomed = rows(long_app)
        assert zoomed != whole
        await press(pilot, "left")
        assert not chart.viewport.following
        assert rows(long_app) != zoomed
        await press(pilot, "end")
        assert chart.viewport.following and not chart.viewport.whole
        await press(pilot, "0")
        assert chart.viewport.whole
        assert rows(long_app) == whole


async def test_log_smoothing_and_fit(long_app: ChartApp) -> None:
    async with long_app.run_test(size=(80, 20)) as pilot:
        chart = long_app.chart
        chart.focus()
        before = rows(long_app)
        await press(pilot, "y")
        assert chart.log_y
        logarithmic = rows(long_app)
        assert any("100 ┤" in row for row in logarithmic)
        await press(pilot, "y", "f")
        assert any("1000 ┤" in row for row in rows(long_app))
        assert not any("1000 ┤" in row for row in before)
        assert chart.smoothing == 2
        await press(pilot, "s", "s")
        assert chart.smoothing == 0


async def test_cursor_reads_values() -> None:
    history = history_of([float(step) for step in range(1, 101)])
    history.append(101, math.nan)
    app = ChartApp(Series("loss", history, smooth=False))
    async with app.run_test(size=(70, 12)) as pilot:
        chart = app.chart
        chart.focus()
        await press(pilot, "shift+right")
        assert chart.reading.endswith("✕")
        await press(pilot, *["shift+left"] * 10)
        word, step, name, value = chart.reading.split()
        assert (word, name) == ("step", "loss")
        assert abs(float(value) - int(step)) < 2
        assert chart.reading in rows(app)[-1]
        assert any("│" in row[8:-1] for row in rows(app))
        await press(pilot, "escape")
        assert chart.reading == ""
        assert "step" not in rows(app)[-1]


async def test_cursor_of_a_sparse_series_reads_its_last_value() -> None:
    valid = History()
    valid.extend([(10, 3.0), (90, 1.0)])
    app = ChartApp(Series("train", history_of([2.0] * 100)), Series("valid", valid, "accent", smooth=False))
    async with app.run_test(size=(70, 12)) as pilot:
        app.chart.focus()
        await press(pilot, *["shift+left"] * 25)
        assert app.chart.reading.endswith("valid 3.00")


async def test_a_history_of_milliseconds_is_shown_in_seconds_from_zero_on() -> None:
    history = History()
    history.extend((at, 2.0) for at in range(1500, 20_000, 500))
    app = ChartApp(Series("train", history, smooth=False))
    async with app.run_test(size=(80, 20)) as pilot:
        app.chart.set_x("seconds", 0.001, limit=60_000)
        app.chart.refresh_data()
        await pilot.pause()
        assert rows(app)[-2].split()[1:5] == ["0", "5", "10", "15"]
        app.chart.focus()
        await pilot.press("shift+left")
        assert app.chart.reading.startswith("seconds 19.")


async def test_mouse_hovers_zooms_and_drags(long_app: ChartApp) -> None:
    async with long_app.run_test(size=(80, 20)) as pilot:
        chart = long_app.chart
        await pilot.hover(chart, offset=(40, 8))
        assert chart.reading.startswith("step ")
        at = chart.step_at(40 - 1 - 6)
        for _ in range(4):
            chart._zoom(1.5, 40 - 1 - 6)
        await pilot.pause()
        assert chart.step_at(40 - 1 - 6) == pytest.approx(at, abs=15)
        lo = chart._model.window[0]
        await pilot.mouse_down(chart, offset=(40, 8))
        await pilot.hover(chart, offset=(50, 8))
        await pilot.mouse_up(chart, offset=(50, 8))
        assert chart._model.window[0] < lo
        moved = chart._model.window
        await pilot.hover(chart, offset=(20, 8))
        assert chart._model.window == moved  # the drag has ended
        await pilot.click(chart, offset=(40, 8), times=2)
        assert chart.viewport.whole


async def test_a_theme_switch_restyles() -> None:
    app = ChartApp(Series("train", history_of([2.0] * 50)))
    async with app.run_test(size=(60, 10)) as pilot:

        def colours() -> set[str]:
            strips = app.chart.render_lines(Region(0, 0, 60, 10))
            styles = [segment.style for strip in strips for segment in strip]
            return {style.color.name for style in styles if style is not None and style.color is not None}

        dark = colours()
        app.theme = "textual-light"
        await pilot.pause()
        light = colours()
        primary = Color.parse(app.theme_variables["primary"]).hex.lower()
        assert primary in light
        assert dark != light


async def test_without_colour_a_line_is_bold_over_dim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = ChartApp(Series("train", history_of([2.0 + step % 7 for step in range(300)])))
    async with app.run_test(size=(60, 12)):
        styles = [segment.style for strip in app.chart._strips for segment in strip if segment.style is not None]
        assert any(style.bold for style in styles)
        assert any(style.dim for style in styles)


async def test_keys_are_on_the_border_and_help_is_there_when_focused(long_app: ChartApp) -> None:
    async with long_app.run_test(size=(100, 20)) as pilot:
        long_app.chart.focus()
        await pilot.pause()
        assert all(word in rows(long_app)[-1] for word in ("zoom", "pan", "read", "log", "smooth", "fit"))
        await long_app.mount(HelpPanel())
        assert long_app.chart.HELP.strip()
        long_app.chart.blur()
        await pilot.pause()
        assert "zoom" not in rows(long_app)[-1]


async def test_resizing_redraws(long_app: ChartApp) -> None:
    async with long_app.run_test(size=(80, 20)) as pilot:
        for size in ((20, 5), (8, 3), (120, 40), (20, 3)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert [len(row) for row in rows(long_app)] == [size[0]] * size[1]


async def test_a_rollback_is_shown() -> None:
    history = history_of([2.0] * 100)
    app = ChartApp(Series("train", history, smooth=False))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        full = app.chart._frame
        history.cut_after(50)
        app.chart.marks = [Mark(50, "↺")]
        await pilot.pause()
        assert app.chart._frame is not full
        assert any("↺" in row for row in rows(app))


async def test_a_hidden_chart_is_not_drawn() -> None:
    history = history_of([2.0] * 10)
    app = ChartApp(Series("train", history))
    async with app.run_test(size=(60, 12)) as pilot:
        app.chart.display = False
        await pilot.pause()
        frame = app.chart._frame
        history.append(11, 3.0)
        app.chart.refresh_data()
        assert app.chart._frame is frame
        app.chart.display = True
        await pilot.pause()
        app.chart.refresh_data()
        assert app.chart._frame is not frame
