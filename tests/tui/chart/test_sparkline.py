"""The sparkline: one value a cell, NaN and infinity shown and never raised on, painted only where it changed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region

from rnnplay.tui.chart.sparkline import BLOCKS, Spark, blocks


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        ([1.0], "▅"),
        ([2.0, 2.0], "▅▅"),
        ([float(v) for v in range(8)], "▁▂▃▄▅▆▇█"),
        ([0.0, math.nan, 7.0, math.inf, -math.inf], "▁✕█✕✕"),
        ([math.nan], "✕"),
    ],
)
def test_blocks(values: list[float], text: str) -> None:
    assert blocks(values) == [text]


def test_log_blocks() -> None:
    assert blocks([1e-3, 1e-2, 1e-1, 1.0], log=True) == ["▁▃▆█"]
    assert blocks([0.0, 1.0, 100.0], log=True) == ["▁▁█"]


def test_two_rows_are_one_column_of_sixteen() -> None:
    assert blocks([0.0, 7.0, 8.0, 15.0], rows=2) == ["  ▁█", "▁███"]
    assert blocks([math.nan, 1.0], rows=2) == [" ▁", "✕█"]


@given(st.lists(st.floats(), max_size=50), st.booleans(), st.integers(1, 2))
def test_any_value_can_be_shown(values: list[float], log: bool, rows: int) -> None:
    lines = blocks(values, log=log, rows=rows)
    assert [len(line) for line in lines] == [len(values)] * rows
    for value, character in zip(values, lines[-1], strict=True):
        assert (character == "✕") == (not math.isfinite(value))
        assert character in BLOCKS + "✕"


class SparkApp(App[None]):
    def __init__(self, spark: Spark) -> None:
        super().__init__()
        self.spark = spark

    def compose(self) -> ComposeResult:
        yield self.spark


async def test_label_bars_and_last_value() -> None:
    app = SparkApp(Spark("loss"))
    async with app.run_test(size=(30, 3)) as pilot:
        app.spark.extend([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
        await pilot.pause()
        assert app.spark.text() == ["loss ▁▂▃▄▅▆▇█             7.00"]
        app.spark.append(math.nan)
        assert app.spark.text() == ["loss ▁▂▃▄▅▆▇█✕             nan"]


async def test_the_last_values_that_fit_are_shown() -> None:
    app = SparkApp(Spark())
    async with app.run_test(size=(8, 3)) as pilot:
        app.spark.extend(range(100))
        await pilot.pause()
        assert app.spark.text() == ["▁▂▃▄▅▆▇█"]


async def test_values_above_the_threshold_have_their_own_colour() -> None:
    app = SparkApp(Spark())
    async with app.run_test(size=(40, 3)) as pilot:
        app.spark.threshold = 1.0
        app.spark.values = [0.5, 2.0, math.inf, 0.5]
        await pilot.pause()
        colours = [segment.style.color for segment in app.spark.render_line(0) if segment.style][:4]
        assert len(set(colours)) == 3
        assert colours[0] == colours[3]


async def test_only_what_changed_is_painted() -> None:
    app = SparkApp(Spark())
    async with app.run_test(size=(40, 3)) as pilot:
        app.spark.extend([1.0, 2.0, 3.0])
        await pilot.pause()
        painted: list[Region] = []
        refresh = app.spark.refresh

        def spy(*regions: Region, **options: bool) -> Spark:
            painted.extend(regions or [app.spark.size.region])
            return refresh(*regions, **options)

        app.spark.refresh = spy  # type: ignore[method-assign]
        app.spark.threshold = None
        assert not painted
        app.spark.append(3.0)
        assert [region.width for region in painted] == [1]


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5, 1), (12, 2)])
async def test_tiny_sizes(size: tuple[int, int]) -> None:
    app = SparkApp(Spark("gradient norm"))
    async with app.run_test(size=size) as pilot:
        app.spark.extend([1.0, math.nan, 2.0])
        await pilot.pause()
        assert all(len(line) <= size[0] for line in app.spark.text())
