"""Gradient clipping (Pascanu, Mikolov & Bengio 2013): reduces gradients that are too large, in place.

    by norm    ĝ ← ĝ · threshold / ‖ĝ‖  if ‖ĝ‖ > threshold, ‖ĝ‖ the L2 norm over all parameters together
    by value   each component limited to [-threshold, threshold]

Gradients whose norm is not finite are left unchanged: scaling would turn infinities into NaN, and finite
components into zeros.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

Mode = Literal["norm", "value", "off"]


class Clipped(NamedTuple):
    """The gradients' norm before and after clipping."""

    before: float
    """L2 norm over all gradients together."""
    after: float
    clipped: bool


@torch.no_grad()
def clip(gradients: list[Tensor], mode: Mode, threshold: float, before: float | None = None) -> Clipped:
    """Clips `gradients` in place; `before` is their norm, if it is known already.

    The norm reported as `after` is never above `threshold` when clipping by norm.
    """
    if not gradients:
        return Clipped(0.0, 0.0, False)
    if before is None:
        before = float(get_total_norm(gradients))
    if not math.isfinite(before):
        before = _norm_beyond_float32(gradients)
    if mode == "off" or not math.isfinite(before):
        return Clipped(before, before, False)
    if mode == "norm":
        if before <= threshold:
            return Clipped(before, before, False)
        _scale(gradients, threshold / before)
        return Clipped(before, min(before * (threshold / before), threshold), True)
    # No component exceeds the norm, so most often the components need not be checked.
    if before <= threshold or float(get_total_norm(gradients, math.inf)) <= threshold:
        return Clipped(before, before, False)
    torch._foreach_clamp_max_(gradients, threshold)
    torch._foreach_clamp_min_(gradients, -threshold)
    after = float(get_total_norm(gradients))
    return Clipped(before, after if math.isfinite(after) else _norm_beyond_float32(gradients), True)


def _norm_beyond_float32(gradients: list[Tensor]) -> float:
    # Squares of finite float32 numbers above 1.8e19 overflow; in float64 they do not.
    squares = [float(torch.linalg.vector_norm(gradient, dtype=torch.float64)) ** 2 for gradient in gradients]
    return math.sqrt(sum(squares))


def _scale(gradients: list[Tensor], factor: float) -> None:
    # A factor below the smallest normal float32 would become zero itself, so it is applied in two steps.
    while factor < 1e-30:
        torch._foreach_mul_(gradients, 1e-20)
        factor *= 1e20
    torch._foreach_mul_(gradients, factor)
