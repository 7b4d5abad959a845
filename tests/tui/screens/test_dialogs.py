"""While a dialog is open, the last row has its keys and not those of the screen under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rnnplay.tui.screens.completion import CompletionDialog
from rnnplay.tui.screens.dialogs import Ask, Confirm, Dialog
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.widgets.key_row import KeyRow
from tests.tui.stage import Stage, until


async def accepted(text: str) -> str | None:
    return None


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
@pytest.mark.parametrize("kind", ["ask", "confirm", "picker", "completion"])
async def test_the_last_row_has_the_keys_of_the_dialog(stage: Stage, kind: str, size: tuple[int, int]) -> None:
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        await stage.ready(pilot)
        kinds: dict[str, Callable[[], Dialog[Any]]] = {
            "ask": lambda: Ask("A", "b?", "C", accepted),
            "confirm": lambda: Confirm("A", "b?", "C"),
            "picker": lambda: FilePicker(stage.workspace, None),
            "completion": lambda: CompletionDialog(app.controllers, stage.controller),
        }
        dialog = kinds[kind]()
        app.push_screen(dialog)
        await until(pilot, lambda: bool(dialog.query(KeyRow)) and bool(dialog.query_one(KeyRow).keys))
        row = dialog.query_one(KeyRow)
        assert row.region.bottom == size[1]
        said = {key.description for key in row.keys}
        assert said & {"Cancel", "Close"} and not said & {"Train", "Prompt"}
        (box,) = dialog.query("Dialog > Vertical, Dialog > VerticalScroll")
        assert box.region.bottom <= row.region.y and box.region.y >= 0
