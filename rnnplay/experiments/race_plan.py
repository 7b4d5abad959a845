"""The plan of a race: its variants, how they share the cores, and in what they are compared."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rnnplay.config import RunConfig, with_values
from rnnplay.engine import messages
from rnnplay.experiments.fairness import CountTokens, matched, repeated
from rnnplay.experiments.sharing import Measure, Share, Sharing, choose_sharing
from rnnplay.experiments.standings import By, Quality
from rnnplay.experiments.variants import TEXT_KNOBS, Variant
from rnnplay.model.parameter_count import parameter_count


class RacePlan(msgspec.Struct, frozen=True, kw_only=True, tag="race"):
    """What races, and how: everything that a screen or a program needs to say about it beforehand."""

    setup: RunConfig
    """What all variants have in common."""
    variants: list[Variant]
    """With the number of threads and the first seed that they are trained with."""
    sharing: Sharing
    measure: Measure
    """In which the variants are compared when they have had equally much of it."""
    by: By = "best"
    quality: Quality = "loss"
    """bits_per_character where variants predict different tokens, whose losses per token cannot be compared."""
    repeats: int = 1
    """Races one after the other, each with the next seed."""
    parameters: int | None = None
    """The number that each variant's is matched to; None if sizes are as configured."""
    branch: messages.BranchFrom | None = None
    """The checkpoint whose weights all variants begin with; None for random ones."""

    def races(self) -> list[list[Variant]]:
        """The variants of each race, one race a seed."""
        return repeated(self.variants, self.repeats)

    def described(self) -> str:
        """How the race is run, in a line."""
        parts = [self.sharing.described(len(self.variants))]
        if self.repeats > 1:
            parts.append(f"{self.repeats} seeds")
        if self.parameters is not None:
            parts.append(f"about {self.parameters:,} parameters each")
        if self.branch is not None:
            parts.append(f"from the weights of {self.branch.checkpoint}")
        return "; ".join(parts)


def plan_race(
    setup: RunConfig,
    variants: Sequence[Variant],
    *,
    cores: int,
    device: str = "cpu",
    share: Share | None = None,
    match_parameters: CountTokens | None = None,
    repeats: int = 1,
    measure: Measure | None = None,
    by: By = "best",
    branch: messages.BranchFrom | None = None,
) -> RacePlan:
    """Plans a race of `variants` of `setup` on `cores`, from the weights of `branch` if given.

    `share`: None for the default of `choose_sharing`. `match_parameters`: counts the tokens of a config's vocabulary;
    given if the variants are to have equally many parameters. `measure`: None for that of the turns, else that of the
    setup's length. Raises ConfigError if the variants cannot be matched or repeated.
    """
    sharing = choose_sharing(share, len(variants), cores, device)
    chosen = list(variants)
    if match_parameters is not None:
        chosen = matched(chosen, setup, match_parameters)
    chosen = [with_threads(variant, sharing.threads) for variant in chosen]
    repeated(chosen, repeats)  # raises where that is impossible
    mixed = any(len({getattr(variant.config, name) for variant in chosen}) > 1 for name in TEXT_KNOBS)
    return RacePlan(
        setup=setup,
        variants=chosen,
        sharing=sharing,
        measure=measure or _natural_measure(setup, share),
        by=by,
        quality="bits_per_character" if mixed else "loss",
        repeats=repeats,
        parameters=parameter_count(setup, match_parameters(setup)) if match_parameters else None,
        branch=branch,
    )


def _natural_measure(setup: RunConfig, share: Share | None) -> Measure:
    if share is not None and share != "threads":
        return share
    return "steps" if setup.steps else "tokens" if setup.epochs else "seconds"


def with_threads(variant: Variant, threads: int) -> Variant:
    """Returns `variant` with the number of threads that its setup gives, else with `threads`."""
    if variant.config.threads:
        return variant
    return msgspec.structs.replace(variant, config=with_values(variant.config, {"threads": threads}))
