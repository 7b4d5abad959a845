"""Measures a run against its length: steps, epochs or minutes, whichever is reached first.

Minutes are of training time and include the final validation, which will take `closing` seconds.
"""

from __future__ import annotations

from typing import Literal

from rnnplay.config import RunConfig, with_values
from rnnplay.runs.checkpoint_state import TrainingState

LENGTHS = ("steps", "epochs", "minutes")


def fraction_done(config: RunConfig, step: int, epoch: float, seconds: float, closing: float = 0.0) -> float:
    """The fraction of its length that a run has done, 0 to 1; 0 without a length. `seconds`: training time."""
    fractions = [0.0]
    if config.steps:
        fractions.append(step / config.steps)
    if config.epochs:
        fractions.append(epoch / config.epochs)
    if config.minutes:
        fractions.append(_fraction_of_minutes(config, seconds, closing))
    return min(1.0, max(fractions))


def is_over(
    config: RunConfig, step: int, epoch: float, seconds: float, step_seconds: float = 0.0, closing: float = 0.0
) -> bool:
    """Whether to take no further step; by time, if more than half of the next one would be past the limit."""
    return (
        (config.steps > 0 and step >= config.steps)
        or (config.epochs > 0 and epoch >= config.epochs - 1e-9)
        or (config.minutes > 0 and seconds + step_seconds / 2 >= _seconds_of_steps(config, closing))
    )


def ends_at_once(before: RunConfig, config: RunConfig, state: TrainingState) -> Literal["", "length", "early stop"]:
    """Why a run in `state`, which had the config `before`, takes no step with `config`: "" if it goes on."""
    grown = any(
        (old := getattr(before, name)) > 0 and ((new := getattr(config, name)) == 0 or new > old) for name in LENGTHS
    )  # 0 is no limit
    # With a time limit, a run ends a little early if its final validation takes less time than was reserved.
    if is_over(config, state.step, state.epoch, state.seconds) or (state.finished == "length" and not grown):
        return "length"
    stale = state.finished == "early stop" and 0 < config.early_stop <= state.validations.stale
    return "early stop" if stale else ""


def seconds_left(
    config: RunConfig,
    fraction: float,
    seconds: float,
    begun_fraction: float = 0.0,
    begun_seconds: float = 0.0,
    closing: float = 0.0,
) -> float | None:
    """Estimates the seconds to the length's end, at the pace since `begun_…`; None without a length or a pace."""
    if config.minutes and fraction == min(1.0, _fraction_of_minutes(config, seconds, closing)):
        return max(0.0, 60 * config.minutes - seconds)
    if fraction <= begun_fraction:
        return None
    return (1 - fraction) * (seconds - begun_seconds) / (fraction - begun_fraction)


def _fraction_of_minutes(config: RunConfig, seconds: float, closing: float) -> float:
    return seconds / _seconds_of_steps(config, closing)


def _seconds_of_steps(config: RunConfig, closing: float) -> float:
    """The seconds for steps: those that the final validation leaves, but at least half."""
    return max(60 * config.minutes - closing, 30 * config.minutes)


def extended(config: RunConfig, fraction: float) -> RunConfig:
    """Returns `config` extended by its length, of which `fraction` is done: a run of two minutes continues to four."""
    times = max(1.0, fraction) + 1
    if times < 2.05:  # a run limited by minutes overshoots by up to one step
        times = 2.0
    grown = {name: value * times for name in LENGTHS if (value := getattr(config, name))}
    if "steps" in grown:
        grown["steps"] = int(grown["steps"])
    return with_values(config, grown) if grown else config


def in_words(config: RunConfig) -> str:
    """Describes the length: "1,000 steps", or "no limit"."""
    parts = []
    if config.steps:
        parts.append(f"{config.steps:,} step" + "s" * (config.steps != 1))
    if config.epochs:
        parts.append(f"{config.epochs:g} epoch" + "s" * (config.epochs != 1))
    if config.minutes:
        parts.append(f"{config.minutes:g} minute" + "s" * (config.minutes != 1))
    return " or ".join(parts) or "no limit"
