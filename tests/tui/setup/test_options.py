"""Options are stepped through in a circle, from a value that is none of them to the nearest end."""

from __future__ import annotations

import pytest

from rnnplay.config import Value
from rnnplay.tui.setup.options import Options

CELLS: list[tuple[Value, str]] = [("rnn", "RNN"), ("gru", "GRU"), ("lstm", "LSTM")]


@pytest.mark.parametrize(
    ("value", "steps", "expected"),
    [("rnn", 1, "gru"), ("lstm", 1, "rnn"), ("rnn", -1, "lstm"), ("gru", 2, "rnn"), ("?", 1, "rnn"), ("?", -1, "lstm")],
)
def test_steps_go_round(value: str, steps: int, expected: str) -> None:
    assert Options(CELLS).stepped(value, steps) == expected


def test_the_action_is_the_last_option_and_has_no_value() -> None:
    options = Options(CELLS, "open a file")
    options.about = {"gru": "two gates"}
    assert options.listed() == [("RNN", ""), ("GRU", "two gates"), ("LSTM", ""), ("open a file", "")]
    assert options.stepped("lstm", 1) is None and options.name_of("lstm") == "open a file"
    assert options.stepped("lstm", 1) == "rnn" and options.name_of("lstm") == "LSTM"
    assert options.name_of("?") is None
    assert options and not Options([])
