"""What a curve of gradients says in numbers."""

from __future__ import annotations

import math

from rnnplay.tui.inspection.gradients import falls_to, header, norms_of, summary, table
from tests.tui.findings import gradients


def test_where_a_curve_falls_to_a_hundredth() -> None:
    assert falls_to([0, 1, 2, 3], [1.0, 0.1, 0.01, 0.001]) == 2
    assert falls_to([0, 1, 2, 3], [1.0, 0.001, 0.5, 0.001]) == 3  # it came back
    assert falls_to([0, 1], [1.0, 0.5]) is None
    assert falls_to([0, 1], [0.0, 0.0]) is None
    assert falls_to([0, 1], [math.nan, 0.0]) is None


def test_the_row_of_a_curve() -> None:
    curve = gradients(8, decay=0.5)
    assert summary("now", curve.distances, norms_of(curve, "h", 0)) == ["now", "0.100", "3.91e-4", "0.00391", "k = 7"]
    assert summary("now", [0, 1], [1.0, 0.5]) == ["now", "1.00", "0.500", "0.500", "not by 1"]
    assert summary("now", [0, 1], [1.0, math.inf])[-1] == "not finite"
    assert norms_of(gradients(8, cell=False), "c", 0) == []
    assert summary("none", curve.distances, []) == ["none", "–", "–", "–", "–"]


def test_rows_line_up() -> None:
    lines = table([header([64, 64]), ["now", "0.100", "3.9e-4", "0.0039", "k = 7"]])
    assert lines == [
        "     at k = 0  at k = 64   ratio  falls to 1% at",
        "now     0.100     3.9e-4  0.0039           k = 7",
    ]
    assert header([64, 128])[2] == "at the last k", "kept curves may go back less far"
