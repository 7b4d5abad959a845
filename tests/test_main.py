"""The processes that rnnplay starts are of the rnnplay that started them, whatever lies in the current folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import rnnplay
from rnnplay.__main__ import keep_imports_to_what_is_installed


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
