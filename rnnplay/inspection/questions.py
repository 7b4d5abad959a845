"""The questions that can be asked about a model, one struct each; rnnplay.inspection.answer answers them. No torch."""

from __future__ import annotations

import msgspec

from rnnplay.inspection.results import Forced, Order, Property, Quantity

MAX_TOKENS = 4096
"""Longest text that can be asked about."""
CANDIDATES = 8
"""Number of most probable next tokens that a what-if comparison includes."""


class GradientsQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="gradients"):
    """Asks for a GradientCurve over a fixed set of windows of the validation text."""

    distance: int = 64
    """How many timesteps back to go; clamped if the text has no windows that long."""
    initial: bool = False
    """Whether to use the weights before the first step, rebuilt from settings and seed."""


class ClippingQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="clipping"):
    """Asks for a ClippedStep: the gradient of the run's next batch, clipped with the run's own settings."""


class PredictionsQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="predictions"):
    """Asks for the Predictions of `text`."""

    text: str
    forced: list[Forced] = []


class GatesQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="gates"):
    """Asks for a GateMap of `text`; a layer or quantity that the model lacks is replaced by one that it has."""

    text: str
    layer: int = 0
    quantity: Quantity = "hidden"
    order: Order = "index"
    property: Property = "quotes"
    first: int = 0
    """Rank, in that order, of the first unit returned."""
    count: int = 40
    forced: list[Forced] = []


class ConnectivityQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="connectivity"):
    """Asks for the Connectivity of the prediction made after token `position` of `text` (-1: the last)."""

    text: str
    position: int = -1


class DistancesQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="distances"):
    """Asks for a DistanceAccuracy; an InputError unless the run's corpus has known dependencies."""


class WhatIfQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="what_if"):
    """Asks for a ForcedCompletion: what follows `text`, with the cells unchanged and with `forced` applied."""

    text: str
    forced: list[Forced]
    candidates: int = CANDIDATES


class TimestepQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="timestep"):
    """Asks for the Timestep of an LSTM that reads token `position` of `text` (-1: the last one with a next token)."""

    text: str
    position: int = -1
    first: int = 0
    """The first unit returned."""
    count: int = 2


Question = (
    GradientsQuestion
    | ClippingQuestion
    | PredictionsQuestion
    | GatesQuestion
    | ConnectivityQuestion
    | DistancesQuestion
    | WhatIfQuestion
    | TimestepQuestion
)
