"""The learning-rate range test (Smith 2017, arXiv:1506.01186): the rate is raised step by step until the loss explodes.

A new model of the given settings is trained for a few hundred steps while its learning rate grows exponentially, and
thrown away: no run is written. A tenth of the rate where the loss is lowest is a usual one to begin with, and no more
than that; the best rate of a whole run, with its schedule, may be another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from rnnplay.config import RunConfig, knobs
from rnnplay.errors import InputError

LOW, HIGH, STEPS = 1e-6, 1.0, 200
LEAST_STEPS, MOST_STEPS = 20, 10_000

WINDOW = 0.05
"""Half of the window over which losses are averaged and their slope is fitted, as a fraction of the steps."""
FALL = 0.02
"""The least fraction of the first loss by which it must fall for a steepest descent to mean something."""
BLOWN_UP = 0.3
"""The fraction of its fall by which the averaged loss has risen again where it blows up."""
BEFORE = 0.1
"""The fraction of the lowest rate that is suggested."""
STOP = 1.5
"""The test ends where the loss is this many times the first one."""
UNUSED = (
    *("steps", "epochs", "minutes", "lr", "schedule", "warmup_steps", "lr_floor", "plateau_factor"),
    *("plateau_patience", "ema_decay", "divergence", "divergence_remedy", "max_rollbacks", "good_seconds"),
    *("asgd_window", "eval_every", "eval_tokens", "early_stop", "checkpoint_every", "checkpoint_seconds", "keep"),
)
"""Knobs that play no part in the test."""


class RangePoint(msgspec.Struct, frozen=True, tag="point"):
    """One step of the test."""

    step: int
    lr: float
    loss: float
    """Loss of the step, before its update, nats per token."""


class RangeResult(msgspec.Struct, frozen=True, tag="result"):
    """What the test has found; None where there was nothing to find."""

    suggested: float | None
    """A rate to begin with, to two digits: BEFORE of the lowest, but no less than the steepest."""
    steepest: float | None
    """The rate at which the averaged loss falls fastest, per decade of the rate."""
    lowest: float | None
    """The rate at which the averaged loss is lowest."""
    blows_up: float | None
    """The rate from which on it rises again, or is not finite."""

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        if self.steepest is None:
            return "The loss does not fall at any of these rates; try others, or more steps."
        parts = [f"steepest descent at {self.steepest:.2g}"]
        if self.lowest is not None:
            parts.append(f"lowest at {self.lowest:.2g}")
        parts.append(f"blows up from {self.blows_up:.2g} on" if self.blows_up is not None else "does not blow up")
        return ", ".join(parts).capitalize() + f". To begin with: {self.suggested:g}."


def check_range(low: float, high: float) -> None:
    """Raises InputError unless 0 < low < high."""
    if not 0 < low < high:
        raise InputError(f"The range of rates goes from a smaller to a larger one, above 0; got {low:g} to {high:g}.")


def rates(low: float, high: float, steps: int) -> list[float]:
    """The learning rate of each step, evenly on a logarithmic scale."""
    return [low * (high / low) ** (at / (steps - 1)) for at in range(steps)]


def averaged(points: Sequence[RangePoint]) -> list[float]:
    """The mean loss in a window around each point, over the finite losses; NaN where there is none."""
    half = _half_window(len(points))
    means = []
    for at in range(len(points)):
        held = [one.loss for one in points[max(0, at - half) : at + half + 1] if math.isfinite(one.loss)]
        means.append(math.fsum(held) / len(held) if held else math.nan)
    return means


def result_of(points: Sequence[RangePoint]) -> RangeResult:
    """Finds the steepest descent, the lowest point and where the loss blows up."""
    nothing = RangeResult(None, None, None, None)
    finite = next((at for at, one in enumerate(points) if not math.isfinite(one.loss)), len(points))
    if finite < 3:
        return nothing
    means = averaged(points[:finite])
    half = _half_window(len(points))
    first = means[min(half, finite - 1)]
    lowest = min(range(finite), key=means.__getitem__)
    fall = first - means[lowest]
    rises = (at for at in range(lowest, finite) if means[at] > means[lowest] + BLOWN_UP * max(fall, FALL * first))
    blown = next(rises, finite if finite < len(points) else None)
    blows_up = None if blown is None else points[min(blown, len(points) - 1)].lr
    if fall < FALL * first:
        return RangeResult(None, None, None, blows_up)
    slopes = {at: _slope(points[max(0, at - half) : min(finite, at + half + 1)]) for at in range(half, lowest + 1)}
    steepest = min(slopes, key=slopes.__getitem__) if slopes else lowest
    suggested = max(points[steepest].lr, BEFORE * points[lowest].lr)
    return RangeResult(float(f"{suggested:.2g}"), points[steepest].lr, points[lowest].lr, blows_up)


def _half_window(steps: int) -> int:
    return max(2, round(WINDOW * steps))


def _slope(points: Sequence[RangePoint]) -> float:
    """The least-squares slope of the loss over the logarithm of the rate."""
    xs = [math.log(one.lr) for one in points]
    mean_x = math.fsum(xs) / len(xs)
    mean_y = math.fsum(one.loss for one in points) / len(points)
    spread = math.fsum((x - mean_x) ** 2 for x in xs)
    if not spread:
        return 0.0
    return math.fsum((x - mean_x) * (one.loss - mean_y) for x, one in zip(xs, points, strict=True)) / spread


def options_of(config: RunConfig) -> list[str]:
    """The options of `rnnplay lr-range` that give it the settings of `config`, whatever its preset is."""
    options = []
    for name, spec in knobs().items():
        value = getattr(config, name)
        if name in UNUSED:
            continue
        if isinstance(value, bool):
            options.append(spec.option if value else f"--no-{spec.option[2:]}")
        else:
            options.append(f"{spec.option}={value}")
    return options
