"""An interrupt while rnnplay starts, and the processes that it starts, which are of the same rnnplay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import rnnplay
from rnnplay.__main__ import keep_imports_to_what_is_installed, main


def test_what_lies_in_the_current_folder_is_not_imported_by_a_process_that_is_started(tmp_path: Path) -> None:
    """As `python -m` does it; the same command without the setting shows that the trap works."""
    (tmp_path / "json.py").write_text("raise SystemExit('json.py of the current folder')")
    command = [sys.executable, "-m", "json.tool", "--help"]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    trapped = subprocess.run(command, cwd=tmp_path, env=inherited, capture_output=True, text=True, check=False)
    assert "json.py of the current folder" in trapped.stderr
    keep_imports_to_what_is_installed(inherited, tmp_path)
    kept = subprocess.run(command, cwd=tmp_path, env=inherited, capture_output=True, text=True, check=False)
    assert kept.returncode == 0 and "usage" in kept.stdout


def test_a_clone_that_is_run_without_being_installed_is_found() -> None:
    environment: dict[str, str] = {}
    keep_imports_to_what_is_installed(environment, Path(rnnplay.__file__).parents[1])
    assert environment == {}


def test_an_interrupt_while_it_starts_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "rnnplay.cli.main", Interrupted("rnnplay.cli.main"))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == "\nInterrupted.", "which Python prints to standard error, with exit code 1"
