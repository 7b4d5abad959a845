"""A workspace of its own for each test, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rnnplay.cli.main import program

Invoke = Callable[..., Result]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, which commands find by the environment."""
    folder = tmp_path / "workspace"
    for name in ("corpora", "checkpoints"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setenv("RNNPLAY_WORKSPACE", str(folder))
    monkeypatch.delenv("RNNPLAY_DEBUG", raising=False)
    return folder


@pytest.fixture
def invoke(workspace: Path) -> Invoke:
    """`rnnplay` with these arguments; stdout and stderr apart in the result."""

    def call(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(program, arguments, input=answer)

    return call
