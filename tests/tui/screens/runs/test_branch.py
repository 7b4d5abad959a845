"""From a checkpoint to a new run: what is taken over, what can be changed, and what is sent to the engine."""

from __future__ import annotations

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from rnnplay.engine import messages
from rnnplay.errors import ConfigError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.lock import unheld
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.playground.go_back import GoBackScreen
from rnnplay.tui.screens.race.dialog import RaceDialog
from rnnplay.tui.screens.runs.branch import BranchScreen
from tests.tui.stage import FakeEngine, Stage, make_run, progress, shown, started, until

PARENT = "parent"
CREATED = "2026-03-01T10:15:00+00:00"


def parent_run(stage: Stage) -> None:
    folder = make_run(stage.workspace, PARENT, {"hidden": 32}, steps=40, loss=1.5)
    folder.write_info(msgspec.structs.replace(folder.info(), vocabulary=4))  # as that of `make_run`: a, b, c, <unk>


async def choose(stage: Stage, pilot: Pilot[None], *keys: str) -> None:
    """Asks for a branch, and gives these keys to the dialog."""
    stage.playground._saved.branch(PARENT)
    await until(pilot, lambda: isinstance(stage.app.screen, BranchScreen) and bool(stage.app.screen.query(OptionList)))
    await pilot.press(*keys)
    await until(pilot, lambda: stage.app.screen is stage.playground)


def sent(stage: Stage) -> list[messages.Train]:
    return [one for one in stage.engine.of(messages.Train) if isinstance(one, messages.Train)]


@pytest.mark.parametrize(
    ("keys", "optimizer", "shrink"),
    [(("enter",), False, 1.0), (("down", "enter"), False, 0.5), (("down", "down", "enter"), True, 1.0)],
)
async def test_a_branch_is_shown_and_then_trained_with_what_was_changed(
    keys: tuple[str, ...], optimizer: bool, shrink: float, stage: Stage
) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        parent_run(stage)
        await choose(stage, pilot, *keys)
        await until(pilot, lambda: stage.form.config.hidden == 32)
        assert f"branch of {PARENT}@40" in shown(stage.playground, "#status")
        note = " ".join(shown(stage.playground, "#setup-note").split())
        assert f"Branch of {PARENT}@40" in note
        with pytest.raises(ConfigError, match="A branch keeps"):
            stage.form.set_value("hidden", 64)
        stage.form.set_value("lr", 0.05)
        await pilot.press("t")
        await until(pilot, lambda: len(sent(stage)) == 1)
        train = sent(stage)[0]
        assert train.branch == messages.BranchFrom(
            checkpoint=f"{PARENT}@40", created=CREATED, with_optimizer=optimizer, shrink=shrink
        )
        assert (train.config.lr, train.config.hidden, train.resume) == (0.05, 32, False)
        assert train.run != PARENT


async def test_the_chosen_checkpoint_is_kept_from_the_choice_until_the_branch_has_begun(stage: Stage) -> None:
    """However long the user takes, the run that trains on does not delete it."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        parent_run(stage)
        weights = RunFolder(stage.workspace.checkpoints / PARENT).checkpoint_path(40) / "weights.safetensors"
        weights.write_bytes(b"")

        def free() -> bool:
            with unheld(weights) as found:
                return found

        await choose(stage, pilot, "enter")
        await until(pilot, lambda: stage.state.next_branch is not None)
        assert not free()
        await pilot.press("t")
        await until(pilot, lambda: len(sent(stage)) == 1)
        refused = messages.Failed(message="The text cannot be read.", command="train")
        stage.engine.say(refused)
        await until(pilot, lambda: stage.state.next_branch is not None)
        assert not free()  # it can be tried again
        await pilot.press("t")
        await until(pilot, lambda: len(sent(stage)) == 2)
        assert not free()
        await stage.say(pilot, progress([started(sent(stage)[1].run)]))
        await until(pilot, free)


async def test_escape_leaves_all_as_it_was_and_n_begins_without_the_parent(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        parent_run(stage)
        before = stage.form.config
        await choose(stage, pilot, "escape")
        assert stage.state.branch is None and stage.form.config == before
        await choose(stage, pilot, "enter")
        await until(pilot, lambda: stage.state.next_branch is not None)
        await pilot.press("n")
        await until(pilot, lambda: len(sent(stage)) == 1)
        assert sent(stage)[0].branch is None and sent(stage)[0].config.hidden == 32


async def test_a_text_with_other_tokens_is_trained_on_once_the_user_agrees(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        parent_run(stage)
        await choose(stage, pilot, "enter")
        await pilot.press("t")
        await until(pilot, lambda: len(sent(stage)) == 1)
        refused = messages.Failed(message="two has 1 character that …", command="train", extendable=True)
        stage.engine.say(refused)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        assert len(sent(stage)) == 1 and stage.state.next_branch is not None  # it can be tried again
        await pilot.press("t")
        await until(pilot, lambda: len(sent(stage)) == 2)
        stage.engine.say(refused)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: len(sent(stage)) == 3)
        assert sent(stage)[2].branch == messages.BranchFrom(
            checkpoint=f"{PARENT}@40", created=CREATED, extend_vocabulary=True
        )


async def test_b_in_the_list_of_checkpoints_branches_there(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        parent_run(stage)
        stage.playground._saved.open(PARENT)
        await until(pilot, lambda: stage.state.run == PARENT)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoBackScreen))
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, BranchScreen) and bool(app.screen.query(OptionList)))
        await pilot.press("enter")
        await until(pilot, lambda: stage.state.next_branch is not None)
        assert stage.state.next_branch == messages.BranchFrom(checkpoint=f"{PARENT}@40", created=CREATED)


async def test_a_branch_is_set_up_beside_a_run_that_trains(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        run = stage.state.run
        parent_run(stage)
        await choose(stage, pilot, "enter")
        await until(pilot, lambda: any(f"{run} goes on behind" in toast for toast in stage.toasts))
        await until(pilot, lambda: stage.state.next_branch is not None)
        assert [one.state.run for one in stage.app.controllers.running] == [run]
        stage.playground._saved.branch("nobody")
        await until(pilot, lambda: any("There is no run 'nobody'" in toast for toast in stage.toasts))


async def test_a_race_begins_with_the_weights_of_the_chosen_checkpoint(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        parent_run(stage)
        await choose(stage, pilot, "enter")
        await until(pilot, lambda: stage.form.config.hidden == 32)
        branch = stage.state.next_branch
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, RaceDialog) and bool(app.screen.query("#race-note")))
        await until(pilot, lambda: f"All begin with the weights of {PARENT}@40." in " ".join(note(stage).split()))
        await pilot.press("up", "up", "up")  # from the rates to the cells
        await until(pilot, lambda: "cell cannot be varied" in note(stage))
        await pilot.press("enter")
        assert stage.playground._races.live is None
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: stage.playground._races.live is not None)
        live = stage.playground._races.live
        assert isinstance(live, LiveRace)
        await until(pilot, lambda: all(one.controller.engine is not None for one in live.entrants))
        first = live.entrants[0].controller.engine
        assert isinstance(first, FakeEngine)
        first.say(messages.Ready(pid=1, torch="2", device="cpu"))
        await until(pilot, lambda: bool(first.of(messages.Train)))
        (train,) = first.of(messages.Train)
        assert isinstance(train, messages.Train)
        assert train.branch == branch
        assert [one.label for one in live.entrants] == ["lr 0.0033", "lr 0.01", "lr 0.03"]


def note(stage: Stage) -> str:
    return shown(stage.app.screen, "#race-note")
