"""Which combinations a study tries, in Optuna's terms: distributions, samplers, pruners."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnplay.config import Value
from rnnplay.experiments.sweep.plan import Plan
from rnnplay.experiments.sweep.space import Dimension, grid

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler


def combinations(plan: Plan) -> list[dict[str, Value]]:
    """Returns the combinations of a grid or a random search, the same ones every time."""
    if plan.sampler == "grid":
        return grid(plan.dimensions)
    import optuna

    drawing = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=plan.config.seed % 2**32))
    drawn_from = distributions(plan.dimensions)
    drawn = [dict(drawing.ask(drawn_from).params) for _ in range(plan.trials)]
    return [{name: _rounded(value) for name, value in one.items()} for one in drawn]


def _rounded(value: Value) -> Value:
    return float(f"{value:.6g}") if isinstance(value, float) and not math.isnan(value) else value


def distributions(dimensions: list[Dimension]) -> dict[str, BaseDistribution]:
    """Returns what each knob's values are drawn from."""
    return {dimension.knob: _distribution(dimension) for dimension in dimensions}


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.values:
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def sampler(plan: Plan) -> BaseSampler:
    """Returns what chooses the next combination; a grid's and a random search's are all known before."""
    import optuna

    if plan.sampler == "tpe":
        # Without a seed: two workers with the same one would try the same combinations.
        return optuna.samplers.TPESampler(constant_liar=True)
    return optuna.samplers.RandomSampler(seed=plan.config.seed % 2**32)


def pruner() -> BasePruner:
    """Returns what ends a trial early: its loss is above the median of at least four others at that step."""
    import optuna

    return optuna.pruners.MedianPruner(n_startup_trials=4, n_min_trials=4)
