"""A process that may have little, and paths that cannot be: one sentence each, no traceback and no library's words."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell with ulimit")

TRAIN = "train --corpus small --steps 1 --hidden 4 --batch-size 2 --bptt 4 --eval-every 0 --threads 1 --device cpu"


def in_shell(before: str, words: str, workspace: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`rnnplay WORDS`, after the shell's command `before`."""
    command = (
        f"{before}; exec {shlex.quote(sys.executable)} -m rnnplay --workspace {shlex.quote(str(workspace))} {words}"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ, timeout=120)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "small.txt").write_text("the cat sat on the mat\n" * 50)
    return tmp_path


@pytest.mark.parametrize(
    ("before", "words", "complaint"),
    [
        ("ulimit -v 150000", TRAIN, "This process may have no more than 154 MB of memory, and a model needs 800 MB"),
        ("ulimit -n 6", TRAIN, "Too many files are open (the limit is 6); raise that limit (ulimit -n)"),
        ("mkdir gone; cd gone; rmdir ../gone", "train --corpus a/b.txt --config c.toml", "c.toml cannot be read"),
        ("export RNNPLAY_CONFIG=/", "lessons", "RNNPLAY_CONFIG is /, a folder; give the path of a file, such as /sett"),
    ],
)
def test_one_sentence(before: str, words: str, complaint: str, workspace: Path) -> None:
    result = in_shell(f"cd {shlex.quote(str(workspace))}; {before}", words, workspace)
    assert result.returncode in (1, 2), result.stderr
    assert complaint in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ") and "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["x" * 5000, "/".join(["y" * 200] * 20)])
@pytest.mark.parametrize("words", ["runs", "presets", "doctor", TRAIN])
def test_a_workspace_whose_path_is_too_long(name: str, words: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from rnnplay.cli.main import program

    result = CliRunner().invoke(program, ["--workspace", str(tmp_path / name), *words.split()])
    assert result.exit_code == 2 and len(result.stderr) < 400
    assert "The path of the workspace is too long for this system" in result.stderr


def test_the_current_folder_is_gone(tmp_path: Path) -> None:
    """Where the workspace depends on it, that is said; where it does not, all works."""
    here = f"mkdir {shlex.quote(str(tmp_path / 'gone'))}; cd {shlex.quote(str(tmp_path / 'gone'))}; rmdir ../gone"
    command = f"{here}; exec {shlex.quote(sys.executable)} -m rnnplay runs"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environ.pop("RNNPLAY_WORKSPACE", None)
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ, timeout=120)
    assert result.stderr == "Error: The current folder has been deleted; change to another one.\n"
    assert in_shell(here.replace("mkdir", "mkdir -p"), "runs", tmp_path).returncode == 0
