"""The answers of several variants to one prompt, side by side or a line each."""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from rnnplay.engine.messages import Completion
from rnnplay.tui.chart.palette import run_look
from rnnplay.tui.race.answers import BARS, Answer, answer_columns, answer_lines
from tests.tui.stage import completion

FOUND = completion(
    1, "alked\x1b[31m\n", ("a", 0.62), (" ", 0.2), ("\n", 0.1), ("日本", 0.05), ("x", 0.01), ("y", 0.001)
)
UNKNOWN = Completion(request=2, suggestion="", next=[], unknown=["#", "\x07"], step=1)


def answers(count: int) -> list[Answer]:
    given = (FOUND, None, UNKNOWN)
    return [(run_look(at), f"variant {at}", given[at % 3]) for at in range(count)]


@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("width", [30, 78, 198])
def test_lines_fit_and_hold_nothing_that_a_terminal_obeys(count: int, width: int) -> None:
    lines = answer_lines(answers(count), width)
    assert len(lines) == count
    assert "alked" in lines[0].plain and "a 62%" in lines[0].plain + " a 62%" * (width < 50)
    assert all("\x1b" not in line.plain and "\n" not in line.plain and "\x07" not in line.plain for line in lines)
    if width >= 78:
        assert all(cell_len(line.plain) <= width for line in lines)
    if count >= 3:
        assert "…" in lines[1].plain and "→ <unk>" in lines[2].plain


@pytest.mark.parametrize("width", [78, 118])
def test_how_much_of_a_long_prompt_was_read_is_said(width: int) -> None:
    given: list[Answer] = [(run_look(0), "variant", msgspec.structs.replace(FOUND, read=0.4))]
    for lines in (answer_lines(given, width), answer_columns(given, width)):
        text = "\n".join(line.plain for line in lines)
        assert "reading the text: 40%" in text and "alked" in text
        assert all(cell_len(line.plain) <= width for line in lines)


@pytest.mark.parametrize(("count", "width"), [(1, 78), (3, 118), (6, 198)])
def test_columns_stand_side_by_side(count: int, width: int) -> None:
    lines = answer_columns(answers(count), width)
    assert len(lines) == BARS + 2
    assert all(run_look(at).mark in lines[0].plain for at in range(count))
    starts = [lines[0].plain.index(run_look(at).mark) for at in range(count)]
    assert starts == sorted(starts)
    assert "62%" in lines[2].plain and "█" in lines[2].plain
    assert all(cell_len(line.plain) <= width for line in lines)
