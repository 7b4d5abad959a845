"""The table of a comparison, and the paragraphs that replace it where there are too many runs."""

from __future__ import annotations

from rich.cells import cell_len

from rnnplay.experiments.comparison import ComparedRun, Comparison, Course, Difference
from rnnplay.runs.samples.logged import LoggedSample
from rnnplay.tui.chart.palette import run_look
from rnnplay.tui.runs.comparison_view import comparison_lines


def compared(name: str, loss: float | None, ended: str = "length") -> ComparedRun:
    return ComparedRun(
        run=name,
        created="",
        parameters=12_345,
        vocabulary=9,
        step=100,
        tokens=None,
        seconds=None,
        best_validation_loss=loss,
        best_step=None if loss is None else 50,
        last_validation_loss=loss,
        best_bits_per_character=loss,
        best_training_loss=loss,
        last_training_loss=loss,
        rollbacks=0,
        ended=ended,
    )


def comparison(*runs: ComparedRun) -> Comparison:
    values = Difference("lr", [0.01 * (number + 1) for number in range(len(runs))])
    samples = [{"Once\n": LoggedSample(step=1, prompt="Once\n", text="upon \x1b[2J a" * 99)} for _ in runs]
    return Comparison(list(runs), [Course() for _ in runs], [values], samples, ["Their tokens differ."])


def text(found: Comparison, width: int) -> list[str]:
    return [line.plain for line in comparison_lines(found, width, True)]


def test_a_table_where_there_is_room() -> None:
    rows = text(comparison(compared("one", 1.5), compared("two", 1.25), compared("three", None)), 100)
    assert rows[0] == "Their tokens differ."
    assert rows[2].split() == ["■", "one", "▲", "two", "◆", "three"]
    assert rows[3].split() == ["lr", "0.01", "0.02", "0.03"]
    best = next(row for row in rows if row.startswith("best validation"))
    assert best.split() == ["best", "validation", "1.5000", "1.2500", "*", "–"]
    assert not any(row.startswith(("rollbacks", "ended")) for row in rows), "the same of all"
    assert any(row.startswith("ended") for row in text(comparison(compared("a", 1), compared("b", 1, "diverged")), 80))


def test_nothing_is_wider_than_the_window_and_no_control_character_reaches_it() -> None:
    for width in (30, 60, 80, 200):
        runs = comparison(compared("a-very-long-name-of-a-run-01", 1.5), compared("模型" * 20, 1.25))
        lines = text(runs, width)
        table = [line for line in lines if line.startswith(("lr", "  at step"))]
        assert all(cell_len(line.rstrip()) <= width for line in table)
        assert not any("\x1b" in line or "\n" in line for line in lines)


def test_a_paragraph_each_of_many_runs() -> None:
    rows = text(comparison(*(compared(f"run-{number}", 2 - number / 10) for number in range(8))), 80)
    paragraphs = [row for row in rows if "validation" in row]
    assert len(paragraphs) == 8 and paragraphs[-1].startswith(run_look(7).mark)
    assert "1.3000 *" in paragraphs[-1] and "lr 0.08" in paragraphs[-1]


def test_the_best_is_the_lowest_loss_if_there_is_any() -> None:
    assert comparison(compared("a", None), compared("b", 2.0), compared("c", 1.0)).best == 2
    assert comparison(compared("a", None)).best is None and comparison().best is None


def test_the_star_is_at_what_can_be_compared() -> None:
    found = comparison(compared("a", 2.0), compared("b", 1.0))
    found.measure = "best_bits_per_character"
    assert [row.split()[0] for row in text(found, 100) if "*" in row] == ["bits/character"]
    many = comparison(*(compared(f"run-{number}", 2 - number / 10) for number in range(8)))
    many.measure = "best_bits_per_character"
    assert [row for row in text(many, 80) if "*" in row][-1].count("bits/character 1.3000 *") == 1
    found.measure = None
    assert not any("*" in row for row in text(found, 100))
