"""The number of parameters in the setup follows the form as it is typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from rnnplay.model.parameter_count import parameter_count
from rnnplay.tui.setup import setup_pane
from tests.tui.stage import Stage, until


@pytest.fixture
def counting(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage whose form counts from the start, on a text of six characters."""
    monkeypatch.setattr(setup_pane, "COUNTED_SECONDS", 0.001)
    (stage.workspace.corpora / "letters.txt").write_text("abcde\n" * 2000, encoding="utf-8")
    return stage


def counted(stage: Stage) -> Callable[[], str]:
    return lambda: str(stage.playground.query_one("#setup").border_subtitle)


async def says(stage: Stage, pilot: Pilot[None], vocabulary: int) -> None:
    wanted = f"{parameter_count(stage.form.config, vocabulary):,} parameters"
    await until(pilot, lambda: counted(stage)() == wanted)


async def test_it_follows_what_is_typed_and_chosen(counting: Stage) -> None:
    stage = counting
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.set_value("corpus", "letters")
        await says(stage, pilot, 7)
        stage.form.field("hidden").focus()
        for typed in ("9", "6"):
            await pilot.press(typed)
            await says(stage, pilot, 7)
        assert stage.form.config.hidden == 96
        stage.form.field("cell").focus()
        await pilot.press("right")
        await says(stage, pilot, 7)
        stage.form.set_value("tokens", "word")
        await until(
            pilot, lambda: counted(stage)() not in ("", f"{parameter_count(stage.form.config, 7):,} parameters")
        )


async def test_of_a_text_that_cannot_be_counted_nothing_is_claimed(counting: Stage) -> None:
    stage = counting
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.form.set_value("corpus", "letters")
        await says(stage, pilot, 7)
        stage.form.set_value("corpus", "nowhere")
        await until(pilot, lambda: counted(stage)() == "")
        await stage.train(pilot)
        assert stage.state.started is not None
        await says(stage, pilot, stage.state.started.vocabulary)
