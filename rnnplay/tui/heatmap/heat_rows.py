"""The levels of a heatmap, units by timesteps, and how wide its columns and labels are. No widgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from rnnplay.tui.heatmap.shades import BAD, LEVELS
from rnnplay.tui.widgets.visible import padded, visible_token

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LABEL = 12
"""Cells left of the map: a unit's number and its score."""


def levels_of(values: Sequence[Sequence[float]]) -> Array:
    """The signed levels (units, timesteps), int, of `values` between -1 and 1; BAD for what is not finite."""
    import numpy as np

    array = np.array(values, float).reshape(len(values), len(values[0]) if values else 0)
    finite = np.isfinite(array)
    levels: Array = np.rint(np.clip(np.where(finite, array, 0.0), -1.0, 1.0) * LEVELS).astype(np.int8)
    levels[~finite] = BAD
    return levels


def column_width(tokens: Sequence[str], room: int) -> int:
    """Cells a timestep takes so that all of them fit if they can: 1 to 3 for characters, up to 8 for words."""
    longest = max((cell_len(visible_token(token)) for token in tokens), default=1)
    most = 3 if longest <= 2 else 8
    least = 1 if longest <= 2 else 3
    return min(max(room // max(len(tokens), 1), least), most)


def token_row(tokens: Sequence[str], width: int) -> str:
    """`tokens` under their columns of `width` cells."""
    return "".join(_column(token, width) for token in tokens)


def _column(token: str, width: int) -> str:
    text = visible_token(token)
    if width == 1:  # one cell: a wide character has no room
        return text if cell_len(text) == 1 else "…"
    return padded(text, width - 1) + " " if cell_len(text) > 1 or width > 2 else padded(text, width)


def label(unit: int, score: float) -> str:
    """ " 117  +0.83 ", LABEL cells."""
    number = f"{score:+.2f}" if math.isfinite(score) else "–"
    return f"{unit:>4} {number:>6} "[:LABEL]
