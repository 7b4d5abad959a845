"""Plots over an axis of their own: lines, spots with intervals, rules with labels, ticks."""

from __future__ import annotations

import math

from rnnplay.experiments.lr_range import RangePoint, rates
from rnnplay.tui.chart.canvas import Layout
from rnnplay.tui.value_plot.rates import rate_ticks, rates_plot
from rnnplay.tui.value_plot.value_frame import Line, Rule, Spot, ValuePlot, draw

TICKS = [(0.0, "rnn"), (0.5, "gru"), (1.0, "lstm")]


def test_spots_lie_over_their_ticks_with_their_intervals() -> None:
    spots = [Spot(0.0, 3.0), Spot(0.5, 2.0, "◆", low=1.5, high=2.5), Spot(1.0, 1.0)]
    rows = draw(ValuePlot(TICKS, spots=spots), Layout(47, 16)).text()
    assert len(rows) == 16
    middle = [row[26] for row in rows]
    assert middle.count("◆") == 1 and middle.count("│") >= 2
    assert rows[-1].split() == ["rnn", "gru", "lstm"]
    assert rows.index(next(row for row in rows if row[6] == "●")) < middle.index("◆")


def test_a_line_goes_through_its_points() -> None:
    rows = draw(ValuePlot(TICKS, [Line([(0.0, 1.0), (1.0, 2.0)])]), Layout(46, 14)).text()
    cells = [sum(0x2800 < ord(character) <= 0x28FF for character in row[6:]) for row in rows]
    assert sum(cells) >= 40 and cells[5] > 0


def test_labels_of_close_rules_stand_in_rows_of_their_own() -> None:
    rules = [Rule(0.5, "lowest"), Rule(0.52, "blows up")]
    rows = draw(ValuePlot(TICKS, spots=[Spot(0.0, 1.0)], rules=rules), Layout(60, 14)).text()
    assert "lowest" in rows[0] and "blows up" in rows[1]


def test_nothing_to_draw_and_no_room() -> None:
    assert ValuePlot(TICKS).empty
    assert ValuePlot(TICKS, spots=[Spot(0.0, math.nan)]).empty
    plot = ValuePlot(TICKS, [Line([(0.0, 1.0)])], [Spot(1.0, 1.0, low=0.5, high=1.5)], [Rule(0.9, "a long label")])
    for width in range(12):
        for height in range(10):
            draw(plot, Layout(width, height))


def test_rates_are_labelled_at_powers_of_ten() -> None:
    assert [text for _, text in rate_ticks(1e-3, 1.0)] == ["0.001", "0.01", "0.1", "1"]
    assert [text for _, text in rate_ticks(0.002, 0.008)] == ["0.002", "0.008"]


def test_a_loss_that_explodes_leaves_the_plot_of_a_range_test() -> None:
    points = [RangePoint(at, lr, 4.0 if at < 40 else 400.0) for at, lr in enumerate(rates(1e-4, 1.0, 50), start=1)]
    assert rates_plot(points, 1e-4, 1.0).scale().high < 6
    assert rates_plot([], 1e-4, 1.0).empty
