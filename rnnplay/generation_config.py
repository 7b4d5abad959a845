"""Declares the knobs of what is done with a trained model. rnnplay/config.py declares those of a run."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rnnplay.knobs import Knob, check


class AdaptationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model adapts to the text that it reads. Raises ConfigError for an invalid value."""

    dynamic: Annotated[
        bool, Knob("update a copy of the weights after each segment of the text (Krause et al. 2018)", "adaptation")
    ] = False
    dynamic_lr: Annotated[float, Knob("learning rate of these updates", "adaptation", low=0, high=10)] = 0.0005
    dynamic_decay: Annotated[
        float,
        Knob("fraction by which each update also pulls a weight back to the trained one", "adaptation", low=0, high=1),
    ] = 0.01
    dynamic_segment: Annotated[int, Knob("tokens of a segment", "adaptation", low=1, high=10_000)] = 20
    cache: Annotated[
        bool,
        Knob("also predict what followed similar hidden states in the recent text (Grave et al. 2017)", "adaptation"),
    ] = False
    cache_size: Annotated[
        int, Knob("positions of the recent text that are kept", "adaptation", low=1, high=100_000)
    ] = 2000
    cache_theta: Annotated[
        float, Knob("how much more similar states count, θ in the paper", "adaptation", low=0, high=100)
    ] = 1.0
    cache_lambda: Annotated[float, Knob("weight of the cache in the mixture, λ", "adaptation", above=0, high=0.99)] = (
        0.15
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def adapts(self) -> bool:
        """Whether anything adapts."""
        return self.dynamic or self.cache
