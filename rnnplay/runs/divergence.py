"""Decides when a run has diverged, from two numbers that every step has anyway. Does not load torch.

A step whose loss or gradient is not finite, or whose gradient is too large to be squared, never reaches the weights
(under `rollback` and `stop`). The run has diverged if
    such steps repeat: three in a row, or more than one in eleven for a while,
    or the loss is far above its level and stays there (a jump from which it recovers does not count, however high),
    or weights are not finite.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import msgspec

from rnnplay.config import RunConfig

LOSS, GRADIENT, WEIGHTS = "loss not finite", "gradient not finite", "weights not finite"
TOO_LARGE = "gradient too large"
FAR_ABOVE, BY_HAND = "loss far above its level", "by hand"

LARGEST_NORM = 1.8e19
"""Gradients above this are too large: they have squares beyond float32, and would make an optimizer's second moments
infinite for good."""

Remedy = Literal["none", "lower-rate", "clip"]

PROVEN_STEPS = 25
"""Steps without trouble before a state may be returned to: it may have been about to diverge."""

STRIKES = 3.0
STRIKE_FORGOTTEN = 0.1
"""How much each usable step reduces the strikes."""

FALL, RISE = 0.1, 0.005
"""The level follows a falling loss fast and a rising one slowly, so that a diverging run does not raise it."""

RECENT = 0.2
FACTOR, MARGIN = 2.0, 1.0
"""Far above: both twice the level and one nat more. (For memorised text, twice the loss is nothing.)"""

LARGEST_JUMP = 10.0
"""A loss counts as at most this many times the limit, so that one spike is soon forgotten."""

IMPROVEMENT = 0.95
STUCK_STEPS = 50
"""Steps far above the level without falling by 5% before the run counts as diverged."""

ABOVE_STEPS = 500
"""Steps far above the level before the run counts as diverged, however the loss moves."""


class Trouble(NamedTuple):
    """Why a run has diverged."""

    cause: str
    where: str
    """The parameter that is not finite, or whose gradient is not finite or is the largest, if any."""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Summarizes the losses of all steps so far; a part of every checkpoint."""

    level: float = math.nan
    """The usual loss, in nats per token; NaN before the first step."""
    recent: float = math.nan
    """Moving average of the loss over the last few steps."""
    strikes: float = 0.0
    """Recent steps that could not be used."""
    above: int = 0
    """Number of steps since `recent` rose far above `level`."""
    high: float = 0.0
    """The highest `recent` of these steps."""
    low: float = math.inf
    """The lowest `recent` after the highest."""
    stuck: int = 0
    """Number of these steps since `low` last fell by 5%."""
    rollbacks: int = 0
    """Automatic rollbacks of the run."""

    def after(self, loss: float, usable: bool) -> Watch:
        """Returns the watch after one more step; `usable`: its loss and gradient could be used."""
        replace = msgspec.structs.replace
        if not usable or not math.isfinite(loss):
            return replace(self, strikes=min(STRIKES, self.strikes + 1))
        strikes = max(0.0, self.strikes - STRIKE_FORGOTTEN)
        if math.isnan(self.level):
            return replace(self, level=loss, recent=loss, strikes=strikes)
        limit = max(FACTOR * self.level, self.level + MARGIN)
        recent = self.recent + RECENT * (min(loss, LARGEST_JUMP * limit) - self.recent)
        if recent <= limit:
            level = self.level + (FALL if loss < self.level else RISE) * (min(loss, limit) - self.level)
            return replace(self, level=level, recent=recent, strikes=strikes, above=0, high=0.0, low=math.inf, stuck=0)
        higher, better = recent > self.high, recent < IMPROVEMENT * self.low
        return replace(
            self,
            recent=recent,
            strikes=strikes,
            above=self.above + 1,
            high=recent if higher else self.high,
            low=recent if higher or better else self.low,
            stuck=0 if better and not higher else self.stuck + 1,
        )

    def rolled_back(self, rollbacks: int) -> Watch:
        """Returns the watch for a state that the run has been rolled back to."""
        return Watch(level=self.level, recent=self.level, rollbacks=rollbacks)

    @property
    def calm(self) -> bool:
        """Whether there is no trouble: a candidate state to return to."""
        return self.strikes == 0 and self.above == 0

    @property
    def repeated(self) -> bool:
        """Whether too many steps could not be used."""
        return self.strikes >= STRIKES

    @property
    def far_above(self) -> bool:
        """Whether the loss is far above its level and does not come down."""
        return self.stuck >= STUCK_STEPS or self.above >= ABOVE_STEPS

    @property
    def valid(self) -> bool:
        """Whether the values are valid; for files that anyone may have written."""
        counts = (self.above, self.stuck, self.rollbacks)
        return min(counts) >= 0 and 0 <= self.strikes <= STRIKES and not math.isnan(self.low)


def changes(remedy: Remedy, config: RunConfig) -> dict[str, float | str]:
    """The live knobs of `config` that `remedy` changes, with their new values."""
    if remedy == "lower-rate":
        return {"lr": config.lr / 2}
    if remedy == "clip":
        if config.clip == "norm":
            return {"clip_threshold": config.clip_threshold / 2}
        return {"clip": "norm", "clip_threshold": 1.0}
    return {}


def no_more_rollbacks(config: RunConfig, made: int, put_back: bool) -> str:
    """Says why a run ends here although it diverged with `rollback`: it was rolled back `made` times already.

    `put_back`: whether it stands at its last good state.
    """
    if not put_back:
        return "The run has diverged, and no good state is left to go back to; start it again."
    clip = "clip" if config.clip == "off" else "clip lower"
    again = f" again after {made} rollbacks" if made else ""
    return f"The run has diverged{again}, and stops; lower the learning rate, {clip}, or allow more rollbacks."
