"""The walk through one timestep: what each key shows or asks, and that all of it fits."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len
from textual.widgets import Static

from rnnplay.engine import messages
from rnnplay.inspection.cell.drawing import STAGES, TITLES, WIDTH, drawing, equations
from rnnplay.tui.inspection.timestep import CellPicture
from rnnplay.tui.prompt.ghost_input import GhostInput
from tests.tui.findings import timestep
from tests.tui.screens.test_inspect import answer, asked, last, look, request
from tests.tui.stage import Stage, until


def rows_of(picture: CellPicture) -> list[str]:
    return [row.rstrip() for row in picture.text()]


@pytest.mark.parametrize("size", [(80, 23), (80, 24), (120, 40), (200, 60)])
async def test_a_timestep_is_walked_through_stage_by_stage(stage: Stage, size: tuple[int, int]) -> None:
    """Each stage's picture and equations are there whole, and the stage after the last is the first.

    Of 24 rows a lesson takes one.
    """
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        screen = await look(stage, pilot, 8)
        await answer(stage, pilot)
        picture = screen.view.query_one(CellPicture)
        result = timestep()
        for at, name in enumerate(STAGES):
            await until(pilot, lambda: f"{at + 1}/8 {TITLES[name]}" in picture.text()[0])  # noqa: B023
            rows = rows_of(picture)
            for line in equations(result, name, "."):
                assert line.rstrip() in rows
            for row in drawing(result, name, "a"):
                assert "".join(piece.text for piece in row).rstrip() in rows
            assert len(rows) <= picture.size.height
            assert max(map(cell_len, rows)) <= min(WIDTH, picture.size.width)
            assert screen.view.shown_quantity == name
            await asked(stage, pilot, "space")
            await answer(stage, pilot)
        await until(pilot, lambda: "1/8" in picture.text()[0])
        await asked(stage, pilot, "backspace")
        await until(pilot, lambda: "8/8" in picture.text()[0])


async def test_the_arrows_choose_the_timestep_and_u_the_units(stage: Stage) -> None:
    """Both are asked of the engine; a new text begins with its last timestep again."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 8)
        at = timestep().position

        async def key(name: str) -> Any:
            await answer(stage, pilot)
            return await asked(stage, pilot, name)

        assert (await key("left")).position == at - 1
        assert (await key("u")).first == 2
        await answer(stage, pilot)
        assert "2–3/256" in screen.view.query_one(CellPicture).text()[0]
        assert (await key("U")).first == 0
        await answer(stage, pilot)
        typed: Any = await asked(
            stage, pilot, lambda: setattr(screen.query_one("#inspect-text", GhostInput), "value", "another text")
        )
        assert (typed.text, typed.position) == ("another text", -1)


async def test_a_timestep_of_another_cell_is_refused_in_a_sentence(stage: Stage) -> None:
    """The engine's sentence is shown as it is."""
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await look(stage, pilot, 8)
        stage.engine.say(messages.Failed(command="inspect", request=request(stage), message="cells are GRU"))
        await until(pilot, lambda: "cells are GRU" in str(screen.query_one("#notice", Static).content))
        assert isinstance(last(stage), messages.Inspect)
