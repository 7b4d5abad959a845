"""Every benchmark and tool says what it measures and which options it has, instead of running for minutes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for folder in ("benchmarks", "tools")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if 'if __name__ == "__main__":' in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_and_exits(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert (module.__doc__ or "").splitlines()[0] in told
    assert f"usage: python -m {name.removesuffix('.__main__')}" in told
