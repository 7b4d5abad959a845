"""The playground with a scripted engine instead of a process."""

from __future__ import annotations

import pytest

from rnnplay.workspace import Workspace
from tests.tui.stage import Stage


@pytest.fixture
def stage(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Nothing of the app is run yet; `stage.open()` makes it."""
    made = Stage(workspace)
    monkeypatch.setattr("rnnplay.tui.control.EngineClient", made.engine_client)
    return made
