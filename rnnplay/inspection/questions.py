"""What can be asked of a model: one struct a question. rnnplay.inspection.answer answers them. No torch."""

from __future__ import annotations

import msgspec

from rnnplay.inspection.results import Forced, Order, Property, Quantity

CANDIDATES = 8
"""Most probable next tokens that a what if compares."""


class GradientsQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="gradients"):
    """A GradientCurve, over windows of the validation text that are always the same."""

    distance: int = 64
    """How many timesteps back; where the text has no windows so long, fewer."""
    initial: bool = False
    """Of the weights as they were before the first step, which settings and seed determine."""


class ClippingQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="clipping"):
    """A ClippedStep: the gradient of the run's next batch, with the state carried into it, clipped as the run clips."""


class PredictionsQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="predictions"):
    """The Predictions of `text`."""

    text: str
    forced: list[Forced] = []


class GatesQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="gates"):
    """A GateMap of `text`; what the model does not have (a layer, a quantity) is brought within range."""

    text: str
    layer: int = 0
    quantity: Quantity = "hidden"
    order: Order = "index"
    property: Property = "quotes"
    first: int = 0
    """Place in that order of the first unit."""
    count: int = 40
    forced: list[Forced] = []


class ConnectivityQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="connectivity"):
    """The Connectivity of the prediction made after token `position` of `text` (-1: the last)."""

    text: str
    position: int = -1


class DistancesQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="distances"):
    """A DistanceAccuracy, of a run on a corpus whose dependencies are known; of others an InputError."""


class WhatIfQuestion(msgspec.Struct, frozen=True, kw_only=True, tag="what_if"):
    """A ForcedCompletion: what comes after `text`, with the cells untouched and with `forced`."""

    text: str
    forced: list[Forced]
    candidates: int = CANDIDATES


Question = (
    GradientsQuestion
    | ClippingQuestion
    | PredictionsQuestion
    | GatesQuestion
    | ConnectivityQuestion
    | DistancesQuestion
    | WhatIfQuestion
)
