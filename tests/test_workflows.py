""".github/workflows and the Dockerfile: they parse, and name commands, files and extras that exist.

Neither runs here. What they say was checked with actionlint, GitHub's schema and hadolint: docs/platforms.md.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rnnplay.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def parsed(path: Path) -> dict[Any, Any]:
    yaml = pytest.importorskip("yaml")
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return workflow


def copied_by_the_dockerfile() -> set[str]:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    return {word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]}


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_names_what_exists(path: Path) -> None:
    workflow = parsed(path)
    assert workflow[True], "`on`, which YAML 1.1 takes for a truth value"
    assert workflow["permissions"] == {"contents": "read"}, "a job that needs more asks for it itself"
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
    for step in steps(workflow):
        assert ("run" in step) != ("uses" in step)
        script = step.get("run", "")
        for extra in re.findall(r"\.\[(\w+)\]", script):
            assert extra in PROJECT["optional-dependencies"]
        for file in re.findall(r"bash (\S+)|-c (\S+\.txt)", script):
            assert (ROOT / "".join(file)).is_file()
        for command in re.findall(r"rnnplay\"? ([a-z]+)", script):
            assert command in COMMANDS


def test_the_checks_cover_each_python_from_the_oldest() -> None:
    jobs = parsed(ROOT / ".github" / "workflows" / "checks.yml")["jobs"]
    matrices = [job["strategy"]["matrix"]["python"] for job in jobs.values()]
    assert matrices[0] == matrices[1]
    assert PROJECT["requires-python"] == f">={matrices[0][0]}"
    assert [f"Programming Language :: Python :: {one}" for one in matrices[0]] == [
        one for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)
    ]


def test_the_dockerfile_copies_what_exists_and_is_not_left_out() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied_by_the_dockerfile() == sent


def test_the_package_is_built_of_what_the_dockerfile_copies(tmp_path: Path) -> None:
    """A file that the build needs, such as hatch_build.py, is not there unless it is copied."""
    pytest.importorskip("hatchling")
    for name in copied_by_the_dockerfile():
        place = ROOT / name
        copy = shutil.copytree if place.is_dir() else shutil.copy
        copy(place, tmp_path / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "dist").glob("rnnplay-*.whl"))
