"""Computes what clipping does to one step's gradient, without taking the step."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnplay.inspection.forward_pass import undisturbed
from rnnplay.inspection.results import ClippedStep, ParameterGradient
from rnnplay.model.language_model import IGNORED, LanguageModel, State
from rnnplay.text.feeds import Batch
from rnnplay.training.clipping import Mode, clip
from rnnplay.training.evaluation import target_ids


def clipped_step(
    model: LanguageModel,
    batch: Batch,
    state: State | None,
    mode: Mode,
    threshold: float,
    run: str = "",
    step: int = 0,
) -> ClippedStep:
    """Computes the gradient of the mean loss over `batch` and clips it with `clip`.

    `state` is the hidden state that a step would carry into the batch, None for zeros. Runs in float32 without dropout;
    weights, their .grad and the random state stay unchanged.
    """
    named = dict(model.named_parameters())  # yields a tied tensor only once
    with undisturbed(model), torch.enable_grad():
        logits, _ = model(torch.from_numpy(batch.inputs).to(model.device), None if batch.reset else state)  # (B, T, V)
        loss = cross_entropy(logits.flatten(0, 1), target_ids(batch, model.device), ignore_index=IGNORED)
        before = [gradient.contiguous() for gradient in torch.autograd.grad(loss, list(named.values()))]
    after = [gradient.clone() for gradient in before]
    clipped = clip(after, mode, threshold)
    unclipped = 1.0 if math.isfinite(clipped.before) else math.nan
    norms, norms_after, weights = _norms(before), _norms(after), _norms(list(named.values()))
    return ClippedStep(
        run=run,
        step=step,
        mode=mode,
        threshold=threshold,
        before=clipped.before,
        after=clipped.after,
        scale=clipped.after / clipped.before if clipped.clipped else unclipped,
        cosine=_cosine(before, after) if clipped.clipped else unclipped,
        parameters=[
            ParameterGradient(
                name=name,
                before=norm,
                after=norm_after,
                fraction=(norm / clipped.before) ** 2 * unclipped if clipped.before else 0.0,
                weight=weight,
            )
            for name, norm, norm_after, weight in zip(named, norms, norms_after, weights, strict=True)
        ],
    )


def _norms(tensors: list[Tensor] | list[torch.nn.Parameter]) -> list[float]:
    # In float64: squares of what has exploded or vanished leave the range of float32.
    return [float(torch.linalg.vector_norm(tensor.detach(), dtype=torch.float64)) for tensor in tensors]


def _cosine(one: list[Tensor], other: list[Tensor]) -> float:
    """The cosine of the angle between two vectors, each given as a list of tensors."""
    dot = sum(float((a.double() * b.double()).sum()) for a, b in zip(one, other, strict=True))
    lengths = math.hypot(*_norms(one)) * math.hypot(*_norms(other))
    return min(1.0, max(-1.0, dot / lengths)) if lengths else 1.0
