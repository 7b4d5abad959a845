"""Muon (Jordan et al. 2024): momentum whose singular values are all made about 1, for the recurrent layers' matrices.

    ĝ  = g / ‖g‖                                g the gradient, the whole matrix's Frobenius norm
    m  ← μ m + (1 − μ) ĝ                        m the momentum, μ = 0.95
    u  = orthogonalised((1 − μ) ĝ + μ m)        Nesterov's look ahead
    W  ← W − η ρ (0.2 √max(G·H, X) u + λ W)     η the learning rate, ρ muon_ratio, λ weight_decay

for each matrix (G·H, X), its gates together: gate by gate takes more time and learns no better. The entries of u have
a root mean square of 1/√max(G·H, X), so that an update's is 0.2, about AdamW's (Liu et al. 2025, "Muon is scalable for
LLM training"). Embedding, output layer and biases are left to AdamW: their rows belong to single tokens, which are seen
unequally often.

Jordan's momentum is of g itself. An update is as long after orthogonalisation whatever the momentum's length, so that
gradients that have become smaller would for many steps be outweighed by those of before, whose direction no longer
goes down: after an eighth of the clip threshold for some 40. Of ĝ each counts alike (Cutkosky & Mehta 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.model.language_model import LanguageModel
from rnnplay.training.processes.group import ALONE, Group

MOMENTUM = 0.95
MOMENTS = ("step", "momentum_buffer")
"""Names of the tensors kept for each matrix: its number of steps, without which torch reads no state, and m."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Jordan's: the polynomial 3.4445 σ − 4.775 σ³ + 2.0315 σ⁵ brings every σ in (0, 1] near 1 within a few rounds."""
ROUNDS = 5
UPDATE_RMS = 0.2
SMALLEST_NORM = 1e-16
"""Far below it the squares of a matrix's entries are 0 in float32, and its norm with them, though it is not zero."""


def is_orthogonalised(name: str) -> bool:
    """Whether Muon updates the parameter of that name, as language_model names them."""
    return name.startswith("rnn.weight_")


class Muon:
    """Updates the recurrent layers' matrices of `model`."""

    def __init__(self, config: RunConfig, model: LanguageModel) -> None:
        self._matrices = [one for name, one in model.named_parameters() if is_orthogonalised(name)]
        self._ratio = config.muon_ratio

    @torch.no_grad()
    def step(
        self, optimizer: torch.optim.Optimizer, precision: torch.dtype = torch.float32, together: Group = ALONE
    ) -> None:
        """Updates the matrices (G·H, X), and removes their gradients, so that `optimizer` passes them over.

        Their momentum is kept in the optimizer's state; their learning rate is `muon_ratio` times its own, their weight
        decay its own. `precision` is the type of the products; what they are applied to stays float32. `together`: the
        processes of this run, which share out the matrices: each takes more time than its part of the batch.
        """
        group = optimizer.param_groups[0]
        lr, decay = group["lr"] * self._ratio, group["weight_decay"]
        matrices = [matrix for matrix in self._matrices if matrix.grad is not None]
        ahead: list[Tensor] = []
        for matrix in matrices:
            gradient, matrix.grad = matrix.grad, None
            assert gradient is not None
            kept = optimizer.state[matrix]
            if not kept:
                kept.update(zip(MOMENTS, (torch.zeros(()), torch.zeros_like(matrix)), strict=True))
            step, momentum = (kept[moment] for moment in MOMENTS)
            step += 1
            gradient = gradient / (gradient.norm() + SMALLEST_NORM)
            momentum.lerp_(gradient, 1 - MOMENTUM)
            ahead.append(gradient.lerp(momentum, MOMENTUM))
        updates = together.divide(ahead, lambda one: orthogonalised(one, precision))
        for matrix, update in zip(matrices, updates, strict=True):
            scale = UPDATE_RMS * max(update.shape) ** 0.5
            matrix.mul_(1 - lr * decay).add_(update, alpha=-lr * scale)


def orthogonalised(matrix: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """Returns U Vᵀ for M = U S Vᵀ, nearly: all singular values are brought between 0.7 and 1.2 or so. Zeros stay zeros.

    By five rounds of a Newton–Schulz iteration, X ← a X + (b X Xᵀ + c (X Xᵀ)²) X (Bernstein & Newhouse 2024), on the
    shorter side. A matrix whose norm is far below SMALLEST_NORM stays small. The products are of type `precision`, the
    result is float32.
    """
    wide = matrix.shape[0] < matrix.shape[1]
    x = matrix.T if wide else matrix
    x = (x / (x.norm() * 1.01 + SMALLEST_NORM)).to(precision)  # rounded, no σ exceeds 1
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        square = x.T @ x
        x = torch.addmm(x, x, torch.addmm(square, square, square, beta=b, alpha=c), beta=a)
    return (x.T if wide else x).float()
