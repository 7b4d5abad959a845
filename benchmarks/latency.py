"""Keys and ghost text in a pseudo-terminal while training takes both cores, and training's speed with and without.

    python -m benchmarks.latency [--keys 200] [--columns 120] [--rows 40] [--seconds 20]

Echo: from a key written to the terminal to its character in the raw bytes that come back.
Ghost: from a key to the first screen on which a continuation stands behind the text.
Speed: tokens/s of the same preset, headless (`rnnplay train`) and with the interface, in turns A B A B.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.terminal import Terminal, rnnplay_command

RARE = [chr(code) for code in range(0x0411, 0x0550) if chr(code).isalpha()]
"""Letters that nothing else on the screen shows, each used once."""


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def start_training(terminal: Terminal) -> None:
    """Press Enter on Train and wait for the first numbers."""
    terminal.wait_for("Train")
    terminal.send("\r")
    terminal.wait_for(lambda text: "tok/s" in text and "left" in text, 60)


def measure_echo(terminal: Terminal, keys: int) -> list[float]:
    """Seconds from each key to its echo."""
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


def settle(terminal: Terminal, seconds: float, draw: bool = True) -> None:
    """Read for a while, as a person between two keys."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        terminal.read(left, draw)


def measure_ghost(terminal: Terminal, keys: int) -> tuple[list[float], int]:
    """Seconds from each key to a continuation behind the text; and keys after which none came within 2 s."""
    times, none = [], 0
    text = "Once upon a time the little fox went to the big house and saw the old king "
    for number in range(keys):
        if number % len(text) == 0:
            terminal.send("\x15")  # ctrl+u empties the field
            settle(terminal, 0.3)
            typed = ""
        typed += text[number % len(text)]
        tail = typed[-12:]
        settle(terminal, 0.12)
        began = time.perf_counter()
        terminal.send(typed[-1])
        while time.perf_counter() - began < 2:
            terminal.read(0.02)
            if re.search(re.escape(tail) + r"[^\s│┃▏▎▕]", terminal.text) or re.search(
                re.escape(tail.rstrip()) + r"\s?\w", terminal.text
            ):
                times.append(time.perf_counter() - began)
                break
        else:
            none += 1
    return times, none


def headless_speed(workspace: Path, seconds: float) -> float:
    """Median tokens/s of `rnnplay train`."""
    done = subprocess.run(
        rnnplay_command("--workspace", str(workspace), "train", "--minutes", str(seconds / 60), "--json"),
        capture_output=True,
        text=True,
        check=True,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return speed([record for record in records if record["type"] == "step"])


def speed(steps: list[dict[str, float]]) -> float:
    """Median of the step records' tokens/s, the first fifth left out."""
    return statistics.median(step["tokens_per_second"] for step in steps[len(steps) // 5 :])


def attached_speed(workspace: Path, seconds: float, columns: int, rows: int) -> tuple[float, float, float]:
    """Median tokens/s with the interface on; its share of a core; bytes/s to the terminal."""
    command = rnnplay_command("--workspace", str(workspace))
    with Terminal(command, columns, rows, env={"RNNPLAY_CONFIG": str(workspace / "settings.json")}) as terminal:
        start_training(terminal)
        before, cpu = terminal.bytes_read, cpu_seconds(terminal.process.pid)
        settle(terminal, seconds, draw=False)  # the emulator's own time is not the interface's
        sent, used = terminal.bytes_read - before, cpu_seconds(terminal.process.pid) - cpu
        leave(terminal)
    newest = max((workspace / "checkpoints").iterdir(), key=lambda folder: folder.stat().st_mtime)
    records = [json.loads(line) for line in (newest / "metrics.jsonl").read_text().splitlines()]
    return speed([record for record in records if record["type"] == "step"]), used / seconds, sent / seconds


def leave(terminal: Terminal) -> None:
    """ctrl+q, and yes."""
    terminal.send("\x11")
    terminal.wait_for("Stop and keep")
    terminal.send("\r")
    terminal.wait_for_exit()


def cpu_seconds(pid: int) -> float:
    """User and system time of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="0: latencies only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        command = rnnplay_command("--workspace", folder)
        size = (options.columns, options.rows)
        with Terminal(command, *size, env={"RNNPLAY_CONFIG": str(workspace / "settings.json")}) as terminal:
            start_training(terminal)
            terminal.send("g")
            settle(terminal, 1.0)
            ghost, none = measure_ghost(terminal, options.keys)
            terminal.send("\x15")
            echo = measure_echo(terminal, options.keys)
            leave(terminal)
        print(
            f"echo of {len(echo)} keys: p50 {percentile(echo, 0.5) * 1e3:.1f} ms, "
            f"p99 {percentile(echo, 0.99) * 1e3:.1f} ms, max {max(echo) * 1e3:.1f} ms"
        )
        print(
            f"ghost text of {len(ghost)} keys: p50 {percentile(ghost, 0.5) * 1e3:.0f} ms, "
            f"p95 {percentile(ghost, 0.95) * 1e3:.0f} ms ({none} keys without a continuation)"
        )
        alone, attached = [], []
        for _ in range(options.rounds):
            alone.append(headless_speed(workspace, options.seconds))
            rate, share, sent = attached_speed(workspace, options.seconds, *size)
            attached.append(rate)
            print(f"  headless {alone[-1]:,.0f} tok/s, attached {rate:,.0f} tok/s, ", end="")
            print(f"interface {share:.1%} of a core, {sent / 1e3:.1f} kB/s to the terminal")
        if alone:
            print(f"attached / headless: {statistics.median(attached) / statistics.median(alone):.3f}", file=sys.stdout)


if __name__ == "__main__":
    main()
