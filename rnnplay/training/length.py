"""How far a run is: steps, epochs or minutes, whichever is reached first."""

from __future__ import annotations

from rnnplay.config import RunConfig


def fraction_done(config: RunConfig, step: int, epoch: float, seconds: float) -> float:
    """The share of its length that a run has done, 0 to 1; 0 if it has none. `seconds` is training time."""
    shares = [0.0]
    if config.steps:
        shares.append(step / config.steps)
    if config.epochs:
        shares.append(epoch / config.epochs)
    if config.minutes:
        shares.append(seconds / (60 * config.minutes))
    return min(1.0, max(shares))


def is_over(config: RunConfig, step: int, epoch: float, seconds: float, step_seconds: float = 0.0) -> bool:
    """Whether no further step is to be taken; by time, if the next one would end rather after than at the budget."""
    return (
        (config.steps > 0 and step >= config.steps)
        or (config.epochs > 0 and epoch >= config.epochs - 1e-9)
        or (config.minutes > 0 and seconds + step_seconds / 2 >= 60 * config.minutes)
    )


def seconds_left(
    config: RunConfig, fraction: float, seconds: float, begun_fraction: float = 0.0, begun_seconds: float = 0.0
) -> float | None:
    """Until the length is reached, at the pace since `begun_…`; None if there is no length or no pace yet."""
    if config.minutes and fraction == min(1.0, seconds / (60 * config.minutes)):
        return max(0.0, 60 * config.minutes - seconds)
    if fraction <= begun_fraction:
        return None
    return (1 - fraction) * (seconds - begun_seconds) / (fraction - begun_fraction)


def in_words(config: RunConfig) -> str:
    """ "1,000 steps", or "no limit"."""
    parts = []
    if config.steps:
        parts.append(f"{config.steps:,} step" + "s" * (config.steps != 1))
    if config.epochs:
        parts.append(f"{config.epochs:g} epoch" + "s" * (config.epochs != 1))
    if config.minutes:
        parts.append(f"{config.minutes:g} minute" + "s" * (config.minutes != 1))
    return " or ".join(parts) or "no limit"
