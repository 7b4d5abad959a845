"""Makes a comparison fair: equal numbers of parameters instead of equal sizes, and several seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from rnnplay.config import ADAPTIVE_HIDDEN, RunConfig, knobs, with_values
from rnnplay.errors import ConfigError
from rnnplay.experiments.variants import Variant
from rnnplay.model.parameter_count import parameter_count

CountTokens = Callable[[RunConfig], int]
"""Returns the size of the vocabulary of a run with that config."""


def matched(variants: Sequence[Variant], setup: RunConfig, vocabulary: CountTokens) -> list[Variant]:
    """Returns the variants with `hidden` such that each has about as many parameters as `setup`.

    Of all sizes the one with the nearest number is taken; with tied weights `embedding` moves along. Raises ConfigError
    if the variants differ in their sizes already.
    """
    for name in ("hidden", "embedding"):
        if any(name in variant.changed for variant in variants):
            raise ConfigError(
                name, f"{name} is varied, so parameters cannot be matched; vary another knob or match no parameters."
            )
    wanted = parameter_count(setup, vocabulary(setup))
    return [
        msgspec.structs.replace(variant, config=with_parameters(variant.config, wanted, vocabulary(variant.config)))
        for variant in variants
    ]


def with_parameters(config: RunConfig, wanted: int, vocabulary: int) -> RunConfig:
    """Returns `config` with the `hidden` with which its number of parameters is nearest to `wanted`."""

    def count(hidden: int) -> int:
        return parameter_count(_with_hidden(config, hidden), vocabulary)

    limits = knobs()["hidden"].knob
    low = int(limits.low) if config.softmax == "full" else ADAPTIVE_HIDDEN
    high = int(limits.high)
    while low < high:  # the smallest size with at least as many
        middle = (low + high) // 2
        if count(middle) < wanted:
            low = middle + 1
        else:
            high = middle
    smaller = max(low - 1, ADAPTIVE_HIDDEN if config.softmax == "adaptive" else 1)
    return _with_hidden(config, min((smaller, low), key=lambda hidden: abs(count(hidden) - wanted)))


def _with_hidden(config: RunConfig, hidden: int) -> RunConfig:
    sizes = {"hidden": hidden, "embedding": hidden} if config.tie else {"hidden": hidden}
    return with_values(config, sizes)


def repeated(variants: Sequence[Variant], seeds: int) -> list[list[Variant]]:
    """Returns the variants with each of `seeds` successive seeds, from their own on: a race for each seed.

    Raises ConfigError if the seed is varied, or no seed is left.
    """
    if any("seed" in variant.changed for variant in variants) and seeds > 1:
        raise ConfigError(
            "seed", "seed is varied, so the race cannot be repeated with other seeds; choose one of both."
        )
    return [
        [
            msgspec.structs.replace(variant, config=with_values(variant.config, {"seed": variant.config.seed + number}))
            for variant in variants
        ]
        for number in range(seeds)
    ]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over the seeds of a variant."""

    n: int
    mean: float
    low: float
    high: float

    def overlaps(self, other: Spread) -> bool:
        """Whether the ranges of the two have a value in common."""
        return self.low <= other.high and other.low <= self.high


def spread(values: Sequence[float]) -> Spread | None:
    """Returns mean and range of the finite values; None if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    return Spread(n=len(finite), mean=math.fsum(finite) / len(finite), low=min(finite), high=max(finite))


def told_apart(best: tuple[str, Spread], other: tuple[str, Spread]) -> str:
    """Says in a sentence whether the seeds tell two variants apart, of which `best` has the lower mean."""
    (name, one), (other_name, two) = best, other
    if min(one.n, two.n) < 2:
        return f"{name} and {other_name} have been compared with one seed so far: their difference may be noise."
    if one.overlaps(two):
        return (
            f"The ranges of {name} and {other_name} overlap over {min(one.n, two.n)} seeds: "
            "their difference may be noise."
        )
    return (
        f"{name} is ahead of {other_name} with every seed: their ranges over {min(one.n, two.n)} seeds do not overlap."
    )
