"""The window of steps, and how zooming, panning and the cursor move it."""

from __future__ import annotations

import pytest

from rnnplay.tui.chart.canvas import Layout
from rnnplay.tui.chart.chart_model import ChartModel, Series, Viewport
from rnnplay.tui.chart.history import History


def drawn_model(steps: int = 1000) -> ChartModel:
    """A model of `steps` steps, drawn on a plot of 60 cells."""
    history = History()
    history.extend((step, 2.0) for step in range(1, steps + 1))
    model = ChartModel([Series("train", history)])
    model.draw(Layout(66, 10))
    return model


def redraw(model: ChartModel) -> tuple[float, float]:
    model.draw(Layout(66, 10))
    return model.window


def test_the_window_grows_in_jumps() -> None:
    # Between jumps only the newest columns change; that keeps the bytes to the terminal few.
    view = Viewport()
    ends = {view.window(1, last)[1] for last in range(1000, 2000)}
    assert ends == {1250, 1600, 2000}
    assert all(view.window(1, last)[1] > last for last in range(1, 2000))


def test_the_window_ends_with_the_run() -> None:
    assert Viewport(limit=4500).window(1, 4400)[1] == 4501
    assert Viewport(limit=5000).window(1, 5000)[1] == 5001
    assert Viewport(limit=5000).window(1, 100)[1] < 200


def test_zoom_pan_and_back() -> None:
    view = Viewport()
    view.zoom(2, 1, 1000)
    assert view.following and not view.whole
    lo, hi = view.window(1, 1000)
    assert hi > 1000 and hi - lo == view.span
    view.pan(-0.5, 1, 1000)
    assert not view.following
    held = view.window(1, 1000)
    assert view.window(1, 9000) == held  # a window that was panned to stays
    view.zoom(2, 1, 1000, at=held[0])
    assert view.window(1, 1000)[0] == pytest.approx(held[0])
    view.pan(100, 1, 1000)
    assert view.following
    for _ in range(10):
        view.zoom(0.5, 1, 1000)
    assert view.whole
    for _ in range(50):
        view.zoom(2, 1, 1000)
    assert view.span == 8.0
    view.reset()
    assert view.whole


def test_zooming_keeps_the_step_under_the_mouse_and_follows_the_latest() -> None:
    model = drawn_model()
    model.zoom(4, 30, 60)
    redraw(model)
    before = model.step_at(30, 60)
    model.zoom(2, 30, 60)
    redraw(model)
    assert model.step_at(30, 60) == pytest.approx(before)
    assert not model.viewport.following

    model = drawn_model()
    model.zoom(4, int(1000 / model.window[1] * 60), 60)  # the cell of the latest step
    assert model.viewport.following


def test_dragging_moves_the_window_with_the_mouse() -> None:
    model = drawn_model()
    model.zoom(4, 20, 60)
    start, end = redraw(model)
    for cells in (3, 9):  # both counted from where the button was pressed
        model.drag(start, cells, 60)
        assert redraw(model)[0] == pytest.approx(start - cells * (end - start) / 60)


def test_the_cursor_begins_at_the_latest_step_and_stays_in_the_plot() -> None:
    model = drawn_model()
    model.move_cursor(-1, 60)
    assert model.cursor is not None
    assert model.step_at(model.cursor, 60) == pytest.approx(1000, abs=model.window[1] / 60)
    model.move_cursor(-500, 60)
    assert model.cursor == 0
    model.move_cursor(500, 60)
    assert model.cursor == 59


def test_without_steps_nothing_moves() -> None:
    model = ChartModel([Series("train", History())])
    model.zoom(2, 5, 60)
    model.pan(0.25)
    model.move_cursor(1, 60)
    assert model.viewport.whole
    assert model.cursor is None


def test_a_run_that_left_the_plot_has_its_mark_and_its_cross_in_the_top_row() -> None:
    # Else a variant that diverged is nowhere to be seen while the others fill the plot.
    runs = []
    for mark, last in (("●", 1.5), ("▲", 900.0)):
        history = History()
        history.extend((step, 4.0 + (last - 4.0) * step / 400) for step in range(1, 401))
        runs.append(Series("run", history, raw=False, mark=mark, end="×" if last > 4 else ""))
    rows = ChartModel(runs).draw(Layout(66, 10)).text()
    assert "▲" in rows[0] and "×" in rows[0]
    assert "●" in "".join(rows[3:]), "the other one has most of the height"
