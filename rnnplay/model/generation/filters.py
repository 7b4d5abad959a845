"""The filters between a model's logits and the probabilities from which a token is drawn, each a pure function.

They act in this order, each on what the one before leaves:

    repetition penalty    Keskar et al. 2019, on the logits
    temperature           and softmax
    top-k                 Fan et al. 2018
    top-p                 Holtzman et al. 2020
    min-p                 Nguyen et al. 2024
    typical               Meister et al. 2023

Probabilities are float64 arrays (V,) that add up to 1; a filter sets some of them to 0 and divides the others by their
sum. At least one token is left by each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import SamplingConfig

Floats = NDArray[np.float64]


def repetition_penalty(logits: Floats, recent: Sequence[int], penalty: float) -> Floats:
    """Returns logits (V,) with those of the tokens in `recent` divided by `penalty` where positive, else multiplied.

    Keskar et al. 2019, equation 2, which divides; a negative logit, which that would raise, is multiplied instead.
    """
    if penalty == 1 or not len(recent):
        return logits
    ids = np.unique(np.asarray(recent, np.int64))
    penalised = logits.copy()
    values = logits[ids]
    penalised[ids] = np.where(values > 0, values / penalty, values * penalty)
    return penalised


def softmax(logits: NDArray[Any], without: int | None = None) -> Floats:
    """The probabilities (V,) by logits (V,); with `without`, those of the other tokens alone."""
    # Subtracting the largest first keeps every logit, however large, from giving an infinity.
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    if without is not None:
        exponentials[without] = 0
    return _normalised(exponentials)


def tempered(logits: Floats, temperature: float) -> Floats:
    """The softmax of logits (V,) divided by `temperature`; at 0 the largest has all, of equal ones the first."""
    if temperature == 0:
        probabilities = np.zeros(len(logits))
        probabilities[logits.argmax()] = 1
        return probabilities
    return softmax((logits - logits.max()) / temperature)  # so that no temperature, however small, gives an infinity


def keep_top_k(probabilities: Floats, k: int) -> Floats:
    """Keeps the k most probable tokens, of equal ones the first (Fan et al. 2018); 0 keeps all."""
    if not 0 < k < len(probabilities):
        return probabilities
    return _kept(probabilities, _ranked(probabilities)[:k])


def keep_top_p(probabilities: Floats, p: float) -> Floats:
    """Keeps the nucleus: the fewest of the most probable tokens that hold `p` together (Holtzman et al. 2020)."""
    if p >= 1:
        return probabilities
    order = _ranked(probabilities)
    return _kept(probabilities, order[: _fewest(probabilities[order], p)])


def keep_min_p(probabilities: Floats, fraction: float) -> Floats:
    """Keeps tokens with at least `fraction` of the probability of the most probable one (Nguyen et al. 2024)."""
    if fraction == 0:
        return probabilities
    return _kept(probabilities, np.flatnonzero(probabilities >= fraction * probabilities.max()))


def keep_typical(probabilities: Floats, p: float) -> Floats:
    """Keeps the fewest of the most typical tokens that hold `p` together (Meister et al. 2023, section 4).

    The more typical, the smaller |-log p(token) - entropy|; of equally typical ones the more probable comes first.
    """
    if p >= 1:
        return probabilities
    possible = np.flatnonzero(probabilities)
    surprisal = -np.log(probabilities[possible])
    entropy = float((probabilities[possible] * surprisal).sum())
    order = possible[np.lexsort((surprisal, np.abs(surprisal - entropy)))]
    return _kept(probabilities, order[: _fewest(probabilities[order], p)])


def filters_apply(sampling: SamplingConfig) -> bool:
    """Whether more than the temperature shapes what is drawn."""
    return (
        sampling.top_k > 0
        or sampling.top_p < 1
        or sampling.min_p > 0
        or sampling.typical_p < 1
        or sampling.repetition_penalty != 1
    )


def drawing_probabilities(logits: NDArray[Any], sampling: SamplingConfig, recent: Sequence[int]) -> Floats:
    """The probabilities (V,) to draw from, for logits (V,) after all filters; at least one is above 0.

    `recent`: the tokens of the text so far, of which the last `sampling.repetition_window` are penalised.
    A logit of -inf is never drawn; NaN and +inf must not occur.
    """
    scores = logits.astype(np.float64)
    if sampling.repetition_penalty != 1:
        scores = repetition_penalty(scores, recent[-sampling.repetition_window :], sampling.repetition_penalty)
    probabilities = tempered(scores, sampling.temperature)
    if sampling.temperature == 0:
        return probabilities
    probabilities = keep_top_k(probabilities, sampling.top_k)
    probabilities = keep_top_p(probabilities, sampling.top_p)
    probabilities = keep_min_p(probabilities, sampling.min_p)
    return keep_typical(probabilities, sampling.typical_p)


def _ranked(probabilities: Floats) -> NDArray[np.int64]:
    """Ids from the most to the least probable, equal ones in their own order."""
    return np.argsort(-probabilities, kind="stable")


def _fewest(ranked: Floats, p: float) -> int:
    """How many of the first of `ranked` are needed to hold `p` together, at least one."""
    before = ranked.cumsum() - ranked  # what those ahead of each hold together
    return max(1, int((before < p).sum()))


def _kept(probabilities: Floats, ids: NDArray[np.int64]) -> Floats:
    kept = np.zeros(len(probabilities))
    kept[ids] = probabilities[ids]
    return _normalised(kept)


def _normalised(values: Floats) -> Floats:
    result: Floats = values / values.sum()
    return result
