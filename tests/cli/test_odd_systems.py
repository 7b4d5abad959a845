"""A process that may have little, and paths that cannot be: one sentence each, no traceback and no library's words."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rnnplay.cli.main import program

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
        ("ulimit -f 1", TRAIN, "A file may have no more than 1,024 bytes here, and more is written; raise that limit"),
        ("ulimit -f 1; exec > big.txt", "train --help", "(File too large: the limit is 1,024 bytes, ulimit -f)"),
        ("mkdir gone; cd gone; rmdir ../gone", "train --corpus a/b.txt --config c.toml", "c.toml cannot be read"),
        ("export RNNPLAY_CONFIG=/", "lessons", "RNNPLAY_CONFIG is /, a folder; give the path of a file, such as /sett"),
    ],
)
def test_one_sentence(before: str, words: str, complaint: str, workspace: Path) -> None:
    result = in_shell(f"cd {shlex.quote(str(workspace))}; {before}", words, workspace)
    assert result.returncode in (1, 2), result.stderr
    assert complaint in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ") and "Traceback" not in result.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["presets --json", "train --help"])
def test_an_answer_of_which_a_part_cannot_be_written(words: str, unbuffered: str, workspace: Path) -> None:
    """One write finds room for its beginning only: without a buffer Python drops the rest in silence."""
    before = f"cd {shlex.quote(str(workspace))}; ulimit -f 1; exec > big.txt"
    result = in_shell(before, words, workspace, PYTHONUNBUFFERED=unbuffered)
    assert result.returncode == 1
    assert (
        result.stderr.startswith("Error: The answer cannot be written (File too large")
        and result.stderr.count("\n") == 1
    )
    assert (workspace / "big.txt").stat().st_size == 1024


@pytest.mark.parametrize("words", ["runs", "runs --json", "runs show a", "generate a", "train --resume", TRAIN])
@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("file", "{0}/file is not a folder; name another workspace"),
        ("file/in it", "{0}/file is not a folder, and {0}/file/in it would be in it; name another workspace"),
        ("/dev/null", "/dev/null is not a folder; name another workspace"),
        ("blocked", "{0}/blocked/checkpoints is a file, and has to be a folder"),
        ("nowhere", "{0}/nowhere/checkpoints is a link that leads nowhere, and has to be a folder"),
    ],
)
def test_what_is_no_workspace(place: str, complaint: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("blocked", "nowhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "blocked" / "checkpoints").write_text("")
    (tmp_path / "nowhere" / "checkpoints").symlink_to("gone")
    words = words.replace("--corpus small", "--corpus tales")
    result = CliRunner().invoke(program, ["--workspace", str(tmp_path / place), *words.split()])
    assert result.exit_code == 2
    assert complaint.format(tmp_path) in result.stderr


def test_a_mistyped_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said wherever runs are looked for, and nothing is made; one that nobody named is only not begun yet."""
    (tmp_path / "there").mkdir()
    typo, there = tmp_path / "typo", tmp_path / "there"
    for place, trouble in (
        (typo, f"The workspace {typo} does not exist"),
        (there, f"The folder {there} is not a workspace: it has neither corpora/ nor checkpoints/"),
    ):
        for words in ("runs", "runs --json", "runs show a", "runs rm a", "complete a b", "eval a", "train --resume"):
            result = CliRunner().invoke(program, [*words.split(), "--workspace", str(place)], prog_name="rnnplay")
            assert result.exit_code == 2 and not result.stdout
            assert result.stderr.startswith(f"Error: {trouble}; check the name, or begin one")
        for words in ("corpora", "corpora show tales", "presets"):
            result = CliRunner().invoke(program, [*words.split(), "--workspace", str(place)])
            assert result.exit_code == 0 and result.stderr == f"Note: {trouble}.\n"
            assert "tales" in result.stdout
    assert not (tmp_path / "typo").exists()
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(program, ["runs"], prog_name="rnnplay")
    assert result.exit_code == 0 and "yet; train one with: rnnplay train\n" in result.stderr


@pytest.mark.parametrize("name", ["x" * 5000, "/".join(["y" * 200] * 20)])
@pytest.mark.parametrize("words", ["runs", "presets", TRAIN])
def test_a_workspace_whose_path_is_too_long(name: str, words: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(program, ["--workspace", str(tmp_path / name), *words.split()])
    assert result.exit_code == 2 and len(result.stderr) < 400
    assert "The path of the workspace is too long for this system" in result.stderr


def test_the_doctor_tells_of_all_else_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, problem in ((tmp_path / "file", "is not a folder"), (tmp_path / ("x" * 5000), "is too long")):
        result = CliRunner().invoke(program, ["doctor", "--workspace", str(place)])
        assert result.exit_code == 1 and problem in result.stderr
        assert "versions" in result.stdout


def test_the_current_folder_is_gone(tmp_path: Path) -> None:
    """Where the workspace depends on it, that is said; where it does not, all works."""
    here = f"mkdir {shlex.quote(str(tmp_path / 'gone'))}; cd {shlex.quote(str(tmp_path / 'gone'))}; rmdir ../gone"
    command = f"{here}; exec {shlex.quote(sys.executable)} -m rnnplay runs"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environ.pop("RNNPLAY_WORKSPACE", None)
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ, timeout=120)
    assert result.stderr == "Error: The current folder has been deleted; change to another one.\n"
    (tmp_path / "corpora").mkdir()
    assert in_shell(here.replace("mkdir", "mkdir -p"), "runs", tmp_path).returncode == 0
