"""Long lines are wrapped as Textual wraps them, and a key in one wraps a few rows, not all of it."""

from __future__ import annotations

import random

import pytest
from textual._wrap import compute_wrap_offsets

from rnnplay.tui.textual_patches.wrapped_rows import LONG_LINE, LongLineWrapper, wrapped_row
from rnnplay.tui.writing.ghost_area import GhostArea
from tests.tui.stage import Stage, until

WORDS = ["the", "a", "日本語", "wide", "lo" + "o" * 50 + "ng", "e\u0301", "don't", "😀", "\x00", "x"]
SPACES = [" ", "  ", "", "\u3000", " " * 33]


def some_text(draw: random.Random, words: int) -> str:
    return "".join(draw.choice(WORDS) + draw.choice(SPACES) for _ in range(words))


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_those_of_textual(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(100):
        text, width = some_text(draw, draw.randint(1, 50)), draw.randint(4, 60)
        assert LongLineWrapper().wrap(text, width) == compute_wrap_offsets(text, width, 4), (text, width)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_line_is_wrapped_as_if_anew(seed: int) -> None:
    draw = random.Random(seed)
    wrapper, text = LongLineWrapper(), some_text(draw, 200)
    for _ in range(200):
        start = draw.randint(0, len(text))
        end = start if draw.random() < 0.5 else min(len(text), start + draw.randint(0, 30))
        text = text[:start] + some_text(draw, draw.randint(0, 3)) + text[end:]
        width = 40 if draw.random() < 0.98 else 23
        assert wrapper.wrap(text, width) == LongLineWrapper().wrap(text, width)


@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_a_key_wraps_few_rows_of_a_long_paragraph(where: float) -> None:
    draw = random.Random(1)
    text = "".join("word" * draw.randint(1, 2) + "s" * draw.randint(0, 5) + " " for _ in range(25_000))
    wrapper, place = LongLineWrapper(), int(where * len(text))
    wrapper.wrap(text, 78)
    whole, wrapper.wrapped = wrapper.wrapped, 0
    for typed in "words ":
        text = text[:place] + typed + text[place:]
        place += 1
        wrapper.wrap(text, 78)
    assert wrapper.wrapped < whole / 2 / 6, "some rows of thousands"


async def test_in_the_scratchpad_too(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.train(pilot)
        await pilot.press("W")
        await until(pilot, lambda: bool(app.screen.query(GhostArea)))
        area = app.screen.query_one(GhostArea)
        text = "some words in a row " * (LONG_LINE // 10)
        area.load_text(text)
        area.move_cursor((0, LONG_LINE))
        await pilot.press(*"typed ", "enter", "backspace", "up", "end", "down", *"more", "ctrl+z", "ctrl+y")
        line, width = area.document[0], area.wrap_width
        assert area.document.line_count == 1
        assert line.count("more") == line.count("typed ") == 1
        wrapped = area.wrapped_document
        assert wrapped.get_offsets(0) == compute_wrap_offsets(line, width, 4)
        assert "".join(wrapped.get_sections(0)) == line
        rows = [wrapped_row(wrapped, y) for y in range(wrapped.height)]
        assert [row.start for row in rows if row is not None] == [0, *wrapped.get_offsets(0)]
        assert wrapped.location_to_offset((0, len(line))).y == wrapped.height - 1
