"""The config with which a run is resumed: what of it may change, and how a finished run is extended."""

from __future__ import annotations

import msgspec

from rnnplay.config import RunConfig, knobs, with_values
from rnnplay.training.length import LENGTHS

CHANGEABLE = (*LENGTHS, *(name for name, spec in knobs().items() if spec.knob.live))
"""Settings that may change when a run is resumed."""


def with_values_of(config: RunConfig, other: RunConfig, names: tuple[str, ...]) -> RunConfig:
    """Returns `config` with the values of `other` for `names`."""
    return msgspec.structs.replace(config, **{name: getattr(other, name) for name in names})


def extended(config: RunConfig, fraction: float) -> RunConfig:
    """Returns `config` extended by its length: a run of two minutes continues to four."""
    times = max(1.0, fraction) + 1
    if times < 2.05:  # a run limited by minutes overshoots by up to one step
        times = 2.0
    grown = {name: value * times for name in LENGTHS if (value := getattr(config, name))}
    if "steps" in grown:
        grown["steps"] = int(grown["steps"])
    return with_values(config, grown) if grown else config
