"""The list of runs: what it tells of each, and what is done with the one chosen."""

from __future__ import annotations

import shutil

import msgspec
import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.index import listed
from rnnplay.tui.screens import runs as runs_screen
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.runs import RunChoice, RunsScreen, describe_run
from rnnplay.workspace import Workspace
from tests.tui.stage import footer_keys, make_run, until


class RunsApp(App[None]):
    def __init__(self, workspace: Workspace, busy: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.workspace, self.busy = workspace, busy
        self.answers: list[RunChoice | None] = []

    def on_mount(self) -> None:
        self.push_screen(RunsScreen(self.workspace, self.busy), self.answers.append)

    @property
    def names(self) -> list[str]:
        table = self.screen.query_one(DataTable)
        return [str(table.get_row_at(row)[0]) for row in range(table.row_count)]

    async def listed(self, pilot: Pilot[None], count: int) -> None:
        await until(
            pilot, lambda: isinstance(self.screen, RunsScreen) and self.screen.query_one(DataTable).row_count == count
        )


@pytest.fixture
def runs(workspace: Workspace) -> Workspace:
    """Two runs, and one that cannot be read."""
    make_run(workspace, "older", created="2026-03-01T10:15:00+00:00", steps=2600, loss=0.9484)
    make_run(workspace, "newer", {"cell": "gru", "tokens": "word"}, created="2026-03-02T10:15:00+00:00")
    (workspace.checkpoints / "broken").mkdir()
    (workspace.checkpoints / "broken" / "run.json").write_text("{", encoding="utf-8")
    return workspace


def test_a_run_in_words(workspace: Workspace) -> None:
    row = describe_run(listed(make_run(workspace, "one", {"corpus": "/home/me/my text.txt"}, steps=2600, loss=0.9484)))
    assert (row.run, row.corpus, row.model, row.step, row.valid) == (
        "one",
        "my text.txt",
        "LSTM 1×256 char",
        "2,600",
        "0.948",
    )
    folder = RunFolder(workspace.checkpoints / "one")
    folder.write_info(msgspec.structs.replace(folder.info(), unknown_fraction=0.51))
    assert describe_run(listed(folder)).valid == "0.948 51% <unk>"
    untrained = describe_run(listed(make_run(workspace, "two")))
    assert (untrained.step, untrained.valid) == ("none", "")
    shutil.rmtree(workspace.checkpoints / "two")


async def test_the_newest_is_first_and_what_cannot_be_read_last(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.listed(pilot, 3)
        assert app.names == ["newer", "older", "broken"]
        assert "cannot be read" in str(app.screen.query_one(DataTable).get_row_at(2))
        assert set(footer_keys(app.screen).values()) >= {"Resume", "Open for prompts", "Remove", "Back"}


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], RunChoice("resume", "newer")),
        (["down", "enter"], RunChoice("resume", "older")),
        (["down", "o"], RunChoice("open", "older")),
        (["escape"], None),
    ],
)
async def test_keys_choose(runs: Workspace, keys: list[str], answer: RunChoice | None) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 3)
        await pilot.press(*keys)
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [answer]


async def test_thousands_are_added_in_portions(runs: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table takes seconds for them; the newest are there at once, and keys meanwhile."""
    monkeypatch.setattr(runs_screen, "ROWS_AT_ONCE", 1)
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 3)
        assert app.names == ["newer", "older", "broken"]
        await pilot.press("ctrl+end", "up", "o")
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [RunChoice("open", "older")]


async def test_enter_waits_for_the_arrows_before_it(runs: Workspace) -> None:
    """Keys that come in one piece, as from a slow line, are taken in their order."""
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 3)
        for key in ("down", "down", "up", "enter"):
            app.post_message(events.Key(key, None))
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [RunChoice("resume", "older")]


async def test_a_second_click_resumes(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 3)
        await pilot.click(DataTable, offset=(3, 2))
        assert app.answers == []
        await pilot.click(DataTable, offset=(3, 2))
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [RunChoice("resume", "older")]


async def test_a_run_is_removed_only_after_a_yes_and_never_while_it_is_used(runs: Workspace) -> None:
    app = RunsApp(runs, busy=("newer",))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 3)
        await pilot.press("d")
        await until(pilot, lambda: any("newer is being trained" in str(n.message) for n in app._notifications))
        await pilot.press("down")
        for answer in ("escape", "enter", "left enter"):
            await pilot.press("d")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert (runs.checkpoints / "older").is_dir()
            await pilot.press(*answer.split())
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await app.listed(pilot, 2)
        assert app.names == ["newer", "broken"]
        assert not (runs.checkpoints / "older").exists()


async def test_a_run_that_cannot_be_read_leaves_the_list_open_and_says_why(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 3)
        await pilot.press("down", "down")
        for key in ("enter", "o"):
            app.screen.query_one("#note", Static).update("")
            await pilot.press(key)
            await until(pilot, lambda: "run.json" in str(app.screen.query_one("#note", Static).content))
            assert app.answers == []


async def test_without_runs_it_says_what_to_do_and_no_key_does_harm(workspace: Workspace) -> None:
    app = RunsApp(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "no runs" in str(app.screen.query_one("#note", Static).content))
        await pilot.press("enter", "o", "d")
        assert app.answers == []
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_end_and_home_go_to_the_last_and_the_first_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where most rows are still to come."""
    monkeypatch.setattr("rnnplay.tui.screens.runs.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("rnnplay.tui.screens.runs.PAUSE_SECONDS", 1000)
    for day in range(1, 7):
        make_run(workspace, f"run-{day}", created=f"2026-03-0{day}T10:15:00+00:00")
    app = RunsApp(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, 2)
        await pilot.press("end")
        await app.listed(pilot, 6)
        table = app.screen.query_one(DataTable)
        assert table.cursor_row == 5 and app.names[-1] == "run-1"
        await pilot.press("home")
        assert table.cursor_row == 0
