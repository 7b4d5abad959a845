"""An interrupt while rnnplay starts, and the processes that it starts, which are of the same rnnplay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


BEGINS = "import os, signal, sys, types; from rnnplay.__main__ import main; "
"""What is imported before the command, so that what follows is of the command's own imports."""
INTERRUPTS = "os.kill(os.getpid(), signal.SIGINT)"


def interrupted(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` in another Python, with Python's own answer to an interrupt, whatever the parent of the tests has."""
    begins = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {BEGINS}"
    command = [sys.executable, "-c", begins + code]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


needs_signals = pytest.mark.skipif(os.name != "posix", reason="ends by a signal")


@needs_signals
def test_an_interrupt_while_modules_are_imported_ends_it_without_a_traceback() -> None:
    code = f"""
class Slow(types.ModuleType):
    def __getattr__(self, name):
        {INTERRUPTS}
sys.modules["rnnplay.cli.main"] = Slow("rnnplay.cli.main")
main()
"""
    ended = interrupted(code)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


COMMAND = f"""
import rnnplay.cli.main as cli
def run(**_):
    from rnnplay.cli.support.failures import guarded
    from rnnplay.cli.support.session import Session
    def call():
        print("first")
        {INTERRUPTS}
        print("second")
    sys.exit(guarded(call, Session()))
cli.program.main = run
main()
"""


@needs_signals
def test_an_interrupted_command_says_so_and_ends_by_the_signal() -> None:
    """By which the shell ends a loop that the command is in; what was printed before is not lost in a pipe."""
    ended = interrupted(COMMAND)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "first\n", "Interrupted.\n")


@needs_signals
def test_an_interrupt_that_the_parent_has_ignored_stays_so() -> None:
    ended = interrupted("signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + COMMAND)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "first\nsecond\n", "")


def test_nothing_is_imported_before_it_can_be_interrupted() -> None:
    code = "import sys; before = set(sys.modules); import rnnplay.__main__; print(*sorted(set(sys.modules) - before))"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import os; {code}"],
        cwd=Path(rnnplay.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ran.stdout.split()) <= {"__future__", "rnnplay", "rnnplay.__main__"}
