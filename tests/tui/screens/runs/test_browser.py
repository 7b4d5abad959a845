"""The list of runs: what is done with the one under the cursor, and with those that are chosen."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Label, Static

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.lock import RunLock
from rnnplay.runs.management.notes import RunNotes, read_notes
from rnnplay.runs.management.renaming import rename_run
from rnnplay.runs.management.trash import list_trash
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.runs.run_preview import RunPreview
from rnnplay.tui.screens.dialogs import Ask
from rnnplay.tui.screens.runs.browser import RunChoice, RunsScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import footer_keys, make_run, until


class RunsApp(App[None]):
    def __init__(self, workspace: Workspace, busy: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.runs = RunsScreen(workspace, busy)
        self.answers: list[RunChoice | None] = []
        self.selections: list[tuple[str, ...]] = []

    def on_mount(self) -> None:
        self.push_screen(self.runs, self.answers.append)

    def on_runs_screen_selection_changed(self, message: RunsScreen.SelectionChanged) -> None:
        self.selections.append(message.runs)

    @property
    def names(self) -> list[str]:
        return [line[2:].split()[0] for line in self.runs.query_one(RunList).text()[1:]]

    @property
    def trouble(self) -> str:
        return str(self.runs.query_one("#trouble", Static).content)

    @property
    def note(self) -> str:
        return str(self.runs.query_one("#note", Static).content)

    def notified(self, text: str) -> bool:
        return any(text in str(one.message) for one in self._notifications)

    async def listed(self, pilot: Pilot[None], *names: str) -> None:
        await until(pilot, lambda: self.screen is self.runs and self.names == list(names))


@pytest.fixture
def runs(workspace: Workspace) -> Workspace:
    """Two runs, and one that cannot be read."""
    make_run(workspace, "older", created="2026-03-01T10:15:00+00:00", steps=2600, loss=0.9484)
    make_run(workspace, "newer", {"cell": "gru", "tokens": "word"}, created="2026-03-02T10:15:00+00:00")
    (workspace.checkpoints / "broken").mkdir()
    (workspace.checkpoints / "broken" / "run.json").write_text("{", encoding="utf-8")
    return workspace


ALL = ("newer", "older", "broken")


async def test_the_newest_is_first_and_what_cannot_be_read_last(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(160, 40)) as pilot:
        await app.listed(pilot, *ALL)
        assert "cannot be read" in app.runs.query_one(RunList).text()[3]
        keys = {"Resume", "Open", "Branch", "Filter", "Compare", "Note", "Remove", "Back"}
        await until(pilot, lambda: keys <= set(footer_keys(app.screen).values()))


async def test_without_runs_it_says_how_to_get_one_and_offers_what_can_be_done(workspace: Workspace) -> None:
    app = RunsApp(workspace)
    async with app.run_test(size=(160, 40)) as pilot:
        await until(pilot, lambda: "There are no runs yet" in app.note)
        await until(pilot, lambda: app.runs.query_one("#note").region.y <= 3)
        assert not app.runs.query_one(RunPreview).display
        await until(pilot, lambda: {"Back", "Undo"} <= set(footer_keys(app.screen).values()))
        assert not {"Resume", "Open", "Remove", "Compare"} & set(footer_keys(app.screen).values())
        make_run(workspace, "first")
        app.runs._read()
        await app.listed(pilot, "first")
        await until(pilot, lambda: "Resume" in footer_keys(app.screen).values())
        await pilot.press("o")
        await until(pilot, lambda: app.answers == [RunChoice("open", "first")])


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], RunChoice("resume", "newer")),
        (["down", "enter"], RunChoice("resume", "older")),
        (["down", "o"], RunChoice("open", "older")),
        (["b"], RunChoice("branch", "newer")),
        (["end", "up", "home", "down", "b"], RunChoice("branch", "older")),
        (["escape"], None),
    ],
)
async def test_keys_choose(runs: Workspace, keys: list[str], answer: RunChoice | None) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await pilot.press(*keys)
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [answer]


async def test_enter_waits_for_the_arrows_before_it(runs: Workspace) -> None:
    """Keys that come in one piece, as from a slow line, are taken in their order."""
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        for key in ("down", "down", "up", "enter"):
            app.post_message(events.Key(key, None))
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [RunChoice("resume", "older")]


async def test_the_mouse_alone_suffices(runs: Workspace) -> None:
    """A click on a title orders, one on the mark chooses, and a second one on a run resumes it."""
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await pilot.click(RunList, offset=(3, 0))
        await app.listed(pilot, "broken", "newer", "older")
        await pilot.click(RunList, offset=(0, 3))
        await until(pilot, lambda: app.selections == [("older",)])
        assert app.answers == []
        await pilot.click(RunList, offset=(5, 3))
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [RunChoice("resume", "older")]


async def test_the_filter_takes_text_and_says_what_is_wrong(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await pilot.press("slash", *"valid<o")
        await until(pilot, lambda: "valid< needs a number" in app.trouble)
        await app.listed(pilot, *ALL)
        await pilot.press("backspace", "2")
        await app.listed(pilot, "older")
        assert not app.trouble and "1 of 3 runs" in app.note
        await pilot.press("enter", "o")
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [RunChoice("open", "older")]


async def test_escape_leaves_the_filter_then_empties_it_then_closes(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await pilot.press("slash", *"old", "escape")
        await app.listed(pilot, "older")
        assert isinstance(app.focused, RunList)
        await pilot.press("escape")
        await app.listed(pilot, *ALL)
        assert app.runs.query_one(Input).value == "" and app.answers == []
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_a_removed_run_is_in_the_trash_and_comes_back(runs: Workspace) -> None:
    app = RunsApp(runs, busy=("newer",))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await pilot.press("d")
        await until(pilot, lambda: app.notified("newer is being trained"))
        await pilot.press("down", "d")
        await app.listed(pilot, "newer", "broken")
        await until(pilot, lambda: app.runs.highlighted == "broken")
        assert [run.name for run in list_trash(runs)] == ["older"]
        await pilot.press("u")
        await app.listed(pilot, *ALL)
        await until(pilot, lambda: app.runs.highlighted == "older")
        await pilot.press("u")
        await until(pilot, lambda: app.notified("The trash is empty"))


async def test_what_knows_a_run_by_its_name_is_said_before_it_is_renamed_or_removed(
    runs: Workspace,
) -> None:
    for name in ("newer", "older"):
        rename_run(RunFolder(runs.checkpoints / name), f"race-01-{name}", runs)
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, "race-01-newer", "race-01-older", "broken")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Ask) and bool(app.screen.query(Label)))
        asked = " ".join(str(label.content) for label in app.screen.query(Label))
        assert "The race race-01 knows it by this name, and goes on without it." in asked
        await pilot.press("escape", "d")
        await until(pilot, lambda: app.notified("is in the trash; u brings it back. The race race-01 knows it"))


async def test_a_run_that_another_process_trains_is_marked_and_stays(runs: Workspace) -> None:
    lock = RunLock.take(runs.checkpoints / "older")
    app = RunsApp(runs)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: any("●" in line for line in app.runs.query_one(RunList).text()))
        await pilot.press("down", "d")
        await until(pilot, lambda: app.notified("is being trained by"))
        assert (runs.checkpoints / "older").is_dir()
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("2", "enter")
        refusal = app.screen.query_one("#refusal", Static)
        await until(pilot, lambda: "is being trained by" in str(refusal.content))
    lock.release()


async def test_notes_tags_and_names_are_typed(runs: Workspace) -> None:
    app = RunsApp(runs)
    folder = RunFolder(runs.checkpoints / "newer")

    async def typed(key: str, text: str) -> None:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("home", "ctrl+k", *text, "enter")

    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await typed("n", "fine")
        await until(pilot, lambda: app.screen is app.runs and "fine" in app.note)
        await typed("t", "bad!")
        refusal = app.screen.query_one("#refusal", Static)
        await until(pilot, lambda: "A tag cannot be" in str(refusal.content))
        await pilot.press("escape")
        await typed("t", "good")
        await until(pilot, lambda: read_notes(folder.path) == RunNotes("fine", ("good",)))
        await until(pilot, lambda: app.screen is app.runs)
        await pilot.press("space")
        await typed("r", "older")
        await until(pilot, lambda: "already" in str(app.screen.query("#refusal").first(Static).content))
        await pilot.press("home", "ctrl+k", *"best", "enter")
        await app.listed(pilot, "best", "older", "broken")
        await until(pilot, lambda: app.runs.highlighted == "best")
        assert app.runs._browser.chosen == ["best"]


async def test_the_preview_shows_the_curves_of_the_run_under_the_cursor(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(160, 40)) as pilot:
        await app.listed(pilot, *ALL)
        preview = app.runs.query_one(RunPreview)
        chart = preview.query_one("#preview-chart")
        assert preview.display
        await pilot.press("down")
        await until(pilot, lambda: bool(chart.series) and chart.series[0].history.last_step is not None)  # type: ignore[attr-defined]
        assert "2,600" in str(preview.query_one("#preview-text", Static).content)
        await pilot.press("down")
        await until(pilot, lambda: not chart.series)  # type: ignore[attr-defined]
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not preview.display)


async def test_a_run_that_cannot_be_read_leaves_the_list_open_and_says_why(runs: Workspace) -> None:
    app = RunsApp(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.listed(pilot, *ALL)
        await pilot.press("end")
        for key in ("enter", "o", "b"):
            await pilot.press("up", "down")
            await until(pilot, lambda: not app.trouble)
            await pilot.press(key)
            await until(pilot, lambda: "run.json" in app.trouble)
        assert app.answers == []


async def test_without_runs_it_says_what_to_do_and_no_key_does_harm(workspace: Workspace) -> None:
    app = RunsApp(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "no runs" in app.note)
        await pilot.press("enter", "o", "b", "d", "n", "t", "r", "space", "s", "S", "p", "down", "end")
        assert app.answers == [] and app.screen is app.runs
        make_run(workspace, "first")
        app.runs._look()
        await app.listed(pilot, "first")
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])
