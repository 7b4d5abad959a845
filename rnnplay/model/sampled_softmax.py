"""The sampled softmax: training computes the logits of some words only (Bengio & Senécal 2008, Jean et al. 2015).

    loss_n = log Z_n − x_n,target        Z_n = Σ_{v ∈ K} exp x_nv + Σ_{s ∈ S} exp x_ns / (m q_s)

K, counted exactly: the HEAD most frequent words and all targets of the batch. S: m words drawn, with replacement, from
the others with probabilities q, so that Z_n is on average the sum over the whole vocabulary. q is Zipf's law, by which
words are about as frequent as probable, which keeps the variance small. The model is that of the full softmax, and
evaluation computes all logits: perplexities are exact. Ids must be in the order of frequency.

    N  positions, B·T        V  vocabulary        H  units of the hidden state        C  words of K and S
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnnplay.model.linear_cross_entropy import linear_cross_entropy

HEAD = 1024
DRAWS = 1024


def sampled_cross_entropy(
    hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """An estimate of linear_cross_entropy of the same arguments, shape (), float32, from C of its V words.

    hidden (N, H), weight (V, H), bias (V,), targets (N,) int64, with `ignore_index` where they do not count; reduction
    "mean" or "sum". Exact for a vocabulary of at most HEAD + DRAWS words.
    """
    vocabulary = len(weight)
    if vocabulary <= HEAD + DRAWS:
        return linear_cross_entropy(hidden, weight, bias, targets, ignore_index, reduction)
    counts = targets != ignore_index
    known = torch.unique(targets[counts])  # sorted
    known = torch.cat((torch.arange(HEAD, device=known.device), known[known >= HEAD]))
    drawn, log_weights = draw(known, vocabulary)
    words = torch.cat((known, drawn))  # (C,)
    place = torch.zeros(vocabulary, dtype=torch.int64, device=words.device)
    place[known] = torch.arange(len(known), device=words.device)
    found = torch.where(counts, place[targets.masked_fill(~counts, 0)], ignore_index)
    shift = torch.cat((torch.zeros(len(known), device=words.device), log_weights))
    return linear_cross_entropy(
        hidden, weight.index_select(0, words), bias.index_select(0, words) + shift, found, ignore_index, reduction
    )


def draw(known: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Draws up to DRAWS words that are not `known`; returns their ids (m,) and -log(m q), (m,).

    `known`: distinct ids, all those below HEAD among them. A draw that hits one of them is left out.
    """
    span = math.log(vocabulary / HEAD)
    drawn = (HEAD * torch.exp(span * torch.rand(DRAWS, device=known.device))).long().clamp_(HEAD, vocabulary - 1)
    is_known = torch.zeros(vocabulary, dtype=torch.bool, device=known.device)
    is_known[known] = True
    drawn = drawn[~is_known[drawn]]
    left = 1 - _zipf(known[known >= HEAD], span).sum()  # the probability of the words that are not known
    return drawn, -torch.log(len(drawn) * _zipf(drawn, span) / left)


def _zipf(ids: Tensor, span: float) -> Tensor:
    """The probability of drawing each id: that HEAD·e^(span·u), u uniform in [0, 1), lies between it and the next."""
    return torch.log1p(1 / ids.float()) / span
