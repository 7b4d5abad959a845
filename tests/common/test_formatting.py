"""Numbers for the user are short and never wrong by a unit; `<unk>` is said beside figures of quality."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from rnnplay.common.formatting import (
    count_text,
    duration_text,
    fixed,
    fraction_of_tokens,
    model_text,
    moment_text,
    perplexity,
    size_text,
    unknown_text,
    unknown_warning,
    waited_text,
)


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (math.inf, ""),
        (math.nan, ""),
        (-3.0, "0:00"),
        (7.4, "0:07"),
        (92.0, "1:32"),
        (7500.0, "2:05:00"),
        (59.6, "1:00"),
    ],
)
def test_time_left_is_short(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (950, "950"),
        (999.7, "1.0k"),
        (1500, "1.5k"),
        (62_000, "62k"),
        (9_960, "10k"),
        (999_999, "1.0M"),
        (2e9, "2.0G"),
        (1.2e6, "1.2M"),
    ],
)
def test_counts_are_short(number: float, text: str) -> None:
    assert count_text(number) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (12.0, "12 s"), (125.0, "2:05")])
def test_time_waited_is_short(seconds: float, text: str) -> None:
    assert waited_text(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(12, "12 bytes"), (1_100_000, "1.1 MB"), (3e12, "3000.0 GB")])
def test_sizes_are_short(size: float, text: str) -> None:
    assert size_text(size) == text


def test_a_moment_is_in_the_users_own_time_and_what_is_none_stays_as_it_stands() -> None:
    here = datetime(2026, 3, 1, 10, 15).astimezone()
    assert moment_text(here.astimezone(UTC).isoformat()) == "2026-03-01 10:15"
    assert moment_text("yesterday") == "yesterday"


def test_a_model_has_one_name_everywhere() -> None:
    """What is the usual is left out: an RNN is one with tanh."""
    assert model_text("rnn", "tanh", 1, 256) == "RNN 1×256"
    assert model_text("rnn", "relu", 2, 64) == "ReLU RNN 2×64"
    assert model_text("lstm", "relu", 1, 256) == "LSTM 1×256", "it has no such knob"
