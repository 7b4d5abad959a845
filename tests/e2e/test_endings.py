"""The terminal as it is left, and the run as it is kept, however the interface ends or is stopped."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from benchmarks import random_keys
from rnnplay.training.run_folder import RunFolder
from rnnplay.workspace import Workspace
from tests.e2e.test_terminal import CTRL_Q, start, train, until
from tests.support.terminal import Terminal, rnnplay_command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

LEFT = (b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?25h")
"""The alternate screen, the mouse, the marks of a paste; and the cursor is there again."""


def check_left(terminal: Terminal) -> None:
    assert not terminal.is_raw
    for sequence, opposite in zip(LEFT, (b"\x1b[?1049h", b"\x1b[?1003h", b"\x1b[?2004h", b"\x1b[?25l"), strict=True):
        assert terminal.transcript.rfind(sequence) > terminal.transcript.rfind(opposite), sequence


def check_kept(workspace: Workspace) -> None:
    (folder,) = workspace.checkpoints.iterdir()
    assert RunFolder(folder).checkpoint("latest").step > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_a_signal_leaves_the_terminal_in_order_and_a_checkpoint(workspace: Workspace, number: signal.Signals) -> None:
    with start(workspace) as terminal:
        train(terminal)
        terminal.process.send_signal(number)
        assert terminal.wait_for_exit() == 128 + number
        check_left(terminal)
        assert f"ended by {number.name}".encode() in terminal.transcript
    check_kept(workspace)


def test_a_terminal_that_is_gone_ends_it_although_hangups_are_ignored(workspace: Workspace) -> None:
    """nohup and trap: nobody tells, and reading on would keep a core busy for ever."""
    command = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *rnnplay_command()]
    command += ["--workspace", str(workspace.root), "--corpus", "small", "--preset", "tiny"]
    environment = {"RNNPLAY_CONFIG": str(workspace.root / "settings.json"), "OMP_NUM_THREADS": "1"}
    with Terminal(command, env=environment) as terminal:
        train(terminal)
        terminal.hang_up()
        assert terminal.process.wait(30) == 128 + signal.SIGHUP
    check_kept(workspace)


def test_after_a_stop_that_nobody_was_told_of_keys_come_again(workspace: Workspace) -> None:
    """A shell sets its own modes while a job is stopped, and leaves them to the job that goes on."""
    with start(workspace) as terminal:
        terminal.wait_for("Train")
        for _ in range(2):
            terminal.process.send_signal(signal.SIGSTOP)
            terminal.cook()
            terminal.process.send_signal(signal.SIGCONT)
            until(lambda: terminal.is_raw)
        terminal.send(CTRL_Q)
        assert terminal.wait_for_exit() == 0
        check_left(terminal)


def test_an_error_nobody_foresaw_is_a_sentence_a_log_and_exit_code_1(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from rnnplay.tui.app import RnnplayApp\n"
        "from rnnplay.cli.main import program\n"
        "RnnplayApp.action_suspend_process = lambda self: 1 / 0\n"
        "program.main(args=sys.argv[1:], prog_name='rnnplay')"
    )
    command = [sys.executable, "-c", script, "--workspace", str(tmp_path), "--preset", "tiny"]
    with Terminal(command, env={"RNNPLAY_CONFIG": str(tmp_path / "settings.json")}) as terminal:
        terminal.wait_for("Train")
        terminal.send("\x1a")
        assert terminal.wait_for_exit() == 1
        check_left(terminal)
        last = bytes(terminal.transcript[terminal.transcript.rfind(b"\x1b") :]).decode()
    (log,) = (tmp_path / ".cache" / "errors").iterdir()
    assert "Error: ZeroDivisionError: division by zero" in last
    assert "Traceback" not in last
    assert "Traceback" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", [1, 2])
def test_random_keys_bytes_and_sizes(seed: int) -> None:
    """For minutes: python -m benchmarks.random_keys."""
    began = time.monotonic()
    random_keys.play(5, seed)
    assert time.monotonic() - began < 60
