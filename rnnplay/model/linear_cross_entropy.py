"""Output layer and cross-entropy in one, a chunk of positions at a time: the logits of all never exist together.

    x_n = W h_n + b        loss_n = log Σ_v exp x_nv - x_n,target        ∂loss_n/∂x_n = softmax(x_n) - onehot(target)

Over a large vocabulary the (N, V) logits, their softmax and their gradient are each larger than a CPU's cache, and to
write and read them takes as long as the products. Here the logits of a chunk become, in the same memory, their
exponentials and then their gradient, from which the gradients of W, b and h are gathered before the next chunk.

    N  positions, B·T        V  vocabulary        H  units of the hidden state        n  positions of a chunk
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import cross_entropy, linear, pad

CHUNK = 192
"""n. Products this long and narrow are up to a third quicker for a multiple of 64 positions, measured."""

MULTIPLE = 64

EXACT_TOKENS = 1024
"""V up to which the products are in float32 under autocast, too: logits rounded to bfloat16 cost 0.015 nats at the end
of preset shakespeare-2min, and so few of them cost little time."""

WORTH_CHUNKS = 1 << 22
"""Number of logits from which on chunks are faster than torch's own two functions on a CPU; below they are equal."""


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """cross_entropy(linear(hidden, weight, bias), targets), shape (), float32: the same but for rounding.

    hidden (N, H), weight (V, H), bias (V,) or None, targets (N,) int64, with `ignore_index` where they do not count.
    Under autocast the products over more than EXACT_TOKENS are in its type, all else in float32. reduction: "mean" or
    "sum".
    """
    device = hidden.device.type
    low = len(weight) > EXACT_TOKENS and torch.is_autocast_enabled(device)
    with torch.autocast(device, enabled=low):
        if device == "cpu" and len(hidden) * len(weight) >= WORTH_CHUNKS:
            return chunked_cross_entropy(hidden, weight, bias, targets, ignore_index, reduction)
        logits = linear(hidden if low else hidden.float(), weight, bias).float()  # (N, V)
    return cross_entropy(logits, targets, ignore_index=ignore_index, reduction=reduction)


def chunked_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Computes `linear_cross_entropy` in chunks whatever the size; differentiable once."""
    device = hidden.device.type
    products = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    counts = targets != ignore_index  # (N,)
    factors = counts.float()  # of each loss in the result
    if reduction == "mean":
        factors = factors / factors.sum()
    targets = targets.masked_fill(~counts, 0)
    loss: Tensor = _Chunked.apply(hidden, weight, bias, targets, factors, products, torch.is_grad_enabled())  # type: ignore[no-untyped-call]
    return loss


class _Chunked(torch.autograd.Function):
    """Computes the gradients together with the loss: in `backward` the logits no longer exist."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        factors: Tensor,
        products: torch.dtype,
        wanted: bool,
    ) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            loss, gradients = _loss(hidden, weight, bias, targets, factors, products, wanted)
        ctx.gradients = gradients
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        # Given away, not kept: so the weight's gradient is used as it is and need not be copied.
        gradients, ctx.gradients = ctx.gradients, None
        if float(outer[0]) != 1:
            torch._foreach_mul_([gradient for gradient in gradients if gradient is not None], outer[0])
        return (*gradients, None, None, None, None)


def _loss(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    factors: Tensor,
    products: torch.dtype,
    wanted: bool,
) -> tuple[Tensor, list[Tensor | None]]:
    """Σ factor_n · loss_n, and, if `wanted`, its gradients for hidden, weight and bias."""
    positions = len(hidden)
    beyond = -positions % MULTIPLE  # positions with factor 0
    states = pad(hidden.to(products), (0, 0, 0, beyond))  # (N', H)
    targets, factors = pad(targets, (0, beyond)), pad(factors, (0, beyond))  # (N',)
    matrix = weight.to(products)  # (V, H)
    memory = torch.empty(len(weight) * min(CHUNK, len(states)), device=hidden.device)
    loss = torch.zeros((), device=hidden.device)
    d_hidden = torch.empty_like(states, dtype=torch.float32)
    d_weight, d_bias = torch.empty_like(weight), None if bias is None else torch.zeros_like(bias)
    for start in range(0, len(states), CHUNK):
        part = slice(start, start + CHUNK)
        h, target = states[part], targets[part]  # (n, H), (n,)
        index = torch.arange(len(h), device=h.device)
        # Transposed, (V, n): so W's product is quicker by a third than as (n, V).
        x = memory[: len(weight) * len(h)].view(len(weight), len(h))
        if products == torch.float32:
            torch.mm(matrix, h.t(), out=x)
        else:
            x.copy_(torch.mm(matrix, h.t()))
        if bias is not None:
            x.add_(bias[:, None])
        x.sub_(x.amax(0))
        hit = x[target, index]  # (n,)
        total = x.exp_().sum(0)  # (n,), at least 1
        loss += torch.dot(total.log() - hit, factors[part])
        if not wanted:
            continue
        # x / total - onehot is the gradient; the division is left to the vectors that it is multiplied with.
        x[target, index] -= total
        scale = factors[part] / total  # (n,)
        if d_bias is not None:
            d_bias.addmv_(x, scale)
        d_x = x.to(products)
        torch.mul(d_x.t() @ matrix, scale[:, None], out=d_hidden[part])
        scaled = (h * scale[:, None]).to(products)  # (n, H)
        if start == 0:
            d_weight.copy_(d_x @ scaled) if products != torch.float32 else torch.mm(d_x, scaled, out=d_weight)
        elif products == torch.float32:
            d_weight.addmm_(d_x, scaled)
        else:
            d_weight.add_(d_x @ scaled)
    return loss, [d_hidden[:positions].to(hidden.dtype), d_weight, d_bias] if wanted else []
