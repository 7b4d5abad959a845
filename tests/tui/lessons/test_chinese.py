"""In a lesson in Chinese nothing that leads a user on is left in English: a word without a translation fails here."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from rnnplay.config import RunConfig
from rnnplay.experiments.lr_range import RangeResult
from rnnplay.experiments.sharing import choose_sharing
from rnnplay.runs import health
from rnnplay.tui.inspection import gates
from rnnplay.tui.inspection.gates import GatesView
from rnnplay.tui.inspection.view import InspectView
from rnnplay.tui.inspection.what_if import WhatIfView
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.lessons.chinese import CHINESE, SENTENCES, in_chinese
from rnnplay.tui.race.race_status import sharing_pieces
from rnnplay.tui.race.ranking import STATES, columns
from rnnplay.tui.screens.inspect import MODEL_COMING, NO_MODEL, NO_TEXT, NOT_FINITE, VIEWS, InspectScreen
from rnnplay.tui.screens.playground import lr_range
from rnnplay.tui.screens.playground.screen import PlaygroundScreen
from rnnplay.tui.screens.race.dialog import RaceDialog
from rnnplay.tui.screens.race.screen import RaceScreen
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screens.runs.compare import CompareScreen
from rnnplay.tui.screens.runs.samples import SamplesScreen
from rnnplay.tui.screens.runs.sweep import SweepScreen
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.text import rows_in_language
from rnnplay.tui.widgets.training_charts import norm_readout
from tests.tui.lessons.test_lessons import open_lesson
from tests.tui.stage import Stage, shown, until

SCREENS: list[type[Screen[Any]]] = [
    *(PlaygroundScreen, InspectScreen, RaceDialog, RaceScreen, SweepScreen),
    *(lr_range.LrRangeScreen, SamplesScreen, RunsScreen, CompareScreen),
]


def english(texts: Iterator[str] | list[str]) -> list[str]:
    """Those that stay as they are, though they have words."""
    return [text for text in texts if any(map(str.isalpha, text)) and in_chinese(text).isascii()]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__)
def test_every_key_in_a_footer(screen: type[Screen[Any]]) -> None:
    found = [binding for binding in screen.BINDINGS if isinstance(binding, Binding) and binding.show]
    assert found and english([binding.description for binding in found if binding.description]) == []


def verdicts() -> Iterator[str]:
    """Every sentence of the health line, with 1 in place of what is inserted, be it figures or a part of a sentence."""
    for node in ast.walk(ast.parse(inspect.getsource(health))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verdict":
            yield _with_ones(node.args[1])


def _with_ones(node: ast.expr) -> str:
    assert isinstance(node, ast.JoinedStr)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else PARTS.get(_name(part), "1") for part in node.values
    )


def _name(part: ast.expr) -> str:
    inner = part.value if isinstance(part, ast.FormattedValue) else None
    return inner.id if isinstance(inner, ast.Name) else ""


PARTS = {
    "when": "was not finite at step 3",
    "rose": "the loss rose to 9 at step 3; it began at 4",
    "figures": "validation 1.2 → 1.3, training loss −5%",
    "less": "0.2% lower",
    "compared": "than 300 steps before",
}


def test_every_sentence_of_the_health_line() -> None:
    found = list(verdicts())
    assert len(found) >= 8 and english(found) == []


@pytest.mark.parametrize(
    "text",
    [
        "Unstable: the loss has not been finite since step 1,200.",
        "Learning rate probably too low: loss only 0.4% lower after 900 steps.",
        "Learning rate probably too low: 800 steps for the first 10% of the loss.",
        "Learning rate probably too high: validation ±2.1% from one to the next.",
        "Learning rate probably too high: loss 4.2 → 8.1 at step 60, now level.",
        "Levelled off: validation 0.2% higher than 300 steps before.",
        "2 of 4 training, 1 waiting, 1 diverged",
        "perplexity 4.57  2.19 bits/char",
        "mine-sweep-01: 5 of 12 runs done",
        "Best 1.2345 ± 0.1 with cell=lstm lr=0.003",
    ],
)
def test_figures_keep_their_places(text: str) -> None:
    told = in_chinese(text)
    assert not told.isascii()
    figures = {word for word in text.replace(",", "").replace(".", " ").split() if word.isdigit()}
    assert all(figure in told.replace(",", "") for figure in figures)
    for word in ("loss", "step", "validation", "training", "runs", "waiting", "diverged", "with"):
        assert word not in told.split()


def test_the_table_and_the_first_line_of_a_race() -> None:
    assert english([word for _, word, _ in STATES.values()]) == []
    assert english([one.title for quality in ("loss", "bits") for one in columns(quality, 3) if one.title]) == []
    for variants, cores in ((2, 2), (4, 2), (3, 3), (2, 4)):
        described = choose_sharing(None, variants, cores).described(variants)
        assert all(not piece.content.plain.isascii() for piece in sharing_pieces(described, in_chinese))


def test_the_range_test() -> None:
    results = [
        RangeResult(1e-2, 1e-1, 1.0, 1e-2),
        RangeResult(1e-2, 1e-1, None, 1e-2),
        RangeResult(None, None, None, None),
    ]
    assert english([lr_range.NOTE, *(one.sentence for one in results)]) == []


def test_no_translation_stands_for_two_things_or_loses_a_figure() -> None:
    assert not set(CHINESE) & set(SENTENCES)
    for text, told in SENTENCES.items():
        assert text.count("{}") == told.count("{"), text


async def test_what_curves_say_is_in_the_lessons_language(stage: Stage) -> None:
    app = stage.open()
    app.lesson_progress.language = "zh"
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 3)
        assert not norm_readout(stage.state, RunConfig(), RunConfig()).startswith("范数")
        await until(pilot, lambda: stage.norm.readout.startswith(("范数裁剪", "不裁剪")))
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, SweepScreen))
        row = app.screen.query_one(KeyRow)
        await until(pilot, lambda: bool(row.keys) and all(not key.description.isascii() for key in row.keys))
        assert shown(app.screen, "#about") and isinstance(app.screen.query_one("#about"), Static)


@pytest.mark.parametrize("notice", [fill_keys(NO_MODEL), MODEL_COMING, NOT_FINITE, fill_keys(NO_TEXT)])
def test_what_the_inspection_says_in_place_of_a_view_is_chinese(notice: str) -> None:
    """A lesson leads there; without clipping it is what one sees first."""
    assert not in_chinese(notice).isascii()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.NAME)
def test_what_a_view_of_the_inspection_shows_is_explained_in_chinese(view: type[InspectView]) -> None:
    others = {GatesView: gates.SIGNED, WhatIfView: WhatIfView.DESCRIPTION_GATELESS}
    assert english([fill_keys(view.DESCRIPTION), others.get(view, "‖")]) == []


async def test_rows_of_a_view_keep_their_columns_and_tokens(stage: Stage) -> None:
    """Only what is muted is a word of the interface; a token that looks like one stays as the text has it."""
    app = stage.open()
    app.lesson_progress.language = "zh"
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 3)
        muted, token = "$foreground 65%", "$accent"
        row = Content.assemble(("step 600   perplexity 4.5  ratio    ", muted), ("step 600", token), ("  ", muted))
        (told,) = rows_in_language(stage.playground, [row], {muted})
        assert told.plain.split("  ")[0] == "第 600 步"
        assert "困惑度 4.5" in told.plain and "比值" in told.plain
        assert told.cell_length == row.cell_length
        assert [told.plain[span.start : span.end] for span in told.spans if span.style == token] == ["step 600"]
