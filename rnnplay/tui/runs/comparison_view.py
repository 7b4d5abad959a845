"""The text of a comparison: a table of runs side by side, or a paragraph each where there are many."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from rnnplay.common.formatting import count_text
from rnnplay.experiments.comparison import Comparison, measured_text, value_text
from rnnplay.tui.chart.palette import RunLook, run_look
from rnnplay.tui.widgets.visible import MUTED, middle_shortened, padded, shortened, visible_line

LABEL, LEAST, MOST, GAP = 18, 9, 26, 2
"""Cells of a label, the fewest and the most of a run's column, and of the space between columns."""
SAMPLE_ROWS = 3
"""Rows of a sample."""

MEASURES = {
    "best_validation_loss": "best validation",
    "best_step": "  at step",
    "best_bits_per_character": "  bits/character",
    "last_validation_loss": "last validation",
    "best_training_loss": "best training",
    "last_training_loss": "last training",
    "step": "step",
    "tokens": "tokens",
    "seconds": "time",
    "parameters": "parameters",
    "rollbacks": "rollbacks",
    "ended": "ended",
}
"""Rows of the table: fields of ComparedRun with their labels."""


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
        cells = [value_text(difference.name, value) for value in difference.values]
        lines.append(_row(difference.name, cells, width))
    lines.append(Content(""))
    for name, label in MEASURES.items():
        cells = [count_text(run.parameters) if name == "parameters" else measured_text(run, name) for run in runs]
        if name in ("rollbacks", "ended") and all(cell == cells[0] for cell in cells):
            continue
        lines.append(_row(label, cells, width, comparison.best if name == comparison.measure else None))
    return lines


def _row(name: str, cells: Sequence[str], width: int, best: int | None = None) -> Content:
    parts = [
        (f"{' ' * GAP}{padded(shortened(cell + ' *' * (number == best), width), width)}", "bold" * (number == best))
        for number, cell in enumerate(cells)
    ]
    return Content.assemble((padded(shortened(name, LABEL), LABEL), MUTED), *parts)


def _paragraphs(comparison: Comparison, looks: Sequence[RunLook], inks: Sequence[str]) -> list[Content]:
    lines = []
    for number, run in enumerate(comparison.runs):
        star = " *" * (number == comparison.best)
        facts = [("validation", measured_text(run, "best_validation_loss")), ("step", measured_text(run, "step"))]
        if comparison.measure == "best_bits_per_character":
            facts.insert(1, ("bits/character", measured_text(run, comparison.measure) + star))
        else:
            facts[0] = ("validation", facts[0][1] + star)
        facts += [(one.name, value_text(one.name, one.values[number])) for one in comparison.differences]
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
