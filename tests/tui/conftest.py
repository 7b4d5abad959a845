"""The playground with a scripted engine instead of a process."""

from __future__ import annotations

import pytest

from rnnplay.workspace import Workspace
from tests.tui.stage import Stage


@pytest.fixture
def stage(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Nothing of the app is run yet; `stage.open()` makes it."""
    # The count of parameters comes from a thread, some time after the start.
    monkeypatch.setattr("rnnplay.tui.setup.setup_pane.COUNTED_SECONDS", 1e9)
    made = Stage(workspace)
    monkeypatch.setattr("rnnplay.tui.run_controller.EngineClient", made.engine_client)
    return made
