"""What the variants of a race expect after the prompt: side by side with bars, or a line each where it is narrow."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from rnnplay.engine.messages import Completion
from rnnplay.tui.chart.palette import RunLook
from rnnplay.tui.prompt.candidates import candidate_rows
from rnnplay.tui.prompt.next_bars import LONGEST_TOKEN
from rnnplay.tui.prompt.suggestions import reading_text
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import (
    FAINT,
    MUTED,
    middle_shortened,
    padded,
    percentage,
    shortened,
    visible_line,
    visible_token,
)

GAP = 2
LEAST_COLUMN = 20
"""Narrowest column with bars."""
BARS = 5
"""Most bars of a variant."""
LONGEST_LABEL = 20
WAITING = "…"


class Answers(Lines):
    """The answers of all variants to the prompt."""

    DEFAULT_CSS = """
    Answers { height: auto; width: 1fr; padding: 0 1; }
    """

    def show_answers(self, entrants: Sequence[Entrant], prompt: str, rows: int) -> None:
        """Shows what each variant expects after `prompt`, with bars if `rows` allow it."""
        width, dark = self.content_size.width, self.app.current_theme.dark
        answers = [(one.look, visible_line(one.title), one.completion) for one in entrants]
        if not width or not prompt:
            self.show([])
        elif rows >= BARS + 2 and (width + GAP) // max(len(answers), 1) - GAP >= LEAST_COLUMN:
            self.show(answer_columns(answers, width, dark))
        else:
            self.show(answer_lines(answers, width, dark))


Answer = tuple[RunLook, str, Completion | None]


def answer_lines(answers: Sequence[Answer], width: int, dark: bool = True) -> list[Content]:
    """Returns a line for each variant: its continuation and its most probable next tokens."""
    label_width = min(LONGEST_LABEL, max((cell_len(label) for _, label, _ in answers), default=0))
    suggestions = [visible_line(found.suggestion) if found else "" for _, _, found in answers]
    suggestion_width = min(max(map(cell_len, suggestions), default=0), max(8, width // 4))
    lines = []
    for (look, label, found), suggestion in zip(answers, suggestions, strict=True):
        parts = [
            Content.styled(f"{look.mark} ", look.shade(dark)),
            Content.styled(padded(middle_shortened(label, label_width), label_width), MUTED),
            Content.styled(f"  {padded(suggestion, suggestion_width)} ", "bold $accent"),
        ]
        if found is None:
            parts.append(Content.styled(WAITING, FAINT))
        elif found.unknown:
            parts.append(Content.styled(f" {_unknown(found)}", "$warning"))
        if reading := _reading(found):
            parts.append(Content.styled(f" {reading}", MUTED))
        free = width - sum(part.cell_length for part in parts)
        for one in found.next if found else ():
            token, chance = shortened(visible_token(one.token), LONGEST_TOKEN), percentage(one.probability)
            free -= cell_len(token) + len(chance) + 3
            if free < 0:
                break
            parts.append(Content.assemble("  ", (token, "bold $foreground"), " ", (chance, MUTED)))
        lines.append(Content.assemble(*parts))
    return lines


def answer_columns(answers: Sequence[Answer], width: int, dark: bool = True) -> list[Content]:
    """Returns the answers side by side: label, continuation and bars of the most probable next tokens."""
    each = (width + GAP) // len(answers) - GAP
    blocks = []
    for look, label, found in answers:
        head = Content.assemble((f"{look.mark} ", look.shade(dark)), (middle_shortened(label, each - 2), MUTED))
        if found is None:
            blocks.append([head, Content.styled(WAITING, FAINT)])
            continue
        reading = _reading(found)
        room = max(1, each - cell_len(reading) - 1) if reading else each
        second = Content.assemble(
            (shortened(_unknown(found), room), "$warning")
            if found.unknown
            else (shortened(visible_line(found.suggestion) or " ", room), "bold $accent"),
            (f" {reading}" if reading else "", MUTED),
        )
        blocks.append([head, second, *candidate_rows(found.next[:BARS], each)])
    height = BARS + 2
    lines = []
    for y in range(height):
        cells = [block[y] if y < len(block) else Content("") for block in blocks]
        fitted = [cell.truncate(each) for cell in cells]
        fitted[:-1] = [cell.pad_right(each + GAP - cell.cell_length) for cell in fitted[:-1]]
        lines.append(Content.assemble(*fitted))
    return lines


def _reading(found: Completion | None) -> str:
    """How much of a long prompt was read, where it was not all."""
    return reading_text(None, found.read) if found is not None else ""


def _unknown(found: Completion) -> str:
    return f"unknown: {', '.join(map(visible_line, found.unknown[:10]))} → <unk>"
