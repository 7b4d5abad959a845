"""`rnnplay doctor` and `rnnplay presets`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rnnplay import __version__
from rnnplay.presets import PRESETS

Invoke = Callable[..., Result]


def test_doctor_tells_of_versions_machine_terminal_and_workspace(invoke: Invoke, workspace: Path) -> None:
    """What one is asked for in a bug report."""
    result = invoke("doctor", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["versions"]["rnnplay"] == __version__
    assert found["versions"]["torch"][0].isdigit()
    assert {"device", "threads", "cpu bfloat16"} <= set(found["machine"])
    assert {"size", "colours", "unicode", "terminal"} <= set(found["terminal"])
    assert found["workspace"]["folder"] == str(workspace)
    assert found["problems"] == []
    assert str(workspace) in invoke("doctor").stdout


def test_doctor_survives_a_broken_torch(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is when it is needed most."""
    monkeypatch.setitem(sys.modules, "rnnplay.model.hardware", None)
    result = invoke("doctor", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert "PyTorch does not load" in found["problems"][0]
    assert found["versions"]["rnnplay"] == __version__


def test_presets(invoke: Invoke) -> None:
    """All of them, with the default marked and the values as they are."""
    listed = json.loads(invoke("presets", "--json").stdout)
    assert {preset["name"]: preset["values"] for preset in listed} == {
        name: preset.values for name, preset in PRESETS.items()
    }
    assert [preset["name"] for preset in listed if preset["default"]] == ["quick"]
    assert len(invoke("presets").stdout.splitlines()) == 1 + len(PRESETS)
