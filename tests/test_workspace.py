"""Workspaces that may only be read, or whose folders are none: runs are looked into, and it is said what cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rnnplay.engine.output import redirect_output
from rnnplay.engine.wire import take_over_standard_streams
from rnnplay.errors import InputError
from rnnplay.inspection.loaded_model import SavedRun
from rnnplay.runs.folder import RunFolder
from rnnplay.workspace import Workspace
from tests.training.world import World, run_to_end


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Workspace]:
    """With a run, and a text whose encoded copy is not there; mounted so that not even root writes to it."""
    world = World(tmp_path / "workspace")
    run_to_end(world.trainer(world.config()))
    shutil.rmtree(world.workspace.cache)
    root = str(world.workspace.root)
    mounts = [["mount", "--bind", root, root], ["mount", "-o", "remount,ro,bind", root]]
    if sys.platform != "linux" or any(subprocess.run(mount, capture_output=True).returncode for mount in mounts):
        subprocess.run(["umount", "-l", root], capture_output=True, check=False)
        pytest.skip("cannot mount here")
    yield world.workspace
    subprocess.run(["umount", "-l", root], check=False)


def test_one_that_may_only_be_read_is_looked_into(read_only: Workspace) -> None:
    with pytest.raises(
        InputError, match=r"Nothing can be written in .*, so nothing can be trained or kept in it; allow"
    ):
        read_only.create()
    reading = read_only.for_reading()
    assert reading.cache != read_only.cache == read_only.root / ".cache"
    run = SavedRun(RunFolder(read_only.checkpoints / "run"), "latest", read_only)
    assert run.corpus.validation.tokens > 0
    assert read_only.for_reading().cache == reading.cache, "one for the whole process"


def test_the_temporary_cache_is_gone_with_the_process_and_shows_what_there_was(tmp_path: Path) -> None:
    (tmp_path / ".cache" / "encoded" / "abc").mkdir(parents=True)
    code = (
        "import os, sys; from pathlib import Path; from rnnplay.workspace import Workspace\n"
        "os.access = lambda *_: False\n"
        "cache = Workspace(Path(sys.argv[1])).for_reading().cache\n"
        "print(cache, *(path.name for path in (cache / 'encoded').iterdir()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    place, *kept = done.stdout.split()
    assert kept == ["abc"] and not Path(place).exists()
    assert (tmp_path / ".cache" / "encoded" / "abc").is_dir()


def make_file(path: Path) -> None:
    path.write_text("in its place", encoding="utf-8")


def make_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize("name", ["checkpoints", "corpora"])
@pytest.mark.parametrize(
    ("make", "what"), [(make_file, "is a file"), (make_dangling_link, "is a link that leads nowhere")]
)
def test_a_folder_that_is_none_is_named(make: Callable[[Path], None], what: str, name: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name} {what}, and has to be a folder; move it away, or name another"):
        Workspace(tmp_path).create()
    assert Workspace(tmp_path).for_reading().cache == tmp_path / ".cache"


def test_an_engine_without_a_log_starts_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    log = tmp_path / "file" / "engine.log"
    with pytest.raises(OSError):
        redirect_output(log)
    kept = [os.dup(number) for number in range(3)]
    try:
        for stream in take_over_standard_streams(log):
            stream.close()
    finally:
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


def test_a_folder_that_may_not_be_entered_is_not_said_to_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path, named=True)
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.X_OK)
    with pytest.raises(InputError, match=r"may not be entered; allow reading it, or name another workspace"):
        workspace.check_there()
    assert "may not be entered" in workspace.missing()
    monkeypatch.undo()
    assert "is not a workspace" in workspace.missing()
