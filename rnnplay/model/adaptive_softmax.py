"""The adaptive softmax (Grave et al. 2017), torch's: frequent words in a head, rarer ones in clusters behind it.

    p(word) = p_head(word)                                  of the `cutoffs[0]` most frequent words
    p(word) = p_head(cluster) · p_cluster(word)             of the others, whose ids go on from there

Most positions need the head alone, and rarer clusters have shorter vectors, so that training over a large vocabulary
costs a fraction; perplexities are exact, as all probabilities add up to 1. Ids must be in the order of frequency.

    output.head.weight        (cutoffs[0] + clusters, H)
    output.tail.{i}.0.weight  (H / 4^(i+1), H)
    output.tail.{i}.1.weight  (words of the cluster, H / 4^(i+1))
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from rnnplay.model.linear_cross_entropy import linear_cross_entropy
from rnnplay.model.parameter_count import adaptive_cutoffs

AdaptiveSoftmax = nn.AdaptiveLogSoftmaxWithLoss


def make_adaptive(hidden: int, vocabulary: int) -> AdaptiveSoftmax:
    """Makes torch's layer for hidden states of `hidden` units."""
    return AdaptiveSoftmax(hidden, vocabulary, adaptive_cutoffs(vocabulary))


def adaptive_shapes(hidden: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes of its tensors in a model, without making it."""
    cutoffs = [*adaptive_cutoffs(vocabulary), vocabulary]
    clusters = len(cutoffs) - 1
    shapes: dict[str, tuple[int, ...]] = {"output.head.weight": (cutoffs[0] + clusters, hidden)}
    for cluster in range(clusters):
        size = hidden // 4 ** (cluster + 1)
        shapes[f"output.tail.{cluster}.0.weight"] = (size, hidden)
        shapes[f"output.tail.{cluster}.1.weight"] = (cutoffs[cluster + 1] - cutoffs[cluster], size)
    return shapes


def adaptive_loss(
    output: AdaptiveSoftmax, hidden: Tensor, targets: Tensor, ignore_index: int, reduction: str
) -> Tensor:
    """Cross-entropy in nats, shape (), float32.

    hidden (N, H); targets (N,), `ignore_index` where they do not count; reduction "mean" or "sum".

    torch's own forward cannot be used under autocast on a CPU: it requires one dtype, and would compute the
    softmax in it.
    """
    counts = targets != ignore_index
    if not bool(counts.all()):
        hidden, targets = hidden[counts], targets[counts]
    if not len(targets):
        return hidden.sum() * (torch.nan if reduction == "mean" else 0)
    in_head, total = targets.clone(), hidden.new_zeros((), dtype=torch.float32)
    for cluster, (first, end) in enumerate(pairwise(output.cutoffs)):
        # A cluster without targets gets zero gradients, which must exist, as the optimizer's moments do.
        rows = ((targets >= first) & (targets < end)).nonzero().squeeze(1)
        in_head[rows] = output.shortlist_size + cluster
        shorten, words = cast(nn.Sequential, output.tail[cluster]).children()
        vectors = shorten(hidden[rows])  # (rows, H / 4^(i+1))
        total = total + linear_cross_entropy(
            vectors, cast(Tensor, words.weight), None, targets[rows] - first, reduction="sum"
        )
    total = total + linear_cross_entropy(hidden, output.head.weight, None, in_head, reduction="sum")
    return total / len(targets) if reduction == "mean" else total
