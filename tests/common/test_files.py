"""Nothing is written through a name that may be another file: a link of either kind, a pipe, another user's file."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from rnnplay.cli.main import program
from rnnplay.common.files import NotOwnError, check_own, creating, name_beside, open_own, read_bounded, replacing
from rnnplay.config import RunConfig
from rnnplay.engine.output import redirect_output
from rnnplay.errors import InputError
from rnnplay.lessons.progress import Progress, save_progress
from rnnplay.presets import save_preset
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.lock import LOCK_FILE, RunLock
from rnnplay.runs.management.trash import remove_run
from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.records import Notice
from tests.training.world import World

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="links are made differently on this system")

LINES = b"a line of the user's\nand another\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    torch.set_num_threads(1)
    return World(tmp_path / "workspace")


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """A file of the user's own, outside of everything, which must stay as it is."""
    path = tmp_path / "my diary.txt"
    path.write_bytes(LINES)
    return path


def lock(folder: Path) -> None:
    RunLock.take(folder)


def append(folder: Path) -> None:
    log = MetricsLog(folder / "metrics.jsonl")
    log.append([Notice(step=1, message="hello")])
    log.flush()


def cut(folder: Path) -> None:
    MetricsLog(folder / "metrics.jsonl").cut(0)


def log_output(folder: Path) -> None:
    redirect_output(folder / "engine.log")


WRITERS = {LOCK_FILE: [lock], "metrics.jsonl": [append, cut], "engine.log": [log_output]}


@pytest.mark.parametrize("make", [os.link, os.symlink])
@pytest.mark.parametrize(("name", "write"), [(name, write) for name, writers in WRITERS.items() for write in writers])
def test_a_file_that_is_kept_open_or_cut_is_never_another(
    name: str, write: Callable[[Path], None], make: Callable[[Path, Path], None], tmp_path: Path, diary: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    make(diary, folder / name)
    with pytest.raises((InputError, OSError)):
        write(folder)
    assert diary.read_bytes() == LINES


def test_it_is_the_open_file_that_is_checked(tmp_path: Path, diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that takes the file's place after a look at its name is found out, too."""
    monkeypatch.setattr("rnnplay.runs.metrics.metrics_log.check_own", lambda _: None)
    monkeypatch.setattr("rnnplay.runs.lock.check_own", lambda _: None)
    for name, write in ((LOCK_FILE, lock), ("metrics.jsonl", cut)):
        os.link(diary, tmp_path / name)
        with pytest.raises(OSError, match="hard link"):
            write(tmp_path)
    assert diary.read_bytes() == LINES


def test_no_file_is_emptied_as_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="emptied"):
        open_own(tmp_path / "file", os.O_WRONLY | os.O_TRUNC)


def test_another_users_file_in_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.touch()
    of_another = list(path.stat())
    of_another[4] += 1  # st_uid
    monkeypatch.setattr("rnnplay.common.files.os.fstat", lambda _: os.stat_result(of_another))
    with pytest.raises(OSError, match="another user"):
        open_own(path, os.O_WRONLY)
    monkeypatch.undo()
    monkeypatch.setattr("rnnplay.common.files.os.geteuid", lambda: os.getuid() + 1)
    os.close(open_own(path, os.O_WRONLY))  # folder and file are of one owner: a shared folder, or root at work


def test_what_the_refusal_says_to_do_helps(tmp_path: Path, diary: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    os.link(diary, path)
    with pytest.raises(NotOwnError, match="is a hard link") as caught:
        check_own(path)
    command = str(caught.value).partition("in its place: ")[2]
    assert shlex.split(command)[0] == "cp"
    subprocess.run(command, shell=True, check=True)
    check_own(path)
    assert path.read_bytes() == LINES == diary.read_bytes()


def test_a_run_from_elsewhere_is_not_resumed_and_nothing_of_it_changes(world: World, diary: Path) -> None:
    trainer = world.trainer(world.config(checkpoint_every=3, keep=9))
    for _ in range(6):
        trainer.advance()
    trainer.finish("stopped")
    run = world.folder()
    for name in ("metrics.jsonl", LOCK_FILE):
        kept = (run.path / name).read_bytes()
        (run.path / name).unlink()
        os.link(diary, run.path / name)
        with pytest.raises(NotOwnError, match=f"{name} is a hard link"):
            world.resume(checkpoint="3")
        assert diary.read_bytes() == LINES
        assert [one.step for one in run.checkpoints()] == [0, 3, 6], "nothing was cleared away before"
        (run.path / name).unlink()
        (run.path / name).write_bytes(kept)
    os.link(diary, run.path / "engine.log")
    (run.path / LOCK_FILE).unlink()
    os.link(diary, run.path / LOCK_FILE)
    remove_run(run)  # removing takes away the names alone
    assert diary.read_bytes() == LINES and not run.path.exists()


def test_the_command_line_says_so_in_a_sentence(world: World, diary: Path) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    trainer.finish("stopped")
    path = world.folder().log.path
    path.unlink()
    os.link(diary, path)
    ended = CliRunner().invoke(program, ["train", "--resume", "--workspace", str(world.workspace.root)])
    assert ended.exit_code == 2 and "is a hard link" in ended.stderr and "Traceback" not in ended.output
    assert diary.read_bytes() == LINES


def test_what_takes_a_files_place_breaks_the_link(tmp_path: Path, diary: Path) -> None:
    """Settings, progress and presets are written to a new file, whose name nobody can have linked before."""
    progress, preset = tmp_path / "lessons.json", tmp_path / "mine.toml"
    os.link(diary, progress)
    os.link(diary, preset)
    save_progress(Progress(ticked={"a": [1]}), progress)
    save_preset("mine", RunConfig(hidden=7), tmp_path)
    assert diary.read_bytes() == LINES and b"ticked" in progress.read_bytes() and b"hidden" in preset.read_bytes()


def test_a_replacement_that_fails_leaves_the_old_file_alone(tmp_path: Path, diary: Path) -> None:
    def fail() -> None:
        with replacing(diary) as file:
            file.write(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert diary.read_bytes() == LINES and list(tmp_path.iterdir()) == [diary]


def test_what_an_interrupted_write_left_beside_a_file_is_swept_away(tmp_path: Path) -> None:
    """By whatever name: that of earlier versions too, which was the same each time."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    left = [name_beside(folder.path / "run.json"), folder.path / ".vocabulary.json.partial"]
    for path in left:
        path.touch()
    (folder.path / ".keep").touch()
    folder.sweep()
    assert [path.name for path in folder.path.iterdir()] == [".keep"]


def test_a_link_is_not_read_where_the_system_itself_would_follow_it(
    tmp_path: Path, diary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, which has no O_NOFOLLOW."""
    (tmp_path / "run.json").symlink_to(diary)
    for _ in range(2):
        with pytest.raises(InputError, match="is not a plain file"):
            read_bounded(tmp_path / "run.json", 1000)
        monkeypatch.delattr(os, "O_NOFOLLOW", raising=False)


def test_a_new_file_whose_writing_fails_is_not_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with pytest.raises(OSError, match="No space"), creating(path) as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not path.exists()
    path.write_bytes(b"whole")
    with pytest.raises(FileExistsError), creating(path):
        pass
    assert path.read_bytes() == b"whole"
