"""What stands on the borders of the charts."""

from __future__ import annotations

import msgspec
import pytest

from rnnplay.tui.run_state import RunState
from rnnplay.tui.widgets.training_charts import loss_readout
from tests.tui.stage import validation


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "perplexity 4.95  2.31 bits/char"),
        ({"unknown_fraction": 0.0}, "perplexity 4.95  2.31 bits/char"),
        ({"unknown_fraction": 0.983}, "perplexity 4.95  2.31 bits/char  98% <unk>"),
        ({"perplexity": 2.345e68, "bits_per_character": 4e9}, "perplexity 2.35e+68  4.0e+09 bits/char"),
    ],
)
def test_the_last_validation(values: dict[str, float], text: str) -> None:
    """Also of a run that an earlier version began, which did not count <unk>."""
    state = RunState()
    assert loss_readout(state) == ""
    state.validation = msgspec.structs.replace(validation(100, 1.6), **values)
    assert loss_readout(state) == text
