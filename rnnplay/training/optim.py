"""Optimizers and learning-rate schedules."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable

import torch
from torch import nn
from torch.autograd.graph import increment_version

from rnnplay.config import RunConfig
from rnnplay.training.muon import MOMENTS, is_orthogonalised

FUSED = frozenset({"cpu", "cuda", "mps"})

AVERAGING_BEGINS = (
    "Validation no longer improves, so averaging begins (asgd_window): the mean of the weights after each step from "
    "here on is what is validated, saved and prompted."
)

GROWS = (
    "Without weight decay the matrices that Muon updates grow at every step, and once they are large the loss rises "
    "again; set weight_decay to 0.1 (--weight-decay 0.1)."
)
MOST_L2 = 0.001
"""The largest weight decay that may be part of the gradient without holding learning back; measured."""


def decay_remark(config: RunConfig) -> str:
    """Returns a remark on a new run whose weight decay is too small or too large for its optimizer; "" for others."""
    decay, rule = config.weight_decay, config.optimizer
    if rule == "muon" and not decay:
        return GROWS
    if rule in ("sgd", "rmsprop", "adam") and decay > MOST_L2:
        return (
            f"With {rule}, weight decay is part of the gradient (L2 regularisation), where {decay:g} holds learning "
            "back; set weight_decay to 0 (--weight-decay 0), or optimizer to adamw or muon."
        )
    return ""


def make_optimizer(
    config: RunConfig, parameters: Iterable[nn.Parameter], device: torch.device
) -> torch.optim.Optimizer:
    """torch's optimizer for `config`, in its fastest form on `device`.

    SGD with momentum (Polyak 1964); RMSprop (Tieleman & Hinton 2012); Adam (Kingma & Ba 2015) with L2 regularisation;
    AdamW (Loshchilov & Hutter 2019) with decoupled weight decay; for Muon (muon.py) the part that is AdamW.
    """
    _leave_out_compiler()
    weights, lr, decay = list(parameters), config.lr, config.weight_decay
    fused = device.type in FUSED
    if config.optimizer == "sgd":
        return torch.optim.SGD(weights, lr=lr, momentum=config.momentum, weight_decay=decay, fused=fused)
    if config.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, lr=lr, momentum=config.momentum, weight_decay=decay, foreach=True)
    rule = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return rule(weights, lr=lr, betas=(0.9, config.beta2), weight_decay=decay, fused=fused)


def moment_names(config: RunConfig, parameter: str) -> tuple[str, ...]:
    """Names of the tensors that the optimizer keeps for that parameter after a step, as torch names them.

    "step" has shape (), all others the parameter's own.
    """
    if config.optimizer == "sgd":
        return ("momentum_buffer",) if config.momentum else ()
    if config.optimizer == "rmsprop":
        return ("step", "square_avg", "momentum_buffer") if config.momentum else ("step", "square_avg")
    if config.optimizer == "muon" and is_orthogonalised(parameter):
        return MOMENTS
    return ("step", "exp_avg", "exp_avg_sq")


def take_step(optimizer: torch.optim.Optimizer) -> None:
    """Updates the weights, as `optimizer.step()` does, but without loading torch's compiler."""
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)
    # The fused optimizers do not count their changes, by which those who keep copies see that the weights are new.
    increment_version([weight for group in optimizer.param_groups for weight in group["params"]])


def _leave_out_compiler() -> None:
    """Makes torch's optimizers do without torch._dynamo, which they load only to be left uncompiled.

    Loading it takes longer than everything else between a command to train and the first step, and tens of megabytes.
    """
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = inspect.unwrap(getattr(torch.optim.Optimizer, name))
        setattr(method, "__dynamo_disable", method)  # where torch looks for the method to be left uncompiled


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Sets the learning rate of the following steps."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def average_decay(config: RunConfig, step: int, since: int = -1) -> float:
    """The decay d of the weights' average w̄ in the step after `step` steps: w̄ ← d w̄ + (1 − d) w.

    EMA        d = min(ema_decay, (1 + step) / (10 + step)), so that the first weights, which are far off, are
               forgotten sooner (Polyak & Juditsky 1992; the exponential form as in Kingma & Ba 2015, section 7.2)
    NT-ASGD    d = k / (k + 1), k the steps since `since`: the mean of all weights from then on; 0, and so w̄ = w,
               before (since = -1; Merity, Keskar & Socher 2018, section 4, with T from validations without gain)
    """
    if config.asgd_window:
        done = step - since if since >= 0 else 0
        return done / (done + 1)
    return min(config.ema_decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, raw: nn.Module, decay: float) -> None:
    """w̄ ← d w̄ + (1 − d) w for all weights w̄ of `average` and w of `raw`, in place."""
    torch._foreach_lerp_(list(average.parameters()), list(raw.parameters()), 1 - decay)


def learning_rate_multiplier(config: RunConfig, step: int, fraction: float, plateau: float = 1.0) -> float:
    """The factor on the base learning rate after `step` steps, with `fraction` (0 to 1) of the length done.

    constant   1
    warmup     rises linearly to 1 over the first warmup_steps steps, at most over a tenth of the length
    cosine     warmup, times a half cosine from 1 at fraction 0 to lr_floor at fraction 1
               (Loshchilov & Hutter 2017); without a length the fraction stays 0, and so the cosine at 1
    linear     as cosine, with a straight line in place of the half cosine (Bergsma et al. 2025)
    plateau    `plateau`, the product of the reductions so far
    """
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "plateau":
        return plateau
    # A short run should not spend its length on warming up: a tenth is enough, in whatever unit the length is given.
    after = fraction + (1 / config.steps if config.steps else 0.0)
    warm = min(1.0, max((step + 1) / config.warmup_steps, 10 * after)) if config.warmup_steps else 1.0
    if config.schedule == "warmup":
        return warm
    left = 1 - min(1.0, max(0.0, fraction))
    falling = left if config.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))  # 1 → 0
    return warm * (config.lr_floor + (1 - config.lr_floor) * falling)
