"""Measures the inspection's widgets: milliseconds of CPU time per redraw, and bytes to the terminal.

    python -m benchmarks.interface.views

"answer": a new answer in which everything differs (one of the curves, while the others stay); "cursor": a move of the
cursor by one token or cell. "painted" includes what Textual does to turn it into terminal output. The least of several
rounds' medians is taken, as other work on the machine only adds time.
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.widget import Widget

from benchmarks import options_of
from rnnplay.inspection.results import GateMap
from rnnplay.tui.chart.chart import Chart, Series
from rnnplay.tui.chart.history import History
from rnnplay.tui.heatmap.heat_map import HeatMap
from rnnplay.tui.heatmap.token_text import TokenText

SIZES = ((80, 14), (120, 30), (200, 50))
CHARACTERS, DISTANCE, CURVES = 400, 64, 6
ROUNDS, REDRAWS = 3, 20
Act = Callable[[Widget, int], None]


class Cost(NamedTuple):
    """Milliseconds of CPU time, and bytes."""

    drawn: float
    """Drawing what is new, and finding what differs."""
    painted: float
    """The same, including what Textual does up to the string for the terminal."""
    bytes: float
    """The length of that string."""


class _App(App[None]):
    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


def new_gates(widget: Widget, number: int) -> None:
    """Returns a heatmap in which every cell differs."""
    assert isinstance(widget, HeatMap)
    rng = random.Random(number)
    speeds = [0.5 + rng.random() / 2 for _ in range(widget.capacity)]
    found = GateMap(
        run="r",
        step=number,
        cell="lstm",
        layers=2,
        units=512,
        layer=0,
        quantity="cell",
        order="index",
        property="quotes",
        first=0,
        shown=list(range(widget.capacity)),
        scores=[rng.random() for _ in range(widget.capacity)],
        values=[[math.sin(number + speed * t) for t in range(CHARACTERS)] for speed in speeds],
        tokens=["a"] * CHARACTERS,
        low=0.1,
        high=0.2,
        histogram=[1] * 20,
    )
    # Only the drawing is measured: decoding the message is the same for all.
    widget.show(found)


def move_in_gates(widget: Widget, number: int) -> None:
    assert isinstance(widget, HeatMap)
    widget._go(number % min(widget.capacity, 10), widget.column + 1)


def new_text(widget: Widget, number: int) -> None:
    """Returns other levels for the same text."""
    assert isinstance(widget, TokenText)
    rng = random.Random(number)
    widget.show(list("abcdefgh" * (CHARACTERS // 8)), [rng.randrange(9) for _ in range(CHARACTERS)])


def move_in_text(widget: Widget, number: int) -> None:
    assert isinstance(widget, TokenText)
    widget._go((widget.cursor + 1 + number % 2) % CHARACTERS)


def new_curves(widget: Widget, number: int) -> None:
    """Returns gradients over the distance: all curves at first, then another last one."""
    assert isinstance(widget, Chart)
    series = list(widget.series[: CURVES - 1])
    for curve in range(len(series), CURVES):
        history = History()
        decay = 0.5 + 0.07 * curve + 0.01 * (number % 3)
        history.extend((k, decay**k) for k in range(DISTANCE + 1))
        series.append(Series(f"curve {curve}", history, "primary", smooth=False))
    widget.series = series


def move_in_curves(widget: Widget, number: int) -> None:
    assert isinstance(widget, Chart)
    widget._set_cursor(5 + number % 40)


KINDS: dict[str, tuple[Callable[[], Widget], Act, Act]] = {
    "gates": (HeatMap, new_gates, move_in_gates),
    "text": (TokenText, new_text, move_in_text),
    "gradients": (lambda: Chart(log_y=True, legend=False), new_curves, move_in_curves),
}


async def measure(kind: str, size: tuple[int, int]) -> tuple[Cost, Cost]:
    """Measures a new answer and a move of the cursor, at that size in cells."""
    make, answer, move = KINDS[kind]
    app = _App(make())
    rounds: list[list[Cost]] = [[], []]
    async with app.run_test(size=size) as pilot:
        answer(app.widget, 0)
        await pilot.pause()
        for number in range(ROUNDS):
            for which, act in enumerate((answer, move)):
                drawn, painted, sizes = [], [], []
                for redraw in range(REDRAWS):
                    started = time.process_time()
                    act(app.widget, number * REDRAWS + redraw)
                    middle = time.process_time()
                    app.screen._compositor.update_widgets({app.widget})
                    output = app.screen._compositor.render_update(full=False)
                    text = output.render_segments(app.console) if isinstance(output, CompositorUpdate) else ""
                    painted.append(time.process_time() - started)
                    drawn.append(middle - started)
                    sizes.append(len(text.encode()))
                    await pilot.pause()
                draw, paint = (1e3 * statistics.median(times) for times in (drawn, painted))
                rounds[which].append(Cost(draw, paint, statistics.median(sizes)))
    first, second = (Cost._make(min(column) for column in zip(*costs, strict=True)) for costs in rounds)
    return first, second


def main() -> None:
    options_of("benchmarks.interface.views", __doc__).parse_args()
    print(f"{'':19} {'answer':^27} {'cursor':^27}")
    print(f"{'view':>10} {'cells':>8}" + f" {'drawn ms':>9} {'painted':>9} {'bytes':>7}" * 2)
    for kind in KINDS:
        for size in SIZES:
            costs = asyncio.run(measure(kind, size))
            numbers = (f" {cost.drawn:>9.2f} {cost.painted:>9.2f} {cost.bytes:>7.0f}" for cost in costs)
            print(f"{kind:>10} {f'{size[0]}×{size[1]}':>8}" + "".join(numbers))


if __name__ == "__main__":
    main()
