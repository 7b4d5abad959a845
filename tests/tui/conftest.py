"""The playground with a scripted engine instead of a process."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from rnnplay.workspace import Workspace
from tests.tui.stage import Stage


@pytest.fixture(autouse=True, scope="session")
def stylesheets_parsed_once() -> None:
    """Each test starts an app, and each app would parse the same rules again: a tenth of its start."""
    parse = Stylesheet._parse_rules
    known: dict[Hashable, list[RuleSet]] = {}

    def parse_once(sheet: Stylesheet, css: str, *place: object, **more: object) -> list[RuleSet]:
        key = (css, place, *more.items(), frozenset(sheet._variables.items()))
        if key not in known:
            known[key] = parse(sheet, css, *place, **more)  # type: ignore[arg-type]
        return known[key]

    Stylesheet._parse_rules = parse_once  # type: ignore[method-assign, assignment]


@pytest.fixture
def stage(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Nothing of the app is run yet; `stage.open()` makes it."""
    # The count of parameters comes from a thread, some time after the start.
    monkeypatch.setattr("rnnplay.tui.setup.setup_pane.COUNTED_SECONDS", 1e9)
    # How many cores a race shares is said on its screen.
    monkeypatch.setattr("rnnplay.tui.screens.race.dialog.physical_cores", lambda: 2)
    made = Stage(workspace)
    monkeypatch.setattr("rnnplay.tui.run_controller.EngineClient", made.engine_client)
    return made
