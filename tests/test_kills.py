"""Killed at any moment, a run goes on as if nothing had happened: benchmarks.reliability.kill_and_resume in short."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_five_kills_change_no_bit() -> None:
    # In a process of its own: it forks, which one with threads must not.
    command = [sys.executable, "-m", "benchmarks.reliability.kill_and_resume", "--kills", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 of 5 resumed" in done.stdout
