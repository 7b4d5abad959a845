"""Variants of a setup: which there are, how they are called, and what is refused."""

from __future__ import annotations

import pytest

from rnnplay.config import RunConfig, Value
from rnnplay.errors import ConfigError, InputError
from rnnplay.experiments.variants import READY, ready, vary
from rnnplay.presets import preset_config

SETUP = preset_config("quick")


def labels(values: dict[str, list[Value]], config: RunConfig = SETUP) -> list[str]:
    return [variant.label for variant in vary(config, values)]


def test_ready_sets_of_every_setup() -> None:
    assert [variant.label for variant in ready("cells", SETUP)] == ["RNN", "GRU", "LSTM"]
    assert [variant.label for variant in ready("clip", SETUP)] == ["clip off", "clip 0.25", "clip 1", "clip 5"]
    assert [variant.label for variant in ready("nonlinearity", SETUP)] == ["tanh", "ReLU"]
    assert [variant.label for variant in ready("rates", SETUP)] == ["lr 0.0033", "lr 0.01", "lr 0.03"]
    for name in READY:  # setups at the edges have them, too
        for config in (preset_config("exploding"), preset_config("words"), RunConfig(lr=1000, clip="value")):
            variants = ready(name, config)
            assert len({variant.config for variant in variants}) == len(variants) >= 2


def test_the_ready_sets_change_nothing_else() -> None:
    for variant in ready("clip", SETUP):
        others = [name for name in RunConfig.__struct_fields__ if name not in ("clip", "clip_threshold")]
        assert all(getattr(variant.config, name) == getattr(SETUP, name) for name in others)
    assert [variant.config.cell for variant in ready("nonlinearity", SETUP)] == ["rnn", "rnn"]


def test_an_unknown_set_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no ready-made set 'cell'; the sets are cells, clip, nonlinearity, rates"):
        ready("cell", SETUP)


def test_labels_say_what_differs_and_nothing_else() -> None:
    assert labels({"lr": [0.002, 0.01]}) == ["lr 0.002", "lr 0.01"]
    assert labels({"tie": [True, False]}, preset_config("words")) == ["tie on", "tie off"]
    assert labels({"cell": ["gru", "lstm"], "lr": [0.01, 0.02]}) == [
        *("cell=gru lr=0.01", "cell=gru lr=0.02", "cell=lstm lr=0.01", "cell=lstm lr=0.02")
    ]
    assert labels({"cell": ["gru"], "lr": [0.01, 0.02]}) == ["lr 0.01", "lr 0.02"]
    assert labels({"clip": ["norm", "value"], "clip_threshold": [0.25, 1.0]}) == [
        *("clip norm 0.25", "clip norm 1", "clip value 0.25", "clip value 1")
    ]


def test_combinations_without_an_effect_are_one_variant() -> None:
    """With clipping off every threshold trains the same."""
    assert labels({"clip": ["off", "norm"], "clip_threshold": [0.25, 1.0]}) == ["clip off", "clip 0.25", "clip 1"]
    assert labels({"cell": ["rnn", "lstm"], "nonlinearity": ["tanh", "relu"]}) == [
        *("cell=rnn nonlinearity=tanh", "cell=rnn nonlinearity=relu", "cell=lstm")
    ]


@pytest.mark.parametrize(
    ("values", "knob", "words"),
    [
        ({"lrate": [1, 2]}, "lrate", "Unknown knob 'lrate'"),
        ({"lr": [0.0, 0.1]}, "lr", "lr must be a number above 0"),
        ({"lr": [0.1, 0.1]}, "lr", "lr is varied over 0.1 twice"),
        ({"momentum": [0.0, 0.0]}, "momentum", "momentum is varied over 0 twice"),
        ({"lr": [0.1]}, "lr", "lr has one value, and a race has 2 to 6 variants"),
        ({}, "", "Nothing is varied"),
        ({"seed": [1, 2, 3, 4, 5, 6, 7]}, "seed", "seed is varied over 7 values; a race has 2 to 6 variants"),
        ({"tie": [False, True], "seed": [1, 2, 3, 4]}, "tie", "tie needs embedding"),
        ({"lr": [0.1, 0.2], "seed": [1, 2, 3, 4]}, "lr", "lr and seed in every combination are 8 variants"),
        ({"nonlinearity": ["tanh", "relu"]}, "nonlinearity", "has an effect only with cell rnn, and cell is lstm"),
        ({"seed": list(range(50)), "hidden": list(range(1, 50))}, "seed", "50 values of seed × 49 values of hidden"),
        ({"tie": [True, False]}, "tie", "tie needs embedding = hidden"),
    ],
)
def test_what_cannot_race_is_refused_with_the_knob(values: dict[str, list[Value]], knob: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        vary(SETUP, values)
    assert refused.value.knob == knob


def test_texts_of_the_same_name_are_told_apart() -> None:
    assert labels({"corpus": ["a/x.txt", "b/x.txt"]}) == ["corpus=a/x.txt", "corpus=b/x.txt"]
    assert labels({"corpus": ["a/x.txt", "b/y.txt"]}) == ["x.txt", "y.txt"]
    assert labels({"lr": [0.1234567, 0.1234568]}) == ["lr 0.1234567", "lr 0.1234568"]
