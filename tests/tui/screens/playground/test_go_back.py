"""The list of checkpoints to go back to, while the run goes on behind it."""

from __future__ import annotations

import shutil

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from rnnplay.engine import messages
from rnnplay.runs.folder import RunFolder
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.playground import go_back
from rnnplay.tui.screens.playground.go_back import CheckpointChoice, GoBackScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import RUN, Stage, add_checkpoint, make_run, until


class GoBackApp(App[None]):
    def __init__(self, run: RunFolder, followed: bool = False) -> None:
        super().__init__()
        self.run_folder, self.followed = run, followed
        self.answers: list[CheckpointChoice | None] = []

    def on_mount(self) -> None:
        self.push_screen(GoBackScreen(self.run_folder, self.followed), self.answers.append)

    @property
    def options(self) -> OptionList:
        return self.screen.query_one(OptionList)

    @property
    def steps(self) -> list[int]:
        if not isinstance(self.screen, GoBackScreen):
            return []
        return [int(option.id or "") for option in self.options.options]

    @property
    def at(self) -> str | None:
        row = self.options.highlighted
        return None if row is None else self.options.options[row].id


@pytest.fixture
def run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Checkpoints at 100, 200 and 300; the list is looked at anew at once."""
    monkeypatch.setattr(go_back, "REFRESH_SECONDS", 0.01)
    folder = make_run(workspace, RUN, steps=100)
    for step in (200, 300):
        add_checkpoint(folder, step)
    return folder


async def choose(app: GoBackApp, pilot: Pilot[None]) -> None:
    """The row under the cursor, and yes: it is asked, and no is what Enter alone says."""
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, Confirm))
    await pilot.press("left", "enter")


async def test_the_cursor_stays_on_its_step_or_goes_to_the_nearest(run: RunFolder) -> None:
    app = GoBackApp(run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.steps == [300, 200, 100])
        await pilot.press("down")
        assert app.at == "200"
        add_checkpoint(run, 420)
        shutil.rmtree(run.checkpoint_path(100))
        await until(pilot, lambda: app.steps == [420, 300, 200])
        assert app.at == "200"
        shutil.rmtree(run.checkpoint_path(200))
        await until(pilot, lambda: app.steps == [420, 300])
        assert app.at == "300"
        await choose(app, pilot)
        await until(pilot, lambda: app.answers == [CheckpointChoice(300, branch=False)])


async def test_b_chooses_the_one_under_the_cursor_to_branch_from(run: RunFolder) -> None:
    app = GoBackApp(run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.steps == [300, 200, 100])
        await pilot.press("down", "b")
        await until(pilot, lambda: app.answers == [CheckpointChoice(200, branch=True)])


async def test_a_run_that_is_followed_is_only_branched_from(run: RunFolder) -> None:
    app = GoBackApp(run, followed=True)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.steps == [300, 200, 100])
        assert "discarded" not in str(app.screen.query_one(Static).content)
        await pilot.press("enter")
        await until(pilot, lambda: app.answers == [CheckpointChoice(300, branch=True)])


async def test_the_first_checkpoint_comes_while_the_list_is_open(run: RunFolder) -> None:
    for step in (100, 200, 300):
        shutil.rmtree(run.checkpoint_path(step))
    app = GoBackApp(run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, GoBackScreen))
        assert "no checkpoint yet" in str(app.screen.query_one(Static).content)
        add_checkpoint(run, 10)
        await until(pilot, lambda: app.steps == [10])
        assert "no checkpoint" not in str(app.screen.query_one(Static).content)
        await choose(app, pilot)
        await until(pilot, lambda: app.answers == [CheckpointChoice(10, branch=False)])


async def test_one_that_has_just_gone_is_not_chosen(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_back, "REFRESH_SECONDS", 1000.0)
    app = GoBackApp(run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.steps == [300, 200, 100])
        await pilot.press("end")
        shutil.rmtree(run.checkpoint_path(100))
        await choose(app, pilot)
        await until(pilot, lambda: app.steps == [300, 200])
        assert app.at == "200" and not app.answers
        assert any("no longer exists" in str(notification.message) for notification in app._notifications)


async def test_a_checkpoint_that_cannot_be_used_names_the_key_for_another(stage: Stage) -> None:
    """By its step: nothing has to be looked up."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        refused = messages.Failed(message="The weights are not finite; take another.", command="open", instead=1200)
        await stage.say(pilot, refused)
        assert stage.toasts[-1].endswith("take another. Press b to go back to the one at step 1,200.")
