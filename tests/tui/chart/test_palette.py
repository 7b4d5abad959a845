"""Runs in one chart are told apart by colour and by mark."""

from __future__ import annotations

from rich.cells import cell_len

from rnnplay.tui.chart import plot
from rnnplay.tui.chart.axes import Scale
from rnnplay.tui.chart.canvas import TOKENS, Layout, ink
from rnnplay.tui.chart.history import History
from rnnplay.tui.chart.palette import DIED, RUN_LOOKS, look_css, run_look


def curve_of(values: list[float], number: int, **options: object) -> plot.Curve:
    history = History()
    history.extend(enumerate(values))
    look = run_look(number)
    return plot.Curve(history.columns(0, 40, 80), look.color, mark=look.mark, **options)  # type: ignore[arg-type]


def test_looks_differ_in_colour_and_mark() -> None:
    looks = [run_look(number) for number in range(36)]
    assert tuple(looks[:6]) == RUN_LOOKS
    assert len({(look.color, look.mark) for look in looks}) == 36
    assert len({look.mark for look in RUN_LOOKS}) == len({look.dark for look in RUN_LOOKS}) == 6
    assert all(cell_len(look.mark) == 1 and look.color in TOKENS for look in looks)
    assert all(look.shade(True) in look_css("Chart") and look.shade(False) in look_css("Chart") for look in looks)


def test_marks_stand_on_the_curve_in_its_colour() -> None:
    curves = [curve_of([8.0] * 40, 0), curve_of([2.0] * 40, 1, end=DIED)]
    frame = plot.draw(plot.Plot(curves, 0, 40, Scale(0, 10)), Layout(46, 9))
    above, below = frame.text()[1], frame.text()[6]
    assert above.count("■") == below.count("▲") + 1 == 4
    assert above.index("■") != below.index("▲")  # where curves coincide, both marks are seen
    assert below.endswith(DIED)
    assert frame.inks[1, above.index("■")] == ink("run1")
    assert frame.inks[6, below.index("▲")] == ink("run2")


def test_each_point_of_a_dotted_curve_is_its_mark() -> None:
    history = History()
    history.extend([(0, 5.0), (20, 5.0), (39, 5.0)])
    curve = plot.Curve(history.columns(0, 40, 80), "run1", dots=True, mark="■")
    assert "".join(plot.draw(plot.Plot([curve], 0, 40, Scale(0, 10)), Layout(46, 9)).text()).count("■") == 3


def test_no_mark_of_another_curve_hides_where_a_run_died() -> None:
    """Its last validation may lie there, too."""
    history = History()
    history.extend([(39, 2.0)])
    validated = plot.Curve(history.columns(0, 40, 80), "run1", dots=True, mark="■")
    curves = [curve_of([2.0] * 40, 0, end=DIED), validated, curve_of([2.0] * 40, 1)]
    frame = plot.draw(plot.Plot(curves, 0, 40, Scale(0, 10)), Layout(46, 9))
    assert frame.text()[6].endswith(DIED)


def test_raw_values_can_be_left_out() -> None:
    values = [5.0, 1.0] * 20
    inks = [
        set(plot.draw(plot.Plot([curve_of(values, 0, raw=raw)], 0, 40, Scale(0, 10)), Layout(46, 9)).inks.flat)
        for raw in (True, False)
    ]
    assert ink("run1", faint=True) in inks[0] and ink("run1", faint=True) not in inks[1]
