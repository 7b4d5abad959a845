"""The dialog of downloads: what is chosen becomes the corpus, and a download can be stopped and gone on with."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.app import App
from textual.widgets import Static

from rnnplay.errors import InputError
from rnnplay.text.corpora import fetching
from rnnplay.tui.screens.downloads import DownloadsScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import until


class Dialog(App[None]):
    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.screen_shown = DownloadsScreen(workspace)
        self.chosen: list[str | None] = []

    def on_mount(self) -> None:
        self.push_screen(self.screen_shown, self.chosen.append)

    @property
    def said(self) -> str:
        return str(self.screen_shown.query_one("#state", Static).content)


async def test_a_text_is_fetched_stopped_and_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[str] = []
    go_on = threading.Event()

    def fetch(name: str, workspace: Workspace, progress: Any, say: Any) -> SimpleNamespace:
        wanted.append(name)
        if len(wanted) == 1:
            raise InputError("example.org cannot be reached; check the connection.")
        while len(wanted) == 2:  # until it is stopped
            progress(1_000_000, 4_000_000)
            go_on.wait(0.01)
        say("alice has 5 bytes; the card says about 4.")
        return SimpleNamespace(name=name)

    monkeypatch.setattr(fetching, "fetch", fetch)
    app = Dialog(Workspace(tmp_path))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "cannot be reached" in app.said)
        await pilot.press("enter")
        await until(pilot, lambda: "1.0 MB of 4.0 MB, 25%" in app.said)
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in app.said)
        await pilot.press("enter")
        await until(pilot, lambda: app.chosen == ["alice"])
        assert wanted == ["alice"] * 3
        assert ["alice has 5 bytes" in one.message for one in app._notifications] == [True]
