"""The disk is full, or may not be written: training goes on, the user is told once, and nothing is lost."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rnnplay.errors import InputError
from rnnplay.runs import folder as run_folder
from rnnplay.runs.metrics import metrics_log
from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.records import Checkpoint, Notice, Record, Step, Tuned
from rnnplay.training.checkpointing import checkpoints, saving
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.training.checkpointing.saving import Saver
from tests.training.world import World, run_to_end

R = TypeVar("R")


def of(records: Iterator[Record] | list[Record], kind: type[R]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


@pytest.fixture(autouse=True)
def every_attempt_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step the records go to disk, and a checkpoint is tried again."""
    monkeypatch.setattr(metrics_log, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(saving, "RETRY_SECONDS", 0.0)


@contextmanager
def refusing(owner: Any, name: str, how: Callable[..., Any] | None = None) -> Iterator[None]:
    """`owner.name` raises ENOSPC, after `how` has done its part."""

    original = getattr(owner, name)

    def full(*arguments: Any, **options: Any) -> Any:
        if owner is Path and "step-" not in arguments[0].name:
            return original(*arguments, **options)  # pytest's own
        if how is not None:
            how(*arguments, **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, full)
        yield


def half(path: Path, data: bytes) -> None:
    path.write_bytes(data[: len(data) // 2])


POINTS: dict[str, tuple[Any, str, Callable[..., Any] | None]] = {
    "opening the records": (metrics_log, "open_own", None),
    "records": (metrics_log, "_put", None),
    "a file of a checkpoint": (checkpoints, "write_durably", half),
    "its folder": (Path, "mkdir", None),
    "its place": (Path, "rename", None),
    "the folder's names": (checkpoints, "sync_folder", None),
    "all on its way to the disk": (os, "fsync", None),
    "run.json": (run_folder, "replace_durably", None),
}


MORE_THAN_NOTHING = ("run.json", "opening the records", "records", "the folder's names")
"""What fails here does not keep checkpoints from being written."""


@pytest.mark.parametrize("point", POINTS)
def test_training_goes_on_and_the_person_is_told_once(point: str, world: World) -> None:
    config = world.config(steps=30, checkpoint_every=1, keep=2)
    trainer = world.trainer(config)
    while trainer.step < 5:
        trainer.advance()
    if point == "run.json":
        trainer.tune("lr", 0.05)
    with refusing(*POINTS[point]):
        while trainer.step < 15:
            assert trainer.advance() is None
    notices = of(world.emitted, Notice)
    assert len(notices) == 1 and notices[0].step == 6
    assert "No space left on device" in notices[0].message and "training goes on" in notices[0].message
    latest = world.folder().checkpoint()
    assert latest.step >= 5 if point in MORE_THAN_NOTHING else latest.step == 5
    load_model(world.folder())
    run_to_end(trainer)
    told = of(world.emitted, Notice)
    assert len(told) == 2 and told[1].step == 16 and "written again" in told[1].message
    on_disk = list(world.folder().metrics())
    assert [record.step for record in of(on_disk, Step)] == list(range(1, 31)), "nothing is lost"
    assert of(on_disk, Notice) == told
    assert [one.step for one in world.folder().checkpoints()][-2:] == [29, 30]
    assert not [path for path in world.folder().path.iterdir() if path.name.startswith(".")]


def test_the_end_of_a_run_says_so_and_does_not_crash(world: World) -> None:
    trainer = world.trainer(world.config(steps=8))
    while trainer.step < 4:
        trainer.advance()
    trainer.checkpoint()
    with refusing(checkpoints, "write_durably", half):
        finished = run_to_end(trainer)
    assert finished.reason == "length" and world.emitted[-1] == finished
    refused, unsaved = of(world.emitted, Notice)
    assert "cannot write a checkpoint" in refused.message and "NOT on disk" in unsaved.message
    assert world.folder().checkpoint().step == 4 and not trainer.saved
    with pytest.raises(InputError, match="is being trained by"):
        world.folder().claim()  # nobody may take it while there is something to lose
    trainer.checkpoint()  # when there is room
    assert world.folder().checkpoint().step == 8 and trainer.saved
    world.folder().claim().release()


def test_what_a_person_asks_for_fails_openly(world: World) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    with refusing(checkpoints, "write_durably", half), pytest.raises(OSError, match="No space"):
        trainer.checkpoint()
    assert not of(world.emitted, Notice)
    trainer.tune("lr", 0.5)
    assert of(world.emitted, Tuned) and trainer.checkpoint().step == 1


def test_a_new_run_cannot_begin_there(world: World) -> None:
    with refusing(metrics_log, "_put"), refusing(checkpoints, "write_durably"), pytest.raises(OSError):
        world.trainer(world.config())
    assert not of(world.emitted, Notice)


def test_the_next_attempt_comes_after_a_while(world: World) -> None:
    now = [0.0]
    trainer = world.trainer(world.config())
    saver = Saver(world.folder(), world.folder().info(), trainer._recorder, trainer._saver.lock, lambda: now[0])
    config = world.config(checkpoint_every=3, checkpoint_seconds=50.0)
    assert saver.due(config, 3, False) and not saver.due(config, 4, False)
    trainer.advance()
    state = trainer._progress.state(config, 1, 0)
    with refusing(checkpoints, "write_durably"), pytest.raises(OSError):
        saver.save(state, (trainer.model.weights(), trainer._learner.tensors()), config)
    assert saver.due(config, 3, False), "RETRY_SECONDS is 0 here"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "RETRY_SECONDS", 10.0)
        now[0] = 9.9
        assert not saver.due(config, 3, True), "also where one would be due by steps"
        now[0] = 10.0
        assert saver.due(config, 4, False)


def step(number: int) -> Step:
    return Step(
        step=number, loss=1.5, grad_norm=2.0, grad_norm_clipped=1.0, clipped=True, lr=0.01, tokens=number,
        tokens_per_second=1.0,
    )  # fmt: skip


@pytest.mark.parametrize("room", [0, 1, 100, 200, 700])
def test_a_write_that_fails_midway_neither_loses_nor_doubles_a_record(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append([step(1)])
    log.flush()
    left = [room]

    def little(descriptor: int, data: memoryview) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(descriptor, data[: left[0]])
        left[0] -= written
        return written

    log._waiting.extend(map(step, range(2, 8)))
    with monkeypatch.context() as patch:
        patch.setattr(metrics_log, "_put", little)
        with pytest.raises(OSError):
            log.flush()
    assert list(log.read()) == [step(number) for number in range(1, 2 + len(list(log.read())) - 1)]
    log._waiting.append(step(8))
    assert log.flush() == log.path.stat().st_size
    assert list(log.read()) == [step(number) for number in range(1, 9)]


def test_records_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_log, "MOST_WAITING", 100)
    log = MetricsLog(tmp_path / "nowhere" / "metrics.jsonl")
    for number in range(1, 1001):
        with pytest.raises(OSError):
            log.append([step(number)] if number % 50 else [step(number), Tuned(step=number, knob="lr", value=0.1)])
    waiting = log._waiting
    assert 20 < len(waiting) <= 102 and log.left_out + len(of(waiting, Step)) == 1000
    assert len(of(waiting, Tuned)) == 20, "changes are kept before steps are"
    log.path.parent.mkdir()
    log.flush()
    assert list(log.read()) == waiting or not log._waiting


def test_a_torn_tail_is_cut_before_the_next_record(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    for tail in (b'{"type":"st', b"x" * 20_000, b""):
        log.append([step(1)])
        log.flush()
        before = log.path.read_bytes()
        log.path.write_bytes(before + tail)
        log.append([step(2)])
        log.flush()
        assert list(log.read())[-2:] == [step(1), step(2)]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may mount")
def test_a_small_file_system_that_fills_up(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        world = World(place)
        trainer = world.trainer(world.config(steps=60, checkpoint_every=1, keep=2))
        while trainer.step < 10:
            trainer.advance()
        hog = place / "hog"
        with pytest.raises(OSError), hog.open("wb", buffering=0) as file:
            for _ in itertools.count():
                file.write(b"x" * 512)
        while trainer.step < 40:
            assert trainer.advance() is None
        assert len(of(world.emitted, Notice)) == 1 and "No space left" in of(world.emitted, Notice)[0].message
        load_model(world.folder())
        hog.unlink()
        run_to_end(trainer)
        assert len(of(world.emitted, Notice)) == 2
        assert [number for number, *_ in world.steps()] == list(range(1, 61))
        assert of(list(world.folder().metrics()), Checkpoint)[-1].step == 60
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
