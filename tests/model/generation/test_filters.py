"""What may be drawn: each filter against a naive version of it, and the order in which they act."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from rnnplay.config import SamplingConfig
from rnnplay.model.generation.filters import (
    Floats,
    drawing_probabilities,
    filters_apply,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
    repetition_penalty,
    tempered,
)

RANDOM = np.random.default_rng(3)


def drawn(count: int = 12) -> Floats:
    """Probabilities with two equal ones."""
    values = np.exp(RANDOM.normal(size=count) * 2)
    values[1] = values[4]
    return np.asarray(values / values.sum())


def naive(probabilities: Floats, kept: list[int]) -> list[float]:
    inside = sum(probabilities[token] for token in kept)
    return [probabilities[token] / inside if token in kept else 0 for token in range(len(probabilities))]


def first_that_hold(probabilities: Floats, order: list[int], p: float) -> list[int]:
    kept: list[int] = []
    while not kept or sum(probabilities[token] for token in kept) < p:
        kept.append(order[len(kept)])
    return kept


def naive_top_k(probabilities: Floats, number: float) -> list[int]:
    return sorted(range(12), key=lambda token: -probabilities[token])[: 1 + int(number * 11)]


def naive_top_p(probabilities: Floats, number: float) -> list[int]:
    return first_that_hold(probabilities, sorted(range(12), key=lambda token: -probabilities[token]), number)


def naive_min_p(probabilities: Floats, number: float) -> list[int]:
    return [token for token in range(12) if probabilities[token] >= number * max(probabilities)]


def naive_typical(probabilities: Floats, number: float) -> list[int]:
    entropy = -sum(p * math.log(p) for p in probabilities)
    order = sorted(range(12), key=lambda token: abs(-math.log(probabilities[token]) - entropy))
    return first_that_hold(probabilities, order, number)


@pytest.mark.parametrize(
    ("keep", "plain"),
    [
        (lambda p, number: keep_top_k(p, 1 + int(number * 11)), naive_top_k),
        (keep_top_p, naive_top_p),
        (keep_min_p, naive_min_p),
        (keep_typical, naive_typical),
    ],
    ids=["top_k", "top_p", "min_p", "typical"],
)
def test_a_filter_agrees_with_a_plain_loop(
    keep: Callable[[Floats, float], Floats], plain: Callable[[Floats, float], list[int]]
) -> None:
    for _ in range(50):
        probabilities, number = drawn(), float(RANDOM.uniform(0.01, 0.99))
        expected = naive(probabilities, plain(probabilities, number))
        np.testing.assert_allclose(keep(probabilities, number), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("p", "kept"), [(0.01, 1), (0.5, 1), (0.500001, 2), (0.75, 2), (0.8, 3), (0.875, 3), (0.9, 4), (1.0, 4)]
)
def test_the_nucleus_is_the_smallest_set_that_holds_p(p: float, kept: int) -> None:
    probabilities = keep_top_p(np.array([0.125, 0.5, 0.125, 0.25]), p)
    assert np.count_nonzero(probabilities) == kept
    assert probabilities.argmax() == 1
    assert math.isclose(probabilities.sum(), 1)


def test_a_typical_token_is_as_surprising_as_is_to_be_expected() -> None:
    """Of probabilities 1/2, 1/4, 1/8, 1/8 the entropy is 1.75 bits: 2 bits are nearest, then 1, then 3."""
    probabilities = np.array([0.5, 0.25, 0.125, 0.125])
    assert keep_typical(probabilities, 0.2).tolist() == [0, 1, 0, 0]
    assert np.flatnonzero(keep_typical(probabilities, 0.6)).tolist() == [0, 1]
    assert np.flatnonzero(keep_typical(probabilities, 0.8)).tolist() == [0, 1, 2]


def test_of_equal_tokens_the_first_are_kept() -> None:
    assert keep_top_k(np.full(3, 1 / 3), 2).tolist() == [0.5, 0.5, 0]
    assert keep_top_k(np.full(3, 1 / 3), 0).tolist() == keep_top_k(np.full(3, 1 / 3), 99).tolist()


def test_the_penalty_makes_recent_tokens_less_probable_whatever_their_sign() -> None:
    logits = np.array([2.0, -1.0, 0.5, 0.0])
    assert repetition_penalty(logits, [0, 1, 1, 3], 2.0).tolist() == [1, -2, 0.5, 0]
    assert repetition_penalty(logits, [], 2.0) is logits
    assert logits.tolist() == [2, -1, 0.5, 0]


def test_no_temperature_makes_a_number_that_is_none() -> None:
    logits = np.array([-50, 80, 79, -np.inf])
    for temperature in (1e-300, 1e-12, 0.0, 1.0, 100.0):
        probabilities = tempered(logits, temperature)
        assert math.isclose(probabilities.sum(), 1)
        assert probabilities.argmax() == 1
        assert probabilities[3] == 0
    np.testing.assert_allclose(tempered(np.log([0.2, 0.8]), 1), [0.2, 0.8])
    np.testing.assert_allclose(tempered(np.log([1.0, 3.0]), 0.5), [0.1, 0.9])
    assert tempered(np.array([1.0, 3, 3, 2]), 0).tolist() == [0, 1, 0, 0]


def test_filters_act_in_the_documented_order_on_what_is_left() -> None:
    logits = RANDOM.normal(size=12).astype(np.float32)
    sampling = SamplingConfig(
        temperature=0.7, top_k=9, top_p=0.9, min_p=0.1, typical_p=0.8, repetition_penalty=1.5, repetition_window=3
    )
    recent = [0, 1, 2, 3, 4]
    penalised = [
        logits[token] if token not in (2, 3, 4) else logits[token] / 1.5 if logits[token] > 0 else logits[token] * 1.5
        for token in range(12)
    ]
    expected = tempered(np.array(penalised, np.float64), 0.7)
    for plain, number in ((naive_top_p, 0.9), (naive_min_p, 0.1)):
        order = naive_top_k(expected, 8 / 11) if plain is naive_top_p else []
        expected = np.array(naive(expected, order)) if order else expected
        expected = np.array(naive(expected, plain(expected, number)))
    expected = keep_typical(expected, 0.8)
    np.testing.assert_allclose(drawing_probabilities(logits, sampling, recent), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "changed", [{"top_k": 3}, {"top_p": 0.5}, {"min_p": 0.1}, {"typical_p": 0.5}, {"repetition_penalty": 1.2}]
)
def test_a_setting_is_known_to_shape_what_is_drawn(changed: dict[str, float]) -> None:
    assert not filters_apply(SamplingConfig(temperature=0.3, seed=4))
    assert filters_apply(SamplingConfig(**changed))  # type: ignore[arg-type]
