"""The plot of a learning-rate range test, for the interface and the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnnplay.experiments.lr_range import RangePoint, RangeResult, averaged, result_of
from rnnplay.tui.value_plot.value_frame import Line, Rule, ValuePlot

ABOVE = 1.15
"""The vertical axis ends at this many times the first loss: what explodes leaves it."""


def rates_plot(points: Sequence[RangePoint], low: float, high: float, result: RangeResult | None = None) -> ValuePlot:
    """The losses, their average, and the rates of note; `result` is found from the points if not given."""

    def place(lr: float) -> float:
        return (math.log(lr) - math.log(low)) / (math.log(high) - math.log(low))

    result = result or result_of(points)
    first = points[0].loss if points else 1.0
    shown = [(place(one.lr), min(one.loss, 2 * ABOVE * first)) for one in points if math.isfinite(one.loss)]
    means = [(place(one.lr), mean) for one, mean in zip(points, averaged(points), strict=True)]
    means = [(x, min(mean, 2 * ABOVE * first)) for x, mean in means]
    rules = [
        Rule(place(lr), label, token)
        for lr, label, token in (
            (result.steepest, "steepest", "success"),
            (result.lowest, "lowest", "muted"),
            (result.blows_up, "blows up", "error"),
        )
        if lr is not None
    ]
    finite = [y for _, y in shown] or [first]
    y_range = min(finite), min(max(finite), ABOVE * first)
    return ValuePlot(rate_ticks(low, high), [Line(shown, faint=True), Line(means)], rules=rules, y_range=y_range)


def rate_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """The powers of ten from `low` to `high`, and the two ends where there is none."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    span = math.log10(high) - math.log10(low)
    ticks = [((power - math.log10(low)) / span, f"{10.0**power:g}") for power in range(first, last + 1)]
    return ticks if len(ticks) >= 2 else [(0.0, f"{low:.2g}"), *ticks, (1.0, f"{high:.2g}")]
