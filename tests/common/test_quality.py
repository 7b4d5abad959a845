"""Figures of quality: what is huge stays short, and `<unk>` is said."""

from __future__ import annotations

import math

import pytest

from rnnplay.common.quality import fixed, fraction_of_tokens, perplexity, unknown_text, unknown_warning


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.2749, "5.27"), (-0.5, "-0.50"), (999_999.0, "999999.00"), (2.3e68, "2.3e+68"), (-4e7, "-4.0e+07")],
)
def test_huge_numbers_stay_short(value: float, text: str) -> None:
    assert fixed(value, 2) == text


def test_numbers_that_are_not_finite() -> None:
    assert [fixed(value, 2) for value in (math.nan, math.inf, -math.inf)] == ["nan", "inf", "-inf"]
    assert math.isnan(perplexity(math.nan)) and perplexity(math.inf) == perplexity(1e9) == math.inf
    assert perplexity(2.0) == math.exp(2.0)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, ""),
        (0.0, ""),
        (1e-6, "<0.1% <unk>"),
        (0.023, "2.3% <unk>"),
        (0.38, "38% <unk>"),
        (0.999, "99.9% <unk>"),
        (0.99999, "99.9% <unk>"),
        (1.0, "100% <unk>"),
    ],
)
def test_a_fraction_of_unknown_tokens(fraction: float | None, text: str) -> None:
    """Nothing rounds to none or to all that is neither."""
    assert unknown_text(fraction) == text


def test_only_much_of_it_is_a_warning() -> None:
    assert not unknown_warning(None, "it") and not unknown_warning(0.05, "it")
    assert unknown_warning(0.051, "the text").startswith("5.1% <unk> in the text: ")
    assert fraction_of_tokens(0) == "none of the tokens" and fraction_of_tokens(0.5) == "50% of the tokens"
