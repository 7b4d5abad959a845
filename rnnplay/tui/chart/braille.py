"""Braille rasters: draws curves into cells of 2×4 dots with numpy, without a loop over dots.

A curve is a vertical span of dots for each dot column, `top` to `bottom` inclusive, rows counted from the top; a column
without a dot has top > bottom. A table look-up turns spans into cells of Unicode braille.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

BRAILLE = 0x2800
"""The code point of the cell without dots."""

DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot in a cell: DOT_BITS[row][column]."""


class Outline(NamedTuple):
    """The contents of each dot column of a curve, arrays of (n,)."""

    upper: Array
    """The upper end as a dot row, a float; NaN without a value."""
    lower: Array
    links: Array
    """(n − 1,) bool: whether columns i and i + 1 must touch."""


def outline(
    upper: Array,
    lower: Array,
    broken: Array,
    *,
    before: tuple[float, float] | None = None,
    after: tuple[float, float] | None = None,
    joined: bool = True,
) -> Outline:
    """The outline of a curve whose columns reach from `upper` to `lower` (n,), upper <= lower, NaN without a value.

    Columns without a value are bridged by straight lines between their neighbours, and neighbours touch, unless one of
    them or a column between them is `broken` (n,) bool: a curve is never joined across a NaN. `before` and `after` are
    points outside the window, as (column, dot row), to join the edges to.
    """
    import numpy as np

    n = len(upper)
    held = upper == upper
    at = held.nonzero()[0]
    if not joined or len(at) + (before is not None) + (after is not None) < 2:
        return Outline(upper, lower, np.zeros(max(n - 1, 0), bool))
    if len(at) == n or (len(at) and at[-1] - at[0] + 1 == len(at) and not (before or after)):
        return Outline(upper, lower, held[1:] & held[:-1] & ~(broken[1:] | broken[:-1]))
    return _bridge(upper, lower, broken, at, before, after)


def spans(outlines: Sequence[Outline], height: int) -> tuple[Array, Array]:
    """The dots of several curves: (top, bottom), int arrays of shape (curves, n).

    The spans of linked columns grow until they touch. Spans above or below the raster of `height` dots end one dot
    outside of it. All curves are drawn at once because on so few numbers a call of numpy costs more than its
    computation.
    """
    import numpy as np

    upper, lower, links = (np.array(part) for part in zip(*outlines, strict=True))
    held = upper == upper
    top = np.full(upper.shape, height + 1, np.int32)
    bottom = np.full(upper.shape, -2, np.int32)
    top[held] = np.rint(np.minimum(np.maximum(upper[held], -1), height))
    bottom[held] = np.rint(np.minimum(np.maximum(lower[held], -1), height))
    # Where the next column begins further down, this one extends half of the way down and the next one up to meet it.
    falls = links & (top[:, 1:] > bottom[:, :-1] + 1)
    rises = links & (top[:, :-1] > bottom[:, 1:] + 1)
    down = (bottom[:, :-1] + top[:, 1:]) >> 1
    up = (bottom[:, 1:] + top[:, :-1]) >> 1
    met_top, met_bottom = top.copy(), bottom.copy()
    met_bottom[:, :-1][falls] = down[falls]
    met_top[:, :-1][rises] = up[rises] + 1
    met_top[:, 1:][falls] = np.minimum(met_top[:, 1:], down + 1)[falls]
    met_bottom[:, 1:][rises] = np.maximum(met_bottom[:, 1:], up)[rises]
    return met_top, met_bottom


def _bridge(
    upper: Array,
    lower: Array,
    broken: Array,
    at: Array,
    before: tuple[float, float] | None,
    after: tuple[float, float] | None,
) -> Outline:
    """Fills the columns between those that hold a value, and links all that then hold one."""
    import numpy as np

    n = len(upper)
    x, y_upper, y_lower = at.astype(float), upper[at], lower[at]
    first, last = at, at  # the columns whose breaks count for a point
    if before is not None:
        x, first, last = np.append(before[0], x), np.append(0, first), np.append(-1, last)
        y_upper, y_lower = np.append(before[1], y_upper), np.append(before[1], y_lower)
    if after is not None:
        x, first, last = np.append(x, after[0]), np.append(first, n), np.append(last, n - 1)
        y_upper, y_lower = np.append(y_upper, after[1]), np.append(y_lower, after[1])
    crossed = np.append(0, np.cumsum(broken))  # crossed[i]: broken columns left of column i
    whole = crossed[last[1:] + 1] == crossed[first[:-1]]  # nothing broken from the i-th point to the next
    columns = np.arange(n)
    segment = np.searchsorted(x, columns, side="right") - 1
    within = (segment >= 0) & (segment < len(whole))
    joins = np.zeros(n, bool)
    joins[within] = whole[segment[within]]
    held = (upper == upper) | joins
    upper, lower = (np.where(held, np.interp(columns, x, y), np.nan) for y in (y_upper, y_lower))
    return Outline(upper, lower, joins[:-1] & held[1:])


def pack(top: Array, bottom: Array, rows: int) -> Array:
    """Packs spans (…, 2 × columns) into cells: uint8 of shape (…, rows, columns), to be added to BRAILLE."""
    import numpy as np

    first = np.arange(0, 4 * rows, 4, dtype=np.int32)[:, None]
    starts = np.minimum(np.maximum(top[..., None, :] - first, 0), 4)
    ends = np.minimum(np.maximum(bottom[..., None, :] - first, -1), 3)
    index = starts * 5 + ends + 1  # (…, rows, dot columns)
    left, right = _table()
    cells: Array = left[index[..., 0::2]] | right[index[..., 1::2]]
    return cells


@cache
def _table() -> tuple[Array, Array]:
    """The bits of a cell's left and right dots from row t (0..4) to row b (-1..3): table[side][5 * t + b + 1]."""
    import numpy as np

    table = np.zeros((2, 25), np.uint8)
    for side in range(2):
        for t in range(5):
            for b in range(-1, 4):
                table[side, 5 * t + b + 1] = sum(DOT_BITS[row][side] for row in range(t, b + 1))
    return table[0], table[1]
