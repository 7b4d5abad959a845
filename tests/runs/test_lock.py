"""Two processes never train one run; the lock dies with its holder, and reading needs none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.runs.lock import LOCK_FILE, Hold, Holder, RunLock, unheld
from rnnplay.runs.lock import holder as holder_of
from rnnplay.runs.management.trash import remove_run
from rnnplay.training.checkpointing.checkpoints import load_model
from tests.training.world import World, run_to_end

HOLDER = """
import sys
from pathlib import Path
from rnnplay.runs.lock import RunLock
lock = RunLock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def held(folder: Path) -> subprocess.Popen[str]:
    """A process of its own that has the lock by the time this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_the_first_ones_death_frees_the_run(world: World) -> None:
    trainer = world.trainer(world.config())
    for _ in range(3):
        trainer.advance()
    trainer.finish("stopped")
    before = sorted(world.folder().path.iterdir())
    process = held(world.folder().path)
    try:
        with pytest.raises(InputError, match=f"being trained by process {process.pid};"):
            world.resume()
        with pytest.raises(InputError, match="being trained"):
            remove_run(world.folder())
        assert sorted(world.folder().path.iterdir()) == before
        assert load_model(world.folder())[2] == 3, "reading needs no lock"
        assert list(world.folder().metrics())
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
    assert run_to_end(world.resume()).step == 20


def test_a_run_is_locked_while_it_is_trained_and_free_when_it_is_over(world: World) -> None:
    trainer = world.trainer(world.config())
    with pytest.raises(InputError, match="'run' is being trained"):
        RunLock.take(world.folder().path)
    with pytest.raises(InputError, match="'run' is being trained"):
        world.trainer(world.config())
    run_to_end(trainer)
    RunLock.take(world.folder().path).release()


def test_closing_lets_the_run_go(world: World) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    trainer.close()
    assert [step for step, *_ in world.steps()] == [1], "what was recorded is on disk"
    RunLock.take(world.folder().path).release()


def test_a_trainer_that_nobody_holds_any_more_lets_the_run_go(world: World) -> None:
    """No cycle keeps it alive until some collection of garbage."""
    trainer = world.trainer(world.config())
    trainer.advance()
    world._alive.clear()
    del trainer
    RunLock.take(world.folder().path).release()


def test_what_fails_at_the_start_leaves_no_lock(world: World) -> None:
    run_to_end(world.trainer(world.config()))
    for _ in range(2):
        with pytest.raises(InputError, match="already"):
            world.trainer(world.config())
        with pytest.raises(InputError, match="reached its length"):
            world.resume()
    world.resume(world.config(steps=30))


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed on this system")
def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="not a plain file"):
        RunLock.take(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_who_trains_a_run_is_told_without_a_lock_of_ones_own(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None, "there was never a lock"
    process = held(tmp_path)
    try:
        assert holder_of(tmp_path) == Holder(process.pid)
        (tmp_path / LOCK_FILE).write_text("77 gpu3\x1b[2J\n")
        assert holder_of(tmp_path) == Holder(77, "gpu32J"), "of another machine, without what a terminal would obey"
        assert str(holder_of(tmp_path)) == "process 77 on gpu32J"
        (tmp_path / LOCK_FILE).write_text("")
        assert str(holder_of(tmp_path)) == "another process"
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
    assert holder_of(tmp_path) is None
    (tmp_path / LOCK_FILE).write_text("77 gpu3\n")
    assert holder_of(tmp_path) is None, "the file alone says nothing"


def test_asking_who_trains_a_run_never_keeps_it_from_being_trained(tmp_path: Path) -> None:
    """The question takes a shared lock for a moment; `take` tries again."""
    RunLock.take(tmp_path).release()
    asking, done = threading.Event(), threading.Event()

    def ask() -> None:
        while not done.is_set():
            holder_of(tmp_path)
            asking.set()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        assert asking.wait(10)
        for _ in range(200):
            RunLock.take(tmp_path).release()
    finally:
        done.set()
        thread.join()


def test_a_held_file_is_removed_by_nobody_until_its_last_holder_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"1")
    program = "import sys; from pathlib import Path; from rnnplay.runs.lock import Hold\n"
    program += "hold = Hold.take(Path(sys.argv[1])); print(hold.in_place, flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdout.readline() == "True\n"
    hold = Hold.take(file)
    assert hold.in_place
    hold.release()
    with unheld(file) as free:
        assert not free  # the other process has it still
    other.kill()
    other.wait()
    with unheld(file) as free:
        assert free
    file.unlink()
    assert not Hold.take(file).in_place


def test_a_file_that_was_replaced_is_no_longer_the_one_that_is_held(tmp_path: Path) -> None:
    file, newer = tmp_path / "weights", tmp_path / "newer"
    file.write_bytes(b"1")
    hold = Hold.take(file)
    newer.write_bytes(b"2")
    newer.replace(file)
    assert not hold.in_place
    with unheld(file) as free:
        assert free
