"""The curves of a run as arrays: what its charts draw, with rollbacks applied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rnnplay.common.curves import moving_averages
from rnnplay.config import RunConfig
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Finished, Rollback, Step, Tuned, Validation
from rnnplay.runs.metrics.step_columns import StepColumns
from rnnplay.runs.metrics.thinned import ThinnedLog

Floats = NDArray[Any]

DECAY = 0.98
"""Decay of the moving average, which covers some 50 steps."""


@dataclass(frozen=True)
class Curves:
    """What is drawn of a run; arrays of equal length per kind, by rising step."""

    run: str
    step: Floats
    loss: Floats
    """Nats per token."""
    norm: Floats
    """Gradient norm before clipping."""
    clipped: Floats
    """Gradient norm after clipping."""
    validation_step: Floats
    validation_loss: Floats
    returns: list[int]
    """Steps that rollbacks went back to."""
    threshold: list[tuple[int, float | None]]
    """From which step on norms are clipped at what; None: not at all, or unknown."""
    diverged: bool
    """Whether the run ended because it diverged."""
    tokens_per_step: float = 0.0
    """Tokens trained on by a step, on average; 0 if unknown."""
    variant: str = ""
    """The label of the variant of a race; runs that have the same one differ in their seeds."""

    def by_tokens(self) -> Curves:
        """The same with tokens in place of steps, so that runs with other batch sizes can be compared."""
        each = self.tokens_per_step
        return replace(
            self,
            step=self.step * each,
            validation_step=self.validation_step * each,
            returns=[round(step * each) for step in self.returns],
            threshold=[(round(step * each), value) for step, value in self.threshold],
        )

    @property
    def last_step(self) -> int:
        """The last step of the curves; 0 if there is none."""
        return int(self.step[-1]) if len(self.step) else 0


def read_curves(run: RunFolder) -> Curves:
    """Reads a run's curves; of a run of many millions of steps, most are left out. Raises InputError."""
    steps: list[Floats] = []  # parts (4, n): step, loss, norm, norm after clipping
    validations: list[Validation] = []
    returns: list[int] = []
    tuned: list[Tuned] = []
    diverged = False
    last: Step | None = None
    for item in ThinnedLog(run.log).read():
        if isinstance(item, StepColumns):
            steps.append(np.array([item.step, item.loss, item.grad_norm, item.grad_norm_clipped]))
            last = item.last[-1] if item.last else last
        elif isinstance(item, Step):
            steps.append(np.array([[item.step], [item.loss], [item.grad_norm], [item.grad_norm_clipped]]))
            last = item
        elif isinstance(item, Validation):
            validations.append(item)
        elif isinstance(item, Tuned):
            tuned.append(item)
        elif isinstance(item, Rollback):
            steps = [part[:, part[0] <= item.to] for part in steps]
            validations = [one for one in validations if one.step <= item.to]
            tuned = [msgspec.structs.replace(one, step=min(one.step, item.to)) for one in tuned]
            returns.append(item.to)
        if isinstance(item, Finished):
            diverged = item.reason == "diverged"
    step, loss, norm, clipped = np.concatenate([np.zeros((4, 0)), *steps], axis=1)
    return Curves(
        run=run.name,
        step=step,
        loss=loss,
        norm=norm,
        clipped=clipped,
        validation_step=np.array([one.step for one in validations], float),
        validation_loss=np.array([one.loss for one in validations], float),
        returns=returns,
        threshold=_thresholds(run.info().config, tuned, step, norm, clipped),
        diverged=diverged,
        tokens_per_step=last.tokens / last.step if last is not None and last.step else 0.0,
    )


def averaged(values: Floats) -> Floats:
    """The moving average of the logarithm, as on the screen: one spike does not lift it for hundreds of steps.

    values (n,); values that are not positive, or not finite, leave the average unchanged and are NaN in the result.
    """
    good = np.isfinite(values) & (values > 0)
    out = np.full(len(values), np.nan)
    if good.any():
        logs = np.log(values[good])
        out[good] = np.exp(moving_averages(logs, DECAY, float(logs[0]), 0))
    return out


def thinned(step: Floats, values: Floats, most: int) -> tuple[Floats, Floats]:
    """The curve in at most `most` points: of each group of steps the lowest and the highest value, in order.

    A value that is not finite is kept only where its whole group is not finite.
    """
    if len(step) <= most:
        return step, values
    size = -(-2 * len(step) // most)
    padding = -len(step) % size
    groups = np.concatenate([values, np.full(padding, np.nan)]).reshape(-1, size)
    finite = np.isfinite(groups)
    low = np.where(finite, groups, np.inf).argmin(axis=1)
    high = np.where(finite, groups, -np.inf).argmax(axis=1)
    places = np.sort(np.stack([low, high], axis=1), axis=1) + size * np.arange(len(groups))[:, None]
    places = np.minimum(places.reshape(-1), len(step) - 1)
    return step[places], values[places]


def _thresholds(
    config: RunConfig, tuned: list[Tuned], step: Floats, norm: Floats, clipped: Floats
) -> list[tuple[int, float | None]]:
    """The thresholds by the step from which they hold. run.json has the last one, and records those set meanwhile."""
    changes = [one for one in tuned if one.knob in ("clip", "clip_threshold")]
    if not changes:
        return [(0, config.clip_threshold if config.clip == "norm" else None)]
    # What the run began with is not recorded, except in what it did to norms above it.
    before = (step <= changes[0].step) & (clipped < norm) & np.isfinite(clipped)
    values = np.unique(np.round(clipped[before], 4))
    clip: float | str = "norm" if len(values) == 1 else "off"
    value: float | str = float(values[0]) if len(values) == 1 else config.clip_threshold
    known = {one.knob for one in changes}
    if "clip" not in known:
        clip = config.clip
    found: list[tuple[int, float | None]] = [(0, float(value) if clip == "norm" and len(values) == 1 else None)]
    for one in changes:
        if one.knob == "clip":
            clip = one.value
        else:
            value = one.value
        found.append((one.step, float(value) if clip == "norm" else None))
    return found
