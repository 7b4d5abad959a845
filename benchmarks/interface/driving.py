"""Drives rnnplay in a terminal as a user does: starts training, pauses, types, leaves."""

from __future__ import annotations

import time

from tests.support.terminal import Terminal

RARE = [chr(code) for code in range(0x0411, 0x0550) if chr(code).isalpha()]
"""Letters that are nowhere else on the screen, each used once."""


def start_training(terminal: Terminal) -> None:
    """Presses Enter on Train and waits for the first numbers."""
    terminal.wait_for("Train")
    terminal.send("\r")
    terminal.wait_for(lambda text: "training" in text and "left" in text, 60)


def settle(terminal: Terminal, seconds: float, draw: bool = True) -> None:
    """Reads for a while, as in a user's pause between two keys."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        terminal.read(left, draw)


def measure_echo(terminal: Terminal, keys: int) -> list[float]:
    """Measures the seconds from each key to its echo."""
    times = []
    for letter in RARE[:keys]:
        settle(terminal, 0.05, draw=False)
        wanted = letter.encode()
        seen = b""
        began = time.perf_counter()
        terminal.send(letter)
        while wanted not in seen:
            seen += terminal.read(5.0, draw=False)
            if time.perf_counter() - began > 5:
                raise AssertionError(f"no echo of {letter!r}")
        times.append(time.perf_counter() - began)
    return times


def leave(terminal: Terminal) -> None:
    """Leaves with ctrl+q and confirms."""
    terminal.send("\x11")
    terminal.wait_for("Stop and keep")
    terminal.send("\r")
    terminal.wait_for_exit()
