"""Axes: the visible range of a quantity, its ticks and their labels, and how axes are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnplay.common.curves import joint_range, robust_range
from rnnplay.tui.chart.canvas import AXIS, GUTTER, LABEL, Frame, Layout, blank

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FAR_BELOW = -400.0  # log10 of values up to zero: below the smallest float, so that a line to it falls straight down
_GREATEST = 1e300  # keeps the sums and differences of an axis finite
_GROWTH = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.4, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis from `low` (bottom) to `high` (top); both are log10 of the value when `log`."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """The position of `value`: 0 at the top, 1 at the bottom."""
        if self.log:
            value = math.log10(value) if value > 0 else _FAR_BELOW
        return (self.high - value) / (self.high - self.low)

    def dots(self, values: NDArray[Any], height: int) -> NDArray[Any]:
        """The dot rows (floats, 0 at the top) of `values` on a raster of `height` dots; NaN stays NaN."""
        import numpy as np

        if self.log:
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.where(values > 0, np.log10(values), np.where(np.isnan(values), np.nan, _FAR_BELOW))
        rows: NDArray[Any] = (self.high - values) * ((height - 1) / (self.high - self.low))
        return rows

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most about `most` values with their labels, from the bottom up."""
        return log_ticks(self.low, self.high, most) if self.log else linear_ticks(self.low, self.high, most)


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × a power of ten that is at least `least`."""
    if least <= 0 or not math.isfinite(least):
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if factor * power >= least * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def nice_ceiling(value: float) -> float:
    """The next of ten values per decade (R10 of ISO 3) from `value` up: an axis that ends there is seldom redrawn."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in _GROWTH if factor * power >= value * (1 - 1e-9))


def linear_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Multiples of a round step in [low, high]."""
    if most < 1 or not high > low:
        return []
    step = nice_step((high - low) / max(most, 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(i * step, format_value(i * step, step)) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Powers of ten in [10^low, 10^high], thinned to `most`; with 2 and 5 between them if they fit."""
    if most < 1 or not high > low:
        return []
    low, high = max(low, -300.0), min(high, 300.0)
    lowest, highest = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    decades = highest - lowest + 1
    exponents = range(math.floor(low), highest + 1)
    for factors in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3)):
        if decades > most or (decades >= 3 and len(factors) == 9):
            continue
        values = [f * 10.0**e for e in exponents for f in factors if low - 1e-9 <= math.log10(f) + e <= high + 1e-9]
        if 2 <= len(values) <= most:
            return [(v, format_value(v, v)) for v in values]
    if decades < 2:
        # Less than a decade between the ends: round values serve as well as powers.
        ticks = [(v, text) for v, text in linear_ticks(10.0**low, 10.0**high, most) if v > 0]
        return ticks or [(10.0**lowest, format_value(10.0**lowest, 10.0**lowest))]
    every = -(-decades // most)
    return [(10.0**e, format_value(10.0**e, 10.0**e)) for e in range(lowest, highest + 1) if e % every == 0]


def format_value(value: float, step: float | None = None) -> str:
    """Formats `value` in few characters, precise to `step` (else to three digits): 1.43, 0.05, 12k, 1e-6, 3e12."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    size = abs(value)
    if step is None:
        step = 10.0 ** (math.floor(math.log10(size)) - 2)
    if size >= 1e9 or size < 1e-3:
        digits = max(0, min(3, math.floor(math.log10(size) + 1e-9) - math.floor(math.log10(step) + 1e-9)))
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    if size >= 9999.5:
        unit, letter = (1e6, "M") if size >= 999_950 else (1e3, "k")
        return _fixed(value / unit, step / unit) + letter
    return _fixed(value, step)


def _fixed(value: float, step: float) -> str:
    decimals = 0 if step >= 1 and step == int(step) else max(0, min(6, -math.floor(math.log10(step) + 1e-9)))
    # A step of 0.25 or 2.5 needs one digit more than its magnitude.
    if decimals < 6 and abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6 * step * 10**decimals:
        decimals += 1
    return f"{value:.{decimals}f}"


def format_step(step: float, width: float | None) -> str:
    """Formats a step number in few characters: 0, 500, 1.2k, 30k, 1.25M; precise to `width` if given."""
    size = abs(step)
    unit, letter = (1e6, "M") if size >= 1e6 else (1e3, "k") if size >= 1e3 else (1.0, "")
    text = _fixed(step / unit, (10 if width is None else width) / unit)
    return (text.rstrip("0").rstrip(".") if "." in text else text) + letter


def visible_range(
    runs: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    *,
    log: bool,
    threshold: float | None = None,
    whole: bool = False,
    lost: Sequence[bool] = (),
) -> tuple[float, float]:
    """The range to show for values from `low` to `high` (n,) of each run, which are NaN where there are none.

    Its log10 if `log`. It includes the threshold unless that would squeeze the curves into a corner. `lost`: whether
    the values of each run ceased to be finite or its curve ends in a cross; the range is then that of the others.
    """
    import numpy as np

    threshold = (math.log10(threshold) if threshold > 0 else None) if log and threshold is not None else threshold
    ranges, gone = [], []
    for number, (low, high) in enumerate(runs):
        held = low > 0 if log else low == low
        low, high = np.maximum(low[held], -_GREATEST), np.minimum(high[held], _GREATEST)
        if len(low):
            low, high = (np.log10(low), np.log10(high)) if log else (low, high)
            ranges.append(robust_range(low, high, whole=whole))
            gone.append(number < len(lost) and lost[number])
    if not ranges:
        return (-1.0, 1.0) if threshold is None else (threshold - 1.0, threshold + 1.0)
    least, greatest = joint_range(ranges, gone, log=log, whole=whole)
    if threshold is not None:
        spare = 2.0 if log else 1.5 * (greatest - least)
        with_it = min(least, threshold), max(greatest, threshold)
        if with_it[1] - with_it[0] <= greatest - least + spare:
            return with_it
    return least, greatest


def settle(
    current: tuple[float, float] | None, wanted: tuple[float, float], *, positive: bool = False
) -> tuple[float, float]:
    """The ends of an axis that shows `wanted` without jitter.

    Returns `current` while it contains `wanted` and is not much too large; otherwise round numbers slightly outside
    `wanted`. With `positive` the margin does not extend below zero.
    """
    low, high = wanted
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1e-12):
        span = max(abs(low), abs(high)) * 0.1 or 1.0
        low, high = low - span / 2, high + span / 2
    if current is not None and current[0] <= low and high <= current[1] and span >= 0.55 * (current[1] - current[0]):
        return current
    step = nice_step(span / 10)
    bottom = math.floor((low - 0.03 * span) / step) * step
    top = math.ceil((high + 0.03 * span) / step) * step
    if positive and wanted[0] >= 0:
        bottom = max(bottom, 0.0)
    return bottom, top


@lru_cache(maxsize=32)
def draw_axes(layout: Layout, scale: Scale, lo_step: float, hi_step: float, unit: float) -> Frame:
    """An empty plot with its axes; copy it before drawing on it. `unit`: what a step is on the horizontal axis."""
    frame = blank(layout)
    if layout.left:
        draw_y_axis(frame, scale)
    if layout.height > layout.rows:
        _draw_x_axis(frame, lo_step, hi_step, unit)
    return frame


def draw_y_axis(frame: Frame, scale: Scale) -> None:
    """Draws the vertical axis at the left of the plot, with labels where there is room for them."""
    left, rows = frame.layout.left, frame.layout.rows
    frame.characters[:rows, left - 1] = ord("│")
    frame.inks[:rows, left - 1] = AXIS
    if left < GUTTER:
        return
    taken = -2
    for value, text in reversed(fitting_ticks(scale, max(2, 2 * rows // 5 + 1), left - 2)):
        row = row_of(scale.place(value), rows)
        if 0 <= row < rows and row > taken + (rows > 6):
            frame.put(row, max(0, left - 2 - len(text)), text, LABEL)
            frame.put(row, left - 1, "┤", AXIS)
            taken = row


def fitting_ticks(scale: Scale, most: int, width: int) -> list[tuple[float, str]]:
    """At most about `most` values with labels of `width` characters.

    Labels that are too long make way for fewer and rounder ones (0.10 for 0.125), or are written shorter (1e-3, .385),
    or, if all else fails, are one character longer; without any label a curve could not be read.
    """
    for room, short in ((width, scale.log), (width, True), (width + 1, True)):
        for count in range(most, 1, -1):
            ticks = [(value, _label(value, text, room, short)) for value, text in scale.ticks(count)]
            if len(ticks) >= 2 and all(len(text) <= room for _, text in ticks):
                return ticks
    ticks = [(value, _label(value, text, width + 1, True)) for value, text in scale.ticks(most)]
    return [(value, text) for value, text in ticks if len(text) <= width + 1]


def _label(value: float, text: str, room: int, short: bool) -> str:
    text = text.replace(".0e", "e")
    if len(text) <= room or not short:
        return text
    power = f"{value:.0e}"
    if math.isclose(float(power), value, rel_tol=1e-9):
        mantissa, _, exponent = power.partition("e")
        return f"{mantissa}e{int(exponent)}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def _draw_x_axis(frame: Frame, lo_step: float, hi_step: float, unit: float) -> None:
    layout = frame.layout
    left, columns, row = layout.left, layout.columns, layout.height - 1
    line = row > layout.rows
    if line:
        frame.put(layout.rows, max(left - 1, 0), ("└" if left else "") + "─" * columns, AXIS)
    step = max(1.0, nice_step((hi_step - lo_step) / max(2, columns // 11)))
    step = 5.0 if step == 2.5 else step  # steps are integers
    at = math.ceil(lo_step / step) * step
    end = -1
    while at < hi_step:
        text = format_step(at * unit, step * unit)
        column = left + column_of(at, lo_step, hi_step, columns)
        if line:
            frame.put(layout.rows, column, "┬", AXIS)
        start = min(max(column - (len(text) - 1) // 2, 0), layout.width - len(text))
        if start > end:
            frame.put(row, start, text, LABEL)
            end = start + len(text)
        at += step


def row_of(place: float, rows: int) -> int:
    """The cell row that contains the dot at a position between 0 (top) and 1 (bottom)."""
    return round(place * (4 * rows - 1)) // 4 if abs(place) < 1e6 else -1


def column_of(step: float, lo_step: float, hi_step: float, columns: int) -> int:
    """The cell column of `step` in a plot of [lo_step, hi_step)."""
    return int((step - lo_step) / (hi_step - lo_step) * columns // 1)
