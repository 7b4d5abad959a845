"""Every benchmark and tool says what it measures and which options it has, instead of running for minutes."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import others

ROOT = Path(__file__).parents[2]
COMMANDS = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for folder in ("benchmarks", "tools")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if 'if __name__ == "__main__":' in file.read_text(encoding="utf-8")
]


def test_the_table_lists_every_other_benchmark() -> None:
    told = others()
    missing = [
        name
        for name in COMMANDS
        if name.startswith("benchmarks.") and name != "benchmarks.__main__" and f"python -m {name}\n" not in told
    ]
    assert not missing


def test_benchmarks_that_are_named_in_text_exist() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "rnnplay").rglob("*.py")]
    named = {
        (found[1], text.name)
        for text in texts
        for found in re.finditer(r"\b(benchmarks[./][\w./]+\w)", text.read_text(encoding="utf-8"))
    }
    known = {*COMMANDS, *(name.replace(".", "/") + ".py" for name in COMMANDS)}
    assert named
    assert not [(name, text) for name, text in named if name not in known and not (ROOT / name).is_file()]


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
