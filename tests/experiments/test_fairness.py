"""Parameters matched instead of sizes, and figures over several seeds."""

from __future__ import annotations

import math

import pytest

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import ConfigError
from rnnplay.experiments.fairness import Spread, matched, repeated, spread, told_apart, with_parameters
from rnnplay.experiments.variants import ready, vary
from rnnplay.model.parameter_count import parameter_count
from rnnplay.presets import preset_config

SETUP = preset_config("quick")


def test_parameters_are_matched_to_the_setup() -> None:
    found = {variant.label: variant.config for variant in matched(ready("cells", SETUP), SETUP, lambda _: 62)}
    assert found["LSTM"].hidden == SETUP.hidden
    assert SETUP.hidden < found["GRU"].hidden < found["RNN"].hidden
    wanted = parameter_count(SETUP, 62)
    assert all(abs(parameter_count(config, 62) / wanted - 1) < 0.01 for config in found.values())


@pytest.mark.parametrize("wanted", [1, 500, 12_345, 400_000, 10**12])
@pytest.mark.parametrize("config", [RunConfig(cell="gru", layers=2), RunConfig(tie=True, embedding=32, hidden=32)])
def test_no_other_size_is_nearer(config: RunConfig, wanted: int) -> None:
    """Against a search of all sizes; with tied weights the embedding has the same size."""
    found = with_parameters(config, wanted, 50)
    sizes = range(1, 600) if wanted < 10**9 else (16_383, 16_384)
    tied = ("hidden", "embedding") if config.tie else ("hidden",)
    others = [with_values(config, dict.fromkeys(tied, size)) for size in sizes]
    nearest = min(others, key=lambda other: abs(parameter_count(other, 50) - wanted))
    assert abs(parameter_count(found, 50) - wanted) == abs(parameter_count(nearest, 50) - wanted)


def test_an_adaptive_softmax_keeps_its_smallest_size() -> None:
    config = RunConfig(tokens="word", softmax="adaptive")
    assert with_parameters(config, 1, 1000).hidden == 16


def test_sizes_that_are_varied_are_not_matched() -> None:
    with pytest.raises(ConfigError, match="hidden is varied, so parameters cannot be matched") as refused:
        matched(vary(SETUP, {"hidden": [64, 128]}), SETUP, lambda _: 62)
    assert refused.value.knob == "hidden"


def test_each_race_of_a_repetition_has_the_next_seed() -> None:
    races = repeated(ready("cells", SETUP), 3)
    assert [[variant.config.seed for variant in race] for race in races] == [[1] * 3, [2] * 3, [3] * 3]
    assert [variant.label for variant in races[2]] == ["RNN", "GRU", "LSTM"]
    with pytest.raises(ConfigError, match="seed is varied"):
        repeated(vary(SETUP, {"seed": [1, 2]}), 2)


def test_mean_and_range_over_seeds() -> None:
    assert spread([0.25, 0.75, 0.5, math.nan]) == Spread(n=3, mean=0.5, low=0.25, high=0.75)
    assert spread([math.nan, math.inf]) is None


def test_whether_ranges_overlap_is_said() -> None:
    lstm, gru = Spread(n=3, mean=0.331, low=0.32, high=0.34), Spread(n=3, mean=0.346, low=0.339, high=0.36)
    assert "overlap over 3 seeds: their difference may be noise" in told_apart(("LSTM", lstm), ("GRU", gru))
    apart = Spread(n=3, mean=0.36, low=0.35, high=0.37)
    assert told_apart(("LSTM", lstm), ("GRU", apart)).startswith("LSTM is ahead of GRU with every seed")
    one = Spread(n=1, mean=0.4, low=0.4, high=0.4)
    assert "one seed" in told_apart(("LSTM", lstm), ("GRU", one))
