"""The terminal as it is left, and the run as it is kept, whatever comes in and however the interface ends or stops."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from benchmarks.reliability import random_keys
from rnnplay.common.signals import ending_signals, signal_name
from rnnplay.runs.folder import RunFolder
from rnnplay.workspace import Workspace
from tests.e2e import test_terminal
from tests.e2e.test_terminal import CTRL_Q, process_state, train, until
from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

CTRL_Z, PROMPT = "\x1a", "shell>"
ALTERNATE, PRIMARY = b"\x1b[?1049h", b"\x1b[?1049l"
MODES = {
    ALTERNATE: PRIMARY,
    b"\x1b[?1003h": b"\x1b[?1003l",  # the mouse
    b"\x1b[?2004h": b"\x1b[?2004l",  # the marks of a paste
    b"\x1b[?25l": b"\x1b[?25h",  # the cursor
}


def start(workspace: Workspace, env: Mapping[str, str] | None = None, shell: str = "") -> Terminal:
    """The interface with an engine that does nothing; `shell`: words before it, for a shell with job control."""
    given = {"RNNPLAY_CONFIG": str(workspace.root / "settings.json"), "PS1": f"{PROMPT} ", **(env or {})}
    arguments = ["--workspace", str(workspace.root), "--corpus", "small", "--preset", "tiny"]
    command = [sys.executable, "-m", "tests.support.idle_engine", *arguments]
    line = ["bash", "--norc", "--noprofile", "-i"] if shell else command
    terminal = Terminal(line, 80, 24, given, Path(__file__).parents[2])
    if shell:
        terminal.wait_for(PROMPT)
        terminal.send(f"{shell} {shlex.join(command)}\n")
    return terminal


def check_left(terminal: Terminal) -> None:
    """The shell's screen and modes."""
    assert not terminal.is_raw
    sent = bytes(terminal.transcript)
    for on, off in MODES.items():
        assert sent.rfind(off) > sent.rfind(on) >= 0, off


def check_engine_left(workspace: Workspace) -> None:
    """The engine was asked to end, and so could write its checkpoint; not killed."""
    assert (workspace.root / "engine-ended").exists()


def test_bytes_that_mean_nothing(workspace: Workspace) -> None:
    with start(workspace) as terminal:
        terminal.wait_for("ready")
        terminal.send("g")
        terminal.wait_for("f5 Train")
        for sent in (b"\xff", b"\x1b[99999999u", b"\x1b[55296u", b"\x1b[48;99999;99999;0;0t", b"\xc3", b"\xa9"):
            terminal.send_bytes(sent)
        terminal.send_bytes(b"caf\xe9 \x1b[M\x23\xff\xff")
        terminal.wait_for("�écaf�")
        terminal.send_bytes(b"\x1b[200~\x1b[31mp\xe9sted\x1b[201~ on")
        terminal.wait_for("�écaf� [31mp�sted on")
        terminal.send(CTRL_Q)
        assert terminal.wait_for_exit() == 0
        check_left(terminal)


def test_a_signal_leaves_the_terminal_in_order_and_a_checkpoint(workspace: Workspace) -> None:
    with test_terminal.start(workspace) as terminal:
        train(terminal)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait_for_exit() == 128 + signal.SIGTERM
        check_left(terminal)
        assert b"ended by SIGTERM" in terminal.transcript and b"; go on with: rnnplay train" in terminal.transcript
    (folder,) = workspace.checkpoints.iterdir()
    assert RunFolder(folder).checkpoint("latest").step > 0


@pytest.mark.skipif(not hasattr(signal, "SIGPWR"), reason="Linux has them")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGQUIT", "SIGPWR", "SIGRTMIN+2"])
def test_so_does_any_signal(workspace: Workspace, name: str) -> None:
    number = next(number for number in ending_signals() if signal_name(number) == name)
    with start(workspace) as terminal:
        terminal.wait_for("ready")
        terminal.process.send_signal(number)
        assert terminal.wait_for_exit() == 128 + number
        check_left(terminal)
        assert f"ended by {name}".encode() in terminal.transcript
    check_engine_left(workspace)


def test_a_signal_ends_it_although_the_terminal_takes_nothing(workspace: Workspace) -> None:
    """After ctrl+s, or over a dead line, the event loop waits for room, and cannot do as it is told."""
    with start(workspace, {"RNNPLAY_TEST_STALLED": "2"}) as terminal:
        terminal.wait_for("ready")
        process = psutil.Process(terminal.process.pid)

        def used() -> float:
            return sum(process.cpu_times()[:2])

        for columns in range(100, 220, 10):
            before = used()
            terminal.resize(columns, 50)  # drawn anew; nobody reads it
            until(lambda: used() > before or process.status() == psutil.STATUS_SLEEPING)  # noqa: B023
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(20) in (-signal.SIGTERM, 128 + signal.SIGTERM)


def test_a_second_signal_ends_it_where_the_engine_does_not(workspace: Workspace) -> None:
    with start(workspace, {"RNNPLAY_TEST_STUCK": "1"}) as terminal:
        terminal.wait_for("ready")
        began = time.monotonic()
        terminal.process.send_signal(signal.SIGTERM)
        until(lambda: time.monotonic() - began > 1.2 and not terminal.read(0.05))
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait_for_exit() == -signal.SIGTERM
        check_left(terminal)


def test_a_terminal_that_is_gone_ends_it_although_hangups_are_ignored(workspace: Workspace) -> None:
    """nohup and trap: nobody tells, and reading on would keep a core busy for ever."""
    with start(workspace, shell="trap '' HUP; exec") as terminal:
        terminal.wait_for("ready")
        terminal.hang_up()
        assert terminal.process.wait(20) == 128 + signal.SIGHUP
    check_engine_left(workspace)


def test_an_error_nobody_foresaw_is_a_sentence_a_log_and_exit_code_1(workspace: Workspace) -> None:
    with start(workspace, {"RNNPLAY_TEST_CRASH": "1"}) as terminal:
        terminal.wait_for("ready")
        terminal.send("e")
        assert terminal.wait_for_exit() == 1
        check_left(terminal)
        said = bytes(terminal.transcript[terminal.transcript.rfind(b"\x1b") :]).decode()
    assert "Error: IndexError: list index out of range" in said
    assert "Traceback" not in said
    (log,) = (workspace.root / ".cache" / "errors").iterdir()
    assert str(log) in said
    assert "Traceback" in log.read_text(encoding="utf-8")
    check_engine_left(workspace)


def read_until(terminal: Terminal, text: str | bytes, since: int) -> bytes:
    """What was sent from there on, once `text` is in it. The emulator has one screen for both, so bytes are read."""
    wanted = text.encode() if isinstance(text, str) else text

    def came() -> bool:
        terminal.read(0.2)
        return wanted in terminal.transcript[since:]

    until(came, 20)
    return bytes(terminal.transcript[since:])


def test_stopped_and_continued_by_a_shell(workspace: Workspace) -> None:
    with start(workspace, shell="command") as terminal:
        terminal.wait_for("ready")
        pid = os.tcgetpgrp(terminal.master)

        def then(act: Callable[[], object], text: str | bytes) -> bytes:
            begun = len(terminal.transcript)
            act()
            return read_until(terminal, text, begun)

        for _ in range(3):
            sent = then(lambda: terminal.send(CTRL_Z), "Stopped")
            # Between the modes and the shell's own words nothing is written: no line of a chart stays in the shell.
            between = sent.rpartition(PRIMARY)[2].partition(b"Stopped")[0]
            assert not re.sub(rb"\x1b\[[?<>]?[\d;]*[a-zA-Z]|\s|\[1\]\+", b"", between)
            assert ALTERNATE in then(lambda: terminal.send("fg\n"), "Quit")
            assert terminal.is_raw
        # A stop that nobody was told of leaves the modes to the shell, which sets its own.
        then(lambda: os.kill(pid, signal.SIGSTOP), "Stopped")
        assert ALTERNATE in then(lambda: terminal.send("fg\n"), "Quit")
        assert terminal.is_raw
        # Sent to the background, it stops again instead of drawing over the shell.
        then(lambda: terminal.send(CTRL_Z), "Stopped")
        then(lambda: terminal.send("bg\n"), "&")
        until(lambda: process_state(pid) == "T")
        then(lambda: terminal.send("fg\n"), "Quit")
        then(lambda: terminal.send(CTRL_Q), PROMPT)
        then(lambda: terminal.send("echo left with $?\n"), "left with 0")


def test_without_a_shell_to_come_back_from_it_is_not_stopped(workspace: Workspace) -> None:
    """In a window of its own there would be nobody to let it go on."""
    with start(workspace) as terminal:
        terminal.wait_for("ready")
        terminal.send(CTRL_Z)
        terminal.wait_for("There is no shell")
        terminal.send(CTRL_Q)
        assert terminal.wait_for_exit() == 0


def test_random_keys_bytes_and_sizes() -> None:
    """For minutes: python -m benchmarks.reliability.random_keys."""
    began = time.monotonic()
    random_keys.play(5, seed=2)
    assert time.monotonic() - began < 150, "it comes to an end"
