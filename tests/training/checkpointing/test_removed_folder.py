"""The folder of a run that is being trained is removed, emptied, moved or replaced: nothing is trained for nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import msgspec
import pytest

from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.lock import RunLock
from rnnplay.runs.metrics.records import Notice, Step
from rnnplay.training.checkpointing import saving
from rnnplay.training.trainer import Trainer
from tests.training.world import World, run_to_end


@pytest.fixture(autouse=True)
def looked_for_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr("rnnplay.runs.metrics.metrics_log.FLUSH_SECONDS", 0.0)


def remove(folder: RunFolder) -> None:
    shutil.rmtree(folder.path)


def remove_all_runs(folder: RunFolder) -> None:
    shutil.rmtree(folder.path.parent)


def empty(folder: RunFolder) -> None:
    for path in folder.path.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def move(folder: RunFolder) -> None:
    folder.path.rename(folder.path.with_name("elsewhere"))


def half_way(world: World) -> Trainer:
    trainer = world.trainer(world.config(steps=20))
    for _ in range(10):
        trainer.advance()
    return trainer


def told(world: World) -> list[str]:
    return [record.message for record in world.emitted if isinstance(record, Notice)]


@pytest.mark.parametrize("how", [remove, remove_all_runs, empty, move])
def test_it_is_made_anew_and_can_be_resumed(how: Callable[[RunFolder], None], world: World) -> None:
    trainer = half_way(world)
    how(world.folder())
    trainer.advance()
    assert ["created again, with a checkpoint of step 11" in text for text in told(world)] == [True]
    assert world.folder().checkpoint().step == 11
    with pytest.raises(InputError, match="is being trained by"):
        RunLock.take(world.folder().path)
    run_to_end(trainer)
    on_disk = [record.step for record in world.folder().metrics() if isinstance(record, Step)]
    assert on_disk[-1] == 20 and on_disk[0] in (10, 11), "records that could not be written have waited"
    resumed = world.resume(world.config(steps=22))
    assert run_to_end(resumed).step == 22


def test_so_it_is_by_a_run_that_stops_at_once_or_stood_still(world: World) -> None:
    trainer = half_way(world)
    remove(world.folder())
    assert trainer.finish("stopped").step == 10 and trainer.saved
    assert world.folder().checkpoint().step == 10 and len(told(world)) == 1
    paused = world.resume(world.config(steps=40))
    paused.pause()
    paused.checkpoint()
    remove(world.folder())
    assert paused.checkpoint().step == 10 == world.folder().checkpoint().step


def test_a_run_that_is_over_may_be_removed(world: World) -> None:
    trainer = half_way(world)
    trainer.finish("stopped")
    remove(world.folder())
    trainer.checkpoint()
    trainer.close()
    assert not world.folder().path.exists() and trainer.saved


def test_another_run_in_its_place_is_left_alone_and_this_one_ends(world: World) -> None:
    trainer = half_way(world)
    move(world.folder())
    other = world.trainer(world.config(hidden=5, seed=9))
    with pytest.raises(InputError, match="replaced by another run's while this one trained, so it ends here"):
        trainer.advance()
    other.close()
    theirs = world.folder().info()
    world.folder().write_info(msgspec.structs.replace(theirs, created="2001-01-01T00:00:00+00:00"))
    with pytest.raises(InputError, match="replaced by another run's"):
        trainer.advance()  # nobody trains it any more, but it is another
    assert not trainer.saved
    assert world.folder().info().config.hidden == 5


def test_where_it_cannot_be_made_anew_that_is_said_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "RETRY_SECONDS", 0.0)
    trainer = half_way(world)
    remove_all_runs(world.folder())
    runs = world.workspace.checkpoints
    runs.write_text("in its place", encoding="utf-8")
    trainer.advance()
    assert len(told(world)) == 1 and "cannot write its records (Not a directory" in told(world)[0]
    runs.unlink()
    trainer.advance()
    assert world.folder().checkpoint().step == 12
    assert any("created again, with a checkpoint of step 12" in text for text in told(world))
