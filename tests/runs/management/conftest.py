from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.runs.folder import RunFolder
from rnnplay.workspace import Workspace
from tests.runs.test_folder import info


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two runs, "one" and "two"."""
    workspace = Workspace(tmp_path, str(tmp_path)).create()
    for name in ("one", "two"):
        folder = RunFolder(workspace.checkpoints / name)
        folder.path.mkdir()
        folder.write_info(info(name))
    return workspace
