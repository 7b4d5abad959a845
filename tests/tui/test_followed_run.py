"""What the interface knows of a run that another process trains, and what it tells the user: without Textual."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Checkpoint, Finished, Rollback, Tuned
from rnnplay.tui.followed_run import FollowedRun, Kind, Turn, seconds_per_step
from rnnplay.tui.run_state import Phase
from tests.support.writer import Writer, validation


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "checkpoints" / "run")
    writer.steps(1, 20)
    writer.write(validation(20), Checkpoint(step=20, path="step-000000020"))
    yield writer
    writer.lock.release()


def opened(writer: Writer) -> FollowedRun:
    run = FollowedRun(RunFolder(writer.folder.path), writer.folder.path.parent / "cache")
    assert look(run) == []
    return run


def look(run: FollowedRun) -> list[Turn]:
    return run.apply(run.look())


def kinds(turns: list[Turn]) -> list[Kind]:
    return [turn.kind for turn in turns]


def test_its_curves_events_and_settings_move_with_its_files(writer: Writer) -> None:
    run = opened(writer)
    assert (run.state.phase, run.state.step) == (Phase.FOLLOWED, 20)
    assert run.state.trained_by.startswith("trained by process ")
    writer.steps(21, 30, loss=1.5)
    writer.write(Tuned(step=30, knob="lr", value=0.25), validation(30), Checkpoint(step=30, path="step-000000030"))
    assert look(run) == []
    state = run.state
    assert (state.step, state.loss.last, state.validation_loss.last_step, state.checkpoint_step) == (30, 1.5, 30, 30)
    assert state.config.lr == 0.25 and [line.text for line in state.events] == ["lr set to 0.25"]
    assert seconds_per_step(state) == pytest.approx(100 / 1e4)
    assert state.seconds_left == pytest.approx(970 * 0.01), "of the 1000 steps of its settings"


@pytest.mark.parametrize(
    ("reason", "phase", "said"),
    [
        ("length", Phase.FINISHED, "trains it for longer"),
        ("stopped", Phase.STOPPED, "t resumes it"),
        ("diverged", Phase.FINISHED, "diverged"),
    ],
)
def test_its_end_is_told_once_with_the_key_that_goes_on(writer: Writer, reason: str, phase: Phase, said: str) -> None:
    run = opened(writer)
    writer.write(Finished(step=20, reason=reason))
    writer.lock.release()
    (turn,) = look(run)
    assert turn.kind is Kind.ENDED and said in turn.text and "step 20" in turn.text
    assert (run.state.phase, run.state.seconds_left) == (phase, None)
    assert look(run) == []


def test_a_killed_trainer_is_told_with_the_checkpoint_that_is_left(writer: Writer) -> None:
    run = opened(writer)
    writer.steps(21, 25)
    writer.lock.release()
    (turn,) = look(run)
    assert turn.kind is Kind.LEFT and "killed" in turn.text and "checkpoint at step 20" in turn.text
    assert (run.state.phase, run.state.step) == (Phase.STOPPED, 25)


def test_a_run_at_rest_that_somebody_begins_to_train_comes_to_life(writer: Writer) -> None:
    writer.write(Finished(step=20, reason="stopped"))
    writer.lock.release()
    run = opened(writer)
    assert run.state.phase is Phase.STOPPED
    again = type(writer.lock).take(writer.folder.path)
    writer.cut(20)
    writer.steps(21, 22)
    assert kinds(look(run)) == [Kind.BEGUN]
    assert (run.state.phase, run.state.step, len(run.state.loss)) == (Phase.FOLLOWED, 22, 22)
    again.release()


def test_steps_that_are_undone_leave_the_curves_and_the_user_is_told(writer: Writer) -> None:
    run = opened(writer)
    writer.steps(21, 40)
    look(run)
    writer.write(Rollback(step=40, to=30, cause="by hand", remedy="none"))
    assert look(run) == [], "a rollback is in the log of events like any other"
    assert (run.state.step, run.state.loss.last_step) == (30, 30)
    writer.cut(20)
    (turn,) = look(run)
    assert turn.kind is Kind.BACK and "put back to step 20" in turn.text
    assert (run.state.step, run.state.loss.last_step, len(run.state.loss)) == (20, 20, 20)


def test_a_removed_folder_leaves_what_was_read_and_is_followed_again_if_it_comes_back(writer: Writer) -> None:
    run = opened(writer)
    shutil.rmtree(writer.folder.path)
    (turn,) = look(run)
    assert turn.kind is Kind.GONE and len(run.state.loss) == 20 and run.state.phase is Phase.STOPPED
    assert look(run) == []
    again = Writer(writer.folder.path)
    again.steps(21, 25)
    assert run.look().another
    again.lock.release()


async def test_files_that_were_written_anew_are_read_anew(writer: Writer) -> None:
    run = opened(writer)
    writer.file.write_bytes(b"")
    writer.steps(1, 3, loss=9.0)
    assert run.look().another
    former = run.state
    (turn,) = await run.read_again()
    assert turn.kind is Kind.BACK and run.state is not former
    assert (run.state.phase, run.state.step) == (Phase.FOLLOWED, 3)
    writer.steps(4, 9)
    assert look(run) == [] and run.state.step == 9


def test_a_renamed_run_has_its_new_name(writer: Writer) -> None:
    run = opened(writer)
    writer.folder.path.rename(writer.folder.path.with_name("better"))
    assert Kind.RENAMED in kinds(look(run))
    assert run.state.run == "better" == run.folder.name


def test_what_cannot_be_read_is_told_once(writer: Writer) -> None:
    run = opened(writer)
    good = writer.file.read_bytes()
    writer.file.write_bytes(good + b"rubbish\n")
    (turn,) = look(run)
    assert turn.kind is Kind.TROUBLE and "is not a record" in turn.text and run.state.phase is Phase.FOLLOWED
    assert look(run) == []
