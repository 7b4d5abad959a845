"""What is installed: wheel and sdist hold everything, and work in a clean environment outside the clone.

Built and installed without a network: the environment sees the packages of this one, so no torch is downloaded.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import rnnplay

pytestmark = pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="needs hatchling")
ROOT = Path(__file__).parent.parent
BUNDLED = ("tales", "copy", "recall", "agreement", "brackets", "python-docs", "python-source")


def build(source: Path, target: str, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (found,) = into.iterdir()
    return found


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def install(wheel: Path, place: Path) -> Path:
    """A new environment with this wheel; returns its folder of programs."""
    import ensurepip

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    (pip,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    command = [str(programs / "python"), f"{pip}/pip", "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    (site,) = place.rglob("site-packages")
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "shared.pth").write_text("\n".join(others) + "\n", encoding="utf-8")
    return programs


def test_wheel_and_sdist_are_whole_and_run_outside_the_clone(tmp_path: Path) -> None:
    wheel = build(ROOT, "wheel", tmp_path / "wheel")
    with tarfile.open(build(ROOT, "sdist", tmp_path / "sdist")) as opened:
        opened.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    names = contents(wheel)
    assert contents(build(unpacked, "wheel", tmp_path / "again")) == names, "the sdist lacks something"

    tracked = subprocess.run(
        ["git", "ls-files", "rnnplay", "corpora"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert len(tracked) > 300
    missing = {path if path.startswith("rnnplay/") else f"rnnplay/{path}" for path in tracked} - names
    assert not missing

    with zipfile.ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        page = packed.read(name).decode()
    assert "## The first ten minutes" in page and "by place" in page
    assert not re.findall(r"\]\((?!https://)[^)]*\)", page), "links that lead nowhere from a package index"

    programs = install(wheel, tmp_path / "environment")
    empty = tmp_path / "empty"
    empty.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RNNPLAY", "PYTHON"))}
    env = {**kept, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"}

    def call(*words: str) -> str:
        done = subprocess.run([str(programs / "rnnplay"), *words], cwd=empty, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = "import rnnplay; print(rnnplay.__file__)"
    done = subprocess.run([str(programs / "python"), "-c", where], cwd=empty, env=env, capture_output=True, text=True)
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "environment")
    assert call("--version").strip() == f"rnnplay {rnnplay.__version__}"
    corpora = json.loads(call("corpora", "--json"))
    assert set(BUNDLED) <= {corpus["name"] for corpus in corpora}
    assert len(json.loads(call("presets", "--json"))) >= 6
    assert len(json.loads(call("lessons", "--json"))) >= 8
    assert json.loads(call("complete", "shipped-model", "Once upon a ti", "--json"))["next"]
    script = (
        "import asyncio; from pathlib import Path; from rnnplay.config import RunConfig; from rnnplay.tui.app "
        "import RnnplayApp; from rnnplay.workspace import Workspace\n"
        "async def look():\n"
        "    async with RnnplayApp(Workspace(Path.cwd()), RunConfig()).run_test() as pilot:\n"
        "        await pilot.press('R'); await pilot.press('escape'); await pilot.press('o')\n"
        "        print(type(pilot.app.screen).__name__)\n"
        "asyncio.run(look())"
    )
    done = subprocess.run([str(programs / "python"), "-c", script], cwd=empty, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == "RunsScreen", done.stderr
