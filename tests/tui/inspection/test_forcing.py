"""What a user types to clamp units, and how what is forced is said."""

from __future__ import annotations

import pytest

from rnnplay.errors import InputError
from rnnplay.inspection.results import Forced
from rnnplay.tui.inspection.forcing import clamp_text, described, parse_clamps, switches


def test_the_gates_of_each_cell() -> None:
    assert switches("lstm", 1) == [(0, "input_gate"), (0, "forget_gate"), (0, "output_gate")]
    assert switches("gru", 2) == [(0, "reset"), (0, "update"), (1, "reset"), (1, "update")]
    assert switches("rnn", 3) == []


def test_clamps() -> None:
    clamps = parse_clamps("3,7=0; 2:12-14=-1.5", "lstm", 2, 16)
    assert clamps == [
        Forced(layer=0, quantity="cell", value=0.0, units=[3, 7]),
        Forced(layer=1, quantity="cell", value=-1.5, units=[12, 13, 14]),
    ]
    assert clamp_text(clamps) == "3,7=0; 2:12,13,14=-1.5"
    assert parse_clamps(clamp_text(clamps), "lstm", 2, 16) == clamps
    assert parse_clamps("0=1", "gru", 1, 4) == [Forced(layer=0, quantity="hidden", value=1.0, units=[0])]
    assert parse_clamps(" ", "rnn", 1, 4) == []
    assert parse_clamps(" 3 , 7 = 0 ;2 : 12 - 14=-1.5; ", "lstm", 2, 16) == clamps


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("3", "3 is not a clamp"),
        ("3=x", "not a value"),
        ("3:1=0", "no layer 3"),
        ("16=0", "0 to 15"),
        ("5-2=0", "5-2"),
        ("1=1.2.3", "not a value"),
        ("3,7=0,5", "0,5 is not a value to clamp units at; write 0.5"),
        ("3 7=0", "3 7=0 is not a clamp"),  # not unit 37
        ("1,000=0", "1,000=0 is not a clamp"),  # nor units 1 and 0
        ("1=1e999", "not a value"),
        # Beyond what Python makes a number of.
        pytest.param("9" * 5000 + "=0", "^9{40} is not a clamp", id="a long unit"),
        pytest.param("9" * 5000 + ":1=0", "not a clamp", id="a long layer"),
        pytest.param("1=" + "9" * 5000, "not a clamp", id="a long value"),
    ],
)
def test_what_is_wrong_is_said(text: str, names: str) -> None:
    with pytest.raises(InputError, match=names):
        parse_clamps(text, "lstm", 2, 16)


def test_what_is_forced_in_words() -> None:
    forced = [
        Forced(layer=0, quantity="forget_gate", value=0.0),
        Forced(layer=1, quantity="update", value=1.0),
        Forced(layer=0, quantity="cell", value=0.5, units=[3, 7]),
    ]
    assert described(forced[:1]) == "forget gate closed"
    assert described(forced, layers=2) == (
        "layer 1 forget gate closed, layer 2 update gate open, layer 1 cell state of units 3, 7 = 0.5"
    )
