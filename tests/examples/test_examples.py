"""The examples run as they stand, one on the run that another has trained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the first example prints, and its run."""
    workspace = tmp_path_factory.mktemp("examples")
    printed = run("train_and_sample.py", "--workspace", str(workspace), "--steps", "60")
    (folder,) = (workspace / "checkpoints").iterdir()
    return printed, folder


def test_a_model_is_trained_and_writes(trained: tuple[str, Path]) -> None:
    printed, folder = trained
    assert "step 50: loss" in printed and "Once upon a time" not in printed.splitlines()[0]
    assert printed.endswith(f"The run is in {folder}.\n")


def test_a_checkpoint_is_loaded_in_plain_pytorch(trained: tuple[str, Path]) -> None:
    lines = run("load_in_pytorch.py", str(trained[1])).splitlines()
    probabilities = [float(line.split()[-1]) for line in lines]
    assert len(lines) == 5 and probabilities == sorted(probabilities, reverse=True) and probabilities[0] > 0.05


def test_metrics_are_plotted(trained: tuple[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "metrics.png"
    assert run("plot_metrics.py", str(trained[1]), "--out", str(out)) == f"Saved as {out}.\n"
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("editor", ["vim", "nvim"])
def test_the_script_for_vim_suggests_and_tab_takes_it(editor: str, tmp_path: Path) -> None:
    """Typed into the editor itself; the suggestion is that of `rnnplay complete`, and no part of the text until Tab."""
    if shutil.which(editor) is None:
        pytest.skip(f"there is no {editor}")
    asked = json.dumps([sys.executable, "-m", "rnnplay"]).replace('"', "'")
    settings = ["-u", "NONE", "-N", "-n", "-i", "NONE", "--cmd", f"let g:rnnplay_command = {asked}"]
    script = ["-S", str(EXAMPLES / "rnnplay.vim"), "-c", "RnnplayStart shipped-model", "text"]
    environment = {"RNNPLAY_WORKSPACE": str(tmp_path), "TERM": "linux"}
    with Terminal([editor, *settings, *script], 80, 24, environment, tmp_path) as terminal:
        terminal.wait_for("~")
        terminal.send("iOnce upon a ti")
        terminal.wait_for("Once upon a time", 300)
        terminal.send("\x1b:w\r")
        terminal.wait_for("written")
        assert (tmp_path / "text").read_text() == "Once upon a ti\n"
        terminal.send("a")
        terminal.wait_for("Once upon a time", 300)
        terminal.send("\t\x1b:RnnplayStop\r:wq\r")
        terminal.wait_for_exit()
    assert (tmp_path / "text").read_text().startswith("Once upon a time")
