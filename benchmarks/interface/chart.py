"""Measures a chart: milliseconds of CPU time per redraw, and bytes to the terminal.

    python -m benchmarks.interface.chart

Three series; after each five new points the chart is redrawn, as it is ten times a second while training. "update" is
that, "whole" the same after a change of everything (a zoom, a theme). Both include what Textual does to turn it into
terminal output. The least of several rounds' medians is taken, as other work on the machine only adds time.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from typing import NamedTuple

from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult

from benchmarks import options_of
from rnnplay.tui.chart.chart import Chart, Series
from rnnplay.tui.chart.history import History

SIZES = ((120, 20), (60, 10))
POINTS = (300, 1_000_000)
ROUNDS, REDRAWS = 3, 30


class Cost(NamedTuple):
    """Milliseconds of CPU time, and bytes."""

    update: float
    """`Chart.refresh_data` after new points."""
    whole: float
    """The same with every row redrawn."""
    painted: float
    """An update, including what Textual does up to the string for the terminal."""
    bytes: float
    """The length of that string."""


class _App(App[None]):
    CSS = "Chart { border: none; }"

    def __init__(self, histories: list[History]) -> None:
        super().__init__()
        self.histories = histories

    def compose(self) -> ComposeResult:
        tokens = ("primary", "accent", "success")
        yield Chart([Series(f"run {i}", history, tokens[i]) for i, history in enumerate(self.histories)])


def make_histories(points: int) -> list[History]:
    """Generates three noisy loss curves with that many steps."""
    rng = random.Random(0)
    histories = [History(f"run {i}") for i in range(3)]
    for i, history in enumerate(histories):
        history.extend((step, 1.4 + i / 3 + 90 / (step + 30) + rng.gauss(0, 0.1)) for step in range(1, points + 1))
    return histories


async def measure(histories: list[History], size: tuple[int, int]) -> Cost:
    """Measures the cost at that size, in cells."""
    rng = random.Random(1)
    rounds: list[Cost] = []
    app = _App(histories)
    async with app.run_test(size=size) as pilot:
        chart = app.query_one(Chart)
        await pilot.pause()

        def grow() -> None:
            for history in histories:
                last = history.last_step or 0
                history.extend((last + i, 1.6 + rng.gauss(0, 0.1)) for i in range(1, 6))

        for _ in range(ROUNDS):
            updates, wholes, painted, sizes = [], [], [], []
            for _ in range(REDRAWS):
                grow()
                started = time.process_time()
                chart.refresh_data()
                middle = time.process_time()
                app.screen._compositor.update_widgets({chart})
                output = app.screen._compositor.render_update(full=False)
                text = output.render_segments(app.console) if isinstance(output, CompositorUpdate) else ""
                ended = time.process_time()
                updates.append(middle - started)
                painted.append(ended - started)
                sizes.append(len(text.encode()))
                grow()
                chart._frame = None
                started = time.process_time()
                chart.refresh_data()
                wholes.append(time.process_time() - started)
                await pilot.pause()
            update, whole, paint = (1e3 * statistics.median(times) for times in (updates, wholes, painted))
            rounds.append(Cost(update, whole, paint, statistics.median(sizes)))
    return Cost._make(min(column) for column in zip(*rounds, strict=True))


def main() -> None:
    options_of("benchmarks.interface.chart", __doc__).parse_args()
    print(f"{'points':>10} {'cells':>8} {'update ms':>10} {'whole ms':>10} {'painted ms':>11} {'bytes':>7}")
    for points in POINTS:
        histories = make_histories(points)
        for width, height in SIZES:
            cost = asyncio.run(measure(histories, (width, height)))
            print(
                f"{points:>10,} {f'{width}×{height}':>8} {cost.update:>10.2f} {cost.whole:>10.2f} "
                f"{cost.painted:>11.2f} {cost.bytes:>7.0f}"
            )


if __name__ == "__main__":
    main()
