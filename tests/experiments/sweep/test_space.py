"""What can be varied, as it is typed."""

from __future__ import annotations

import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, InputError
from rnnplay.experiments.sweep.space import grid, parse_dimension, parse_dimensions, with_combination


def test_a_list_has_the_values_of_its_knob() -> None:
    assert parse_dimension("cell=rnn, GRU,lstm").values == ["rnn", "gru", "lstm"]
    assert parse_dimension("--batch-size=16,32").knob == "batch_size"
    assert parse_dimension("tie=on,off").values == [True, False]
    assert parse_dimension("average=0,0.9").knob == "ema_decay"  # its former name


def test_a_range_has_ends_a_scale_and_perhaps_points() -> None:
    drawn = parse_dimension("lr=1e-4..1e-1:log")
    assert (drawn.low, drawn.high, drawn.log, drawn.values) == (1e-4, 1e-1, True, [])
    assert parse_dimension("lr=1e-4..1e-1:log:4").values == [1e-4, 1e-3, 1e-2, 1e-1]
    assert parse_dimension("hidden=16..64:4").values == [16, 32, 48, 64]
    assert parse_dimension("dropout=0..0.5:3").values == [0.0, 0.25, 0.5]


@pytest.mark.parametrize(
    "text", ["cell=rnn,gru", "lr=0.0001..0.1:log", "hidden=16..64:4", "tie=on,off", "lr=0.001,0.01"]
)
def test_a_dimension_is_written_as_it_is_read(text: str) -> None:
    assert parse_dimension(parse_dimension(text).text) == parse_dimension(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lr", "a knob and its values"),
        ("lr=", "a knob and its values"),
        ("speed=1,2", "unknown knob 'speed'"),
        ("lr=0.1,fast", "lr must be a number"),
        ("lr=0.1,,0.2", "a value is missing"),
        ("lr=0.1,0.1", "0.1 is there twice"),
        ("seed=1,2", "--repeat 3"),
        ("cell=rnn..lstm", "is not a number"),
        ("lr=0.1..0.01", "from a smaller to a larger"),
        ("dropout=0..0.5:log", "starts above 0"),
        ("lr=0.1..0.2:log:one", "not a number of points"),
        ("lr=0.1..0.2:4:5", "LOW..HIGH:log:POINTS"),
        ("lr=0.1..5000", "lr must be"),
        ("input_dropout=-1..0.5", "no place for -1, which means as dropout"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_dimension(text)


def test_a_knob_is_varied_once() -> None:
    with pytest.raises(InputError, match="lr is there twice"):
        parse_dimensions(["lr=0.1,0.2", "cell=rnn,gru", "lr=0.3,0.4"])


def test_a_grid_is_in_the_order_of_its_values() -> None:
    points = grid(parse_dimensions(["cell=rnn,gru", "lr=0.1,0.2"]))
    assert points == [
        {"cell": "rnn", "lr": 0.1},
        {"cell": "rnn", "lr": 0.2},
        {"cell": "gru", "lr": 0.1},
        {"cell": "gru", "lr": 0.2},
    ]
    with pytest.raises(InputError, match="needs its number of points"):
        grid(parse_dimensions(["lr=0.1..0.2"]))
    with pytest.raises(InputError, match=r"1,000,000 combinations"):
        grid(parse_dimensions(["lr=0.1..0.2:1000", "dropout=0..0.5:1000"]))


def test_values_that_do_not_fit_together_are_named() -> None:
    with pytest.raises(ConfigError, match=r"With tie=on hidden=32: tie needs embedding = hidden"):
        with_combination(RunConfig(), {"tie": True, "hidden": 32})
