"""What a curve of gradients says, in numbers and words. No widgets."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from rnnplay.inspection.results import GradientCurve
from rnnplay.tui.chart.axes import format_value


def norms_of(curve: GradientCurve, state: str, layer: int) -> list[float]:
    """The norms (K + 1,) of `state` ("h" or "c") in `layer`; empty where the model has none."""
    layers = curve.cell if state == "c" else curve.hidden
    return layers[layer] if layer < len(layers) else []


def falls_to(distances: Sequence[int], norms: Sequence[float], share: float = 0.01) -> int | None:
    """The first distance from which on the norm stays at or below `share` of that at 0; None if it doesn't."""
    if not norms or not norms[0] > 0 or not math.isfinite(norms[0]):
        return None
    found = None
    for distance, norm in zip(distances, norms, strict=False):
        if not norm <= share * norms[0]:
            found = None
        elif found is None:
            found = distance
    return found


def summary(name: str, distances: Sequence[int], norms: Sequence[float]) -> list[str]:
    """The cells of a row: name, norm at 0, at K, their ratio, and where it has fallen to 1%."""
    if not norms or not distances:
        return [name, "–", "–", "–", "–"]
    first, last = norms[0], norms[-1]
    ratio = format_value(last / first) if first else "–"
    at = falls_to(distances, norms)
    falls = "is 0 everywhere" if first == 0 else f"k = {at}" if at is not None else f"not by {distances[-1]}"
    if not (math.isfinite(first) and math.isfinite(last)):
        falls = "not finite"
    return [name, format_value(first), format_value(last), ratio, falls]


def header(farthest: Collection[int]) -> list[str]:
    """The cells over those of `summary`; `farthest`: how far back each of the curves goes."""
    last = f"at k = {max(farthest)}" if len(set(farthest)) == 1 else "at the last k"
    return ["", "at k = 0", last, "ratio", "falls to 1% at"]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines: the first column to the left, the others to the right."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
