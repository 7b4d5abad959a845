"""The program as a user has it, in a pseudo-terminal with its real engine process."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from rnnplay.runs.folder import RunFolder, list_runs
from rnnplay.runs.metrics.records import Step
from rnnplay.workspace import Workspace
from tests.support.terminal import Terminal, rnnplay_command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

CTRL_Q, ENTER, ESCAPE = "\x11", "\r", "\x1b"
WEE = "hidden = 32\nbatch_size = 8\nbptt = 32\nminutes = 1.0\n"
"""A model whose steps take no time to wait for."""


def start(workspace: Workspace, *arguments: str, columns: int = 120, rows: int = 40) -> Terminal:
    env = {"RNNPLAY_CONFIG": str(workspace.root / "settings.json"), "OMP_NUM_THREADS": "1"}
    workspace.presets.mkdir(exist_ok=True)
    (workspace.presets / "wee.toml").write_text(WEE, encoding="utf-8")
    command = rnnplay_command("--workspace", str(workspace.root), "--corpus", "small", "--preset", "wee", *arguments)
    return Terminal(command, columns, rows, env)


def train(terminal: Terminal) -> None:
    terminal.wait_for("Train")
    terminal.send(ENTER)
    # In 80 columns the header has no room for the speed.
    terminal.wait_for(lambda text: "training" in text and re.search(r"step \d", text) is not None, 60)


def press_until(terminal: Terminal, key: str, text: str) -> None:
    """Press `key` every second until the screen holds `text`."""
    for _ in range(10):
        terminal.send(key)
        try:
            terminal.wait_for(text, 1)
            return
        except AssertionError:
            continue
    raise AssertionError(f"{text!r} did not come; the screen is:\n{terminal.text}")


def check_repaint(terminal: Terminal) -> None:
    """What many small updates have left on the screen is what painting it whole makes of it."""
    while terminal.read(1.5):
        pass
    updated, (columns, rows) = terminal.cells, (terminal.screen.columns, terminal.screen.lines)
    for width in (columns - 1, columns):  # the same size again would not be painted
        terminal.screen.reset()
        terminal.resize(width, rows)
        terminal.wait_for("paused")
    terminal.wait_for(lambda _: terminal.cells == updated)


def shown_step(screen: str) -> int:
    """The step in the status line; 0 if there is none."""
    found = re.search(r"step ([\d,]+)", screen.splitlines()[0])
    return int(found[1].replace(",", "")) if found else 0


def engines(parent: int) -> list[int]:
    """The engine processes started by `parent`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(status.rsplit(")", 1)[1].split()[1]) == parent and b"rnnplay.engine" in command:
            found.append(int(folder.name))
    return found


def until(condition: object, timeout: float = 30) -> None:
    """Wait on a condition that no screen shows."""
    assert callable(condition)
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)  # what is waited for needs the core


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child of a dead parent may stay a zombie until something collects it.
    return process_state(pid) != "Z"


def process_state(pid: int) -> str:
    """R, S, T (stopped), Z…"""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_train_prompt_pause_stop_quit_come_back_and_resume(workspace: Workspace) -> None:
    with start(workspace) as terminal:
        train(terminal)
        terminal.send("g")
        terminal.wait_for("f5 Train")
        terminal.send("the ca")
        terminal.wait_for("the ca")
        terminal.wait_for(lambda text: "%" in text.split("Prompt")[1])  # the bars of the next tokens
        press_until(terminal, ESCAPE, "g Prompt")
        terminal.send(" ")
        terminal.wait_for("paused")
        check_repaint(terminal)  # before there is a sample, whose scrollbar a change of size draws anew
        terminal.send(" ")
        terminal.wait_for("training")
        terminal.send("g")
        terminal.wait_for("f5 Train")
        terminal.send(ENTER)
        # A long sample has its beginning out of sight.
        terminal.wait_for(lambda text: re.search(r"seed \d+ · step \d+ · temperature .+\n.*\w", text) is not None)
        press_until(terminal, ESCAPE, "g Prompt")  # the first may end the sample, the next leaves the field
        terminal.send("x")
        terminal.wait_for("stopped")
        terminal.send(CTRL_Q)
        assert terminal.wait_for_exit() == 0
    run = list_runs(workspace)[0]
    stopped_at = run.checkpoint("latest").step
    assert stopped_at > 0
    with start(workspace, "--run", run.name) as terminal:
        terminal.wait_for("Resume", 60)
        terminal.send(ENTER)
        terminal.wait_for(lambda text: "training" in text and "tok/s" in text, 60)
        terminal.send(CTRL_Q)
        terminal.wait_for("Stop and keep")
        terminal.send(ENTER)
        assert terminal.wait_for_exit() == 0
        told = bytes(terminal.transcript).decode().splitlines()[-1]
    kept = run.checkpoint("latest").step
    assert kept > stopped_at
    assert f"{run.name} is kept at step {kept:,} in {run.path}; go on with: rnnplay train --resume " in told


def test_the_threshold_by_key_shows_in_the_records_and_on_the_chart(workspace: Workspace) -> None:
    with start(workspace) as terminal:
        train(terminal)
        for _ in range(4):
            terminal.send("-")
        terminal.wait_for(lambda text: "0.05" in text and "clipped" in text)
        screen = terminal.wait_for(lambda text: "100% of 100 steps clipped" in text)
        assert " clip" in screen.split("Gradient norm")[1]
        terminal.send("x")
        terminal.wait_for("stopped")
    records = [record for record in list_runs(workspace)[0].metrics() if hasattr(record, "grad_norm_clipped")]
    assert all(record.grad_norm_clipped <= 0.05 for record in records[-50:])


def test_a_killed_engine_is_said_within_a_second_and_resumed_on_one_key(workspace: Workspace) -> None:
    with start(workspace) as terminal:
        train(terminal)
        (engine,) = engines(terminal.process.pid)
        os.kill(engine, signal.SIGKILL)
        terminal.wait_for("The engine is gone: it was killed by SIGKILL", 5)
        terminal.send("t")
        terminal.wait_for(lambda text: "tok/s" in text and "engine is gone" not in text, 60)
        assert len(list_runs(workspace)) == 1


def test_a_killed_interface_leaves_a_checkpoint_and_no_engine(workspace: Workspace) -> None:
    with start(workspace) as terminal:
        train(terminal)
        (engine,) = engines(terminal.process.pid)
        run = list_runs(workspace)[0]
        terminal.wait_for(lambda text: shown_step(text) > 0)
        seen = shown_step(terminal.text)
        terminal.process.send_signal(signal.SIGKILL)
        terminal.process.wait(10)
        until(lambda: not alive(engine))
        assert RunFolder(run.path).checkpoint("latest").step >= seen > 0


def test_an_interface_stopped_for_a_while_is_right_again_and_can_be_left(workspace: Workspace) -> None:
    with start(workspace) as terminal:
        train(terminal)
        (run,) = list_runs(workspace)
        terminal.process.send_signal(signal.SIGSTOP)
        recorded = sum(1 for _ in run.metrics())
        until(lambda: sum(1 for _ in run.metrics()) > recorded + 100)  # training goes on meanwhile
        reached = max(record.step for record in run.metrics() if isinstance(record, Step))
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(lambda text: shown_step(text) >= reached, 5)
        terminal.send(CTRL_Q)
        terminal.wait_for("Stop and keep")
        terminal.send(ENTER)
        assert terminal.wait_for_exit() == 0


def test_it_holds_together_at_any_size(workspace: Workspace) -> None:
    with start(workspace, columns=200, rows=60) as terminal:
        train(terminal)
        words = ("Loss", "Gradient norm", "steps clipped", "Prompt", "Pause", "Quit")
        terminal.wait_for(lambda text: all(word in text for word in words))
        terminal.screen.reset()  # whatever is seen now was painted for the new size
        terminal.resize(80, 24)
        terminal.wait_for(lambda text: all(word in text for word in words))
        terminal.resize(120, 40)
        terminal.wait_for("Setup")
        terminal.send(CTRL_Q)
        terminal.wait_for("Stop and keep")
        terminal.send(ESCAPE)
        terminal.wait_for(lambda text: "Stop and keep" not in text)
        terminal.send(CTRL_Q)
        terminal.wait_for("Stop and keep")
        terminal.send(ENTER)
        assert terminal.wait_for_exit() == 0


def test_no_color(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with start(workspace) as terminal:
        terminal.wait_for("ready", 60)
        cells = [cell for line in terminal.screen.buffer.values() for cell in line.values()]
    colours = {colour for cell in cells for colour in (cell.fg, cell.bg)} - {"default"}
    for colour in colours:
        assert colour[0:2] == colour[2:4] == colour[4:6], f"{colour} is no grey"
