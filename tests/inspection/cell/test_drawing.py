"""The picture of a timestep: numbers appear with their stage, at their width, and no row is too wide."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import pytest
from rich.cells import cell_len

from rnnplay.inspection.cell.drawing import STAGES, WIDTH, Stage, drawing, equations, is_backward, number, numbers
from rnnplay.inspection.results import LSTMNumbers, Timestep
from tests.tui.findings import timestep


def filled(value: float) -> Timestep:
    """A timestep whose every number is `value`."""
    same = LSTMNumbers(**{name: [value, value] for name in LSTMNumbers.__struct_fields__})
    return msgspec.structs.replace(timestep(), values=same, gradients=same, loss=value, difference=abs(value))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.8312, "+0.831"),
        (-12.5, "−12.50"),
        (9.9999, "+10.00"),
        (0.0, "+0.000"),
        (-0.00004, "−4e-05"),
        (1234.5, "+1e+03"),
        (math.nan, "   nan"),
        (-math.inf, "  -inf"),
    ],
)
def test_a_number_is_six_cells_wide(value: float, shown: str) -> None:
    """Gradients of 1e-5 must not be shown as 0, and a diverged model must not push the picture apart."""
    assert number(value) == shown
    assert cell_len(shown) == 6


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("value", [-0.5, -1e-5, -1e9, math.nan])
def test_no_row_is_wider_than_the_picture(stage: Stage, value: float) -> None:
    """What is beyond the edge of an 80-column terminal is lost."""
    found = filled(value)
    rows = ["".join(piece.text for piece in row) for row in drawing(found, stage, "a" * 8)]
    assert len(rows) + len(equations(found, stage, "b")) <= 14
    for row in [*rows, *equations(found, stage, "b" * 8)]:
        assert cell_len(row.rstrip()) <= WIDTH, row


def test_numbers_appear_with_their_stage_and_stay_until_the_other_direction() -> None:
    """Nothing is shown before it is computed: the walk would give away its end."""
    found = timestep()
    names = LSTMNumbers.__struct_fields__
    seen: dict[Stage, set[str]] = {}
    for stage in STAGES:
        text = "\n".join("".join(piece.text for piece in row) for row in drawing(found, stage, "a"))
        shown = found.gradients if is_backward(stage) else found.values
        seen[stage] = {name for name in names if numbers(getattr(shown, name)) in text}
    assert "cell" not in seen["gates"] and "forget_gate" in seen["gates"]
    assert "hidden" not in seen["cell"] and "hidden" in seen["output"]
    assert seen["back to h"] == {"hidden"}
    assert seen["back in time"] == set(names) - {name for name in names if name.endswith("sum")}
    for one, other in pairwise(STAGES):
        if is_backward(one) == is_backward(other):
            assert seen[one] <= seen[other]


def test_the_numbers_of_a_stage_stand_out() -> None:
    """They are marked as new; those of the stage before as old."""
    found = timestep()
    new = {piece.text for row in drawing(found, "cell", "a") for piece in row if piece.kind == "new"}
    assert new == {numbers(found.values.cell)}
