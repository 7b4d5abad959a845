"""The text of a comparison: a table of runs side by side, or a paragraph each where there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.content import Content

from rnnplay.common.formatting import count_text, duration_text, fixed
from rnnplay.experiments.comparison import ComparedRun, Comparison, value_text
from rnnplay.tui.chart.palette import RunLook, run_look
from rnnplay.tui.widgets.visible import MUTED, middle_shortened, padded, shortened, visible_line

LABEL, LEAST, MOST, GAP = 18, 9, 26, 2
"""Cells of a label, the fewest and the most of a run's column, and of the space between columns."""
SAMPLE_ROWS = 3
"""Rows of a sample."""
UNKNOWN = "–"

MEASURES: tuple[tuple[str, Callable[[ComparedRun], str]], ...] = (
    ("best validation", lambda run: _loss(run.best_validation_loss)),
    ("  at step", lambda run: UNKNOWN if run.best_step is None else f"{run.best_step:,}"),
    ("  bits/character", lambda run: _loss(run.best_bits_per_character)),
    ("last validation", lambda run: _loss(run.last_validation_loss)),
    ("best training", lambda run: _loss(run.best_training_loss)),
    ("last training", lambda run: _loss(run.last_training_loss)),
    ("step", lambda run: f"{run.step:,}"),
    ("tokens", lambda run: UNKNOWN if run.tokens is None else count_text(run.tokens)),
    ("time", lambda run: duration_text(run.seconds) or UNKNOWN),
    ("parameters", lambda run: count_text(run.parameters)),
    ("rollbacks", lambda run: f"{run.rollbacks:,}"),
    ("ended", lambda run: run.ended or UNKNOWN),
)

RANKED: dict[str | None, str] = {
    "best_validation_loss": "best validation",
    "best_bits_per_character": "  bits/character",
}
"""The row in which the best run is marked."""


def comparison_lines(comparison: Comparison, width: int, dark: bool) -> list[Content]:
    """Returns everything in lines of `width` cells; `dark`: whether the background is."""
    looks = [run_look(number) for number in range(len(comparison.runs))]
    inks = [f"bold {look.shade(dark)}" for look in looks]
    lines = [Content.styled(remark, "$warning") for remark in comparison.remarks]
    lines += [Content("")] if lines else []
    column = (width - LABEL) // len(looks) - GAP
    if column >= LEAST:
        lines += _table(comparison, looks, inks, min(column, MOST))
    else:
        lines += _paragraphs(comparison, looks, inks)
    return [*lines, *_samples(comparison, looks, inks, width)]


def _table(comparison: Comparison, looks: Sequence[RunLook], inks: Sequence[str], width: int) -> list[Content]:
    runs = comparison.runs
    heads = [
        (f"{' ' * GAP}{look.mark} {padded(middle_shortened(visible_line(run.run), width - 2), width - 2)}", ink)
        for look, ink, run in zip(looks, inks, runs, strict=True)
    ]
    lines = [Content.assemble(padded("", LABEL), *heads)]
    for difference in comparison.differences:
        cells = [value_text(value) for value in difference.values]
        lines.append(_row(difference.name, cells, width))
    lines.append(Content(""))
    for name, text in MEASURES:
        cells = [text(run) for run in runs]
        if name in ("rollbacks", "ended") and all(cell == cells[0] for cell in cells):
            continue
        lines.append(_row(name, cells, width, comparison.best if name == RANKED.get(comparison.measure) else None))
    return lines


def _row(name: str, cells: Sequence[str], width: int, best: int | None = None) -> Content:
    parts = [
        (f"{' ' * GAP}{padded(shortened(cell + ' *' * (number == best), width), width)}", "bold" * (number == best))
        for number, cell in enumerate(cells)
    ]
    return Content.assemble((padded(shortened(name, LABEL), LABEL), MUTED), *parts)


def _paragraphs(comparison: Comparison, looks: Sequence[RunLook], inks: Sequence[str]) -> list[Content]:
    best = comparison.best
    lines = []
    for number, run in enumerate(comparison.runs):
        facts = [("validation", _loss(run.best_validation_loss) + " *" * (number == best)), ("step", f"{run.step:,}")]
        facts += [(one.name, value_text(one.values[number])) for one in comparison.differences]
        head = (f"{looks[number].mark} {visible_line(run.run)}   ", inks[number])
        told = (part for name, value in facts for part in ((f"{name} ", MUTED), f"{value}   "))
        lines.append(Content.assemble(head, *told).rstrip())
    return lines


def _samples(comparison: Comparison, looks: Sequence[RunLook], inks: Sequence[str], width: int) -> list[Content]:
    lines: list[Content] = []
    prompts = dict.fromkeys(prompt for samples in comparison.samples for prompt in samples)
    for prompt in prompts:
        lines += [Content(""), Content.assemble(("prompt ", MUTED), f"“{shortened(visible_line(prompt), width - 10)}”")]
        for look, ink, samples in zip(looks, inks, comparison.samples, strict=True):
            sample = samples.get(prompt)
            if sample is not None:
                text = shortened(visible_line(sample.text), SAMPLE_ROWS * width - cell_len(look.mark) - 1)
                lines.append(Content.assemble((f"{look.mark} ", ink), text))
    return lines


def _loss(loss: float | None) -> str:
    return UNKNOWN if loss is None else fixed(loss, 4)
