"""The examples run as they stand, one on the run that another has trained."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.skipif(shutil.which("vim") is None, reason="there is no vim")
def test_the_script_for_vim_is_read_without_an_error(tmp_path: Path) -> None:
    script = EXAMPLES / "rnnplay.vim"
    command = ["vim", "-es", "-u", "NONE", "-N", "-S", str(script), "-c", "RnnplayStop", "-c", "qall!"]
    done = subprocess.run(command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, b"")
