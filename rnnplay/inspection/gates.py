"""Builds heatmaps of a quantity that a layer's cells compute over a text, with the units in a chosen order."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnplay.inspection.cell.unrolled import UnrolledText
from rnnplay.inspection.properties import correlation, pieces, property_values
from rnnplay.inspection.results import (
    GATES,
    QUANTITIES,
    SATURATED_HIGH,
    SATURATED_LOW,
    GateMap,
    Order,
    Property,
    Quantity,
)
from rnnplay.text.tokenizers.build import Tokenizer

BINS = 20

MAX_VALUES = 200_000
"""Limit on the values in one heatmap, which keeps its message to a few megabytes."""


def gate_map(
    unrolled: UnrolledText,
    tokenizer: Tokenizer,
    *,
    layer: int = 0,
    quantity: Quantity = "hidden",
    order: Order = "index",
    property: Property = "quotes",  # noqa: A002 (as in GatesQuestion)
    first: int = 0,
    count: int = 40,
    run: str = "",
    step: int = 0,
) -> GateMap:
    """Returns `count` units from rank `first` of the order on; arguments out of range are clamped.

    index       by number; the scores are the variance
    variance    over the text, largest first
    saturation  fraction of timesteps below 0.1 or above 0.9 (gates), or with |value| above 0.9 (others)
    property    Pearson's correlation with the property, largest absolute value first
    """
    layer = min(max(0, layer), len(unrolled.layers) - 1)
    quantity = quantity if quantity in QUANTITIES[unrolled.cell] else "hidden"
    values = unrolled.layers[layer][quantity]  # (T, H)
    units = values.shape[1]
    count = min(max(1, count), units, max(1, MAX_VALUES // len(values)))
    first = min(max(0, first), units - count)
    gate = quantity in GATES
    scores = _scores(values, gate, order, property, unrolled, tokenizer)  # (H,)
    scores[values.isnan().any(0).numpy()] = np.nan  # diverged models; NaN sorts last
    ranked = np.arange(units) if order == "index" else np.argsort(-np.abs(scores), kind="stable")
    shown = ranked[first : first + count]
    sizes = values if gate else values.abs()
    return GateMap(
        run=run,
        step=step,
        cell=unrolled.cell,
        layers=len(unrolled.layers),
        units=units,
        layer=layer,
        quantity=quantity,
        order=order,
        property=property,
        first=first,
        shown=shown.tolist(),
        scores=scores[shown].tolist(),
        values=values[:, torch.from_numpy(shown)].T.tolist(),
        tokens=unrolled.tokens,
        low=_fraction(sizes, sizes < SATURATED_LOW),
        high=_fraction(sizes, sizes > SATURATED_HIGH),
        histogram=_histogram(values, gate),
    )


def _scores(
    values: Tensor, gate: bool, order: Order, name: Property, unrolled: UnrolledText, tokenizer: Tokenizer
) -> NDArray[np.float64]:
    scores: NDArray[np.float64]
    if order == "saturation":
        closed = values < SATURATED_LOW if gate else values < -SATURATED_HIGH
        scores = (closed | (values > SATURATED_HIGH)).double().mean(0).numpy()
    elif order == "property":
        wanted = property_values(name, pieces(tokenizer, unrolled.ids, unrolled.previous))
        scores = correlation(values.T.double().numpy(), wanted)
    else:
        scores = values.double().var(0, correction=0).numpy()
    return scores


def _fraction(values: Tensor, where: Tensor) -> float:
    return math.nan if bool(values.isnan().any()) else float(where.double().mean())


def _histogram(values: Tensor, gate: bool) -> list[int]:
    low = 0.0 if gate else -1.0
    held = values[~values.isnan()].clamp(low, 1.0)
    counts: list[int] = torch.histc(held, BINS, low, 1.0).long().tolist()
    return counts
