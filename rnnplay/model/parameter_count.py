"""Counts a model's parameters from its config alone, without torch."""

from __future__ import annotations

from itertools import pairwise

from rnnplay.config import RunConfig

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""Blocks of H rows in a layer's weights."""


def adaptive_cutoffs(vocabulary: int) -> list[int]:
    """Where the clusters of an adaptive softmax begin: its head has a sixteenth of the vocabulary, the first cluster
    goes on to a quarter."""
    return [max(1, vocabulary // 16), max(2, vocabulary // 4)]


def parameter_count(config: RunConfig, vocabulary: int) -> int:
    """The value of LanguageModel.size for a vocabulary of that size; a tied tensor counts once.

    embedding V·E; a layer G·H·(input + H) and two biases of G·H; output V·H + V, tied only its bias.
    """
    hidden = config.hidden
    rows = GATES[config.cell] * hidden
    layers = sum(rows * ((hidden if layer else config.embedding) + hidden + 2) for layer in range(config.layers))
    return vocabulary * config.embedding + layers + _output(config, vocabulary)


def _output(config: RunConfig, vocabulary: int) -> int:
    hidden = config.hidden
    if config.softmax != "adaptive":
        return vocabulary + (0 if config.tie else vocabulary * hidden)
    cutoffs = [*adaptive_cutoffs(vocabulary), vocabulary]
    head = (cutoffs[0] + len(cutoffs) - 1) * hidden
    clusters = 0
    size = hidden
    for begin, end in pairwise(cutoffs):
        size //= 4
        clusters += size * (hidden + end - begin)
    return head + clusters
