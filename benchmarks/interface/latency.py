"""Measures keys and ghost text in a pseudo-terminal while training, and training's speed with and without it.

    python -m benchmarks.interface.latency [--keys 200] [--columns 120] [--rows 40] [--seconds 20]

Echo: from a key written to the terminal to its character in the raw bytes that come back.
Ghost: from a key to the first screen with a completion behind the text.
Speed: tokens/s by the clock of the same preset, headless (`rnnplay train`) and with the interface, in turns A B B A.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from benchmarks import options_of
from benchmarks.interface.driving import leave, measure_echo, settle, start_training
from benchmarks.measures import cpu_seconds, percentile
from tests.support.terminal import Terminal, rnnplay_command


def measure_ghost(terminal: Terminal, keys: int) -> tuple[list[float], int]:
    """Measures the seconds from each key to a completion behind the text, and counts keys without one within 2 s."""
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


class StepClock(Thread):
    """Records by wall clock when steps of the newest run reach its metrics.jsonl, about every second.

    So the time between two steps counts too, in the same way for both sides.
    """

    def __init__(self, workspace: Path) -> None:
        super().__init__(daemon=True)
        self._folder = workspace / "checkpoints"
        self._before = set(self._folder.glob("*/metrics.jsonl"))
        self._place: Path | None = None
        self._growths: list[tuple[float, int]] = []
        """(time, bytes) at each growth of the file."""
        self._over = Event()

    def run(self) -> None:
        while not self._over.wait(0.01):
            if self._place is None:
                self._place = next(iter(set(self._folder.glob("*/metrics.jsonl")) - self._before), None)
            elif (size := self._place.stat().st_size) > (self._growths[-1][1] if self._growths else 0):
                self._growths.append((time.perf_counter(), size))

    @property
    def growths(self) -> int:
        """How often the file has grown."""
        return len(self._growths)

    def tokens_per_second(self) -> float:
        """Returns the speed from the second growth, after the warm-up, to the last; ends the recording."""
        self._over.set()
        self.join()
        assert self._place is not None
        (began, first), *_, (ended, last) = self._growths[1:]
        grown = self._place.read_bytes()[first:last].decode().splitlines()
        records = [record for record in map(json.loads, grown) if record["type"] == "step"]
        # The first of these is the step after the one at `began`.
        per_step = records[1]["tokens"] - records[0]["tokens"]
        return float(per_step * len(records) / (ended - began))


def headless_speed(workspace: Path, seconds: float) -> float:
    """Measures tokens/s of `rnnplay train`."""
    clock = StepClock(workspace)
    clock.start()
    command = rnnplay_command("--workspace", str(workspace), "train", "--minutes", "60")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while clock.growths < 2 and process.poll() is None:
            time.sleep(0.05)
        time.sleep(seconds)
        return clock.tokens_per_second()
    finally:
        process.terminate()
        process.wait()


def attached_speed(workspace: Path, seconds: float, columns: int, rows: int) -> tuple[float, float, float]:
    """Measures tokens/s with the interface open, its fraction of a core, and bytes/s to the terminal."""
    clock = StepClock(workspace)
    clock.start()
    command = rnnplay_command("--workspace", str(workspace))
    with Terminal(command, columns, rows, env={"RNNPLAY_CONFIG": str(workspace / "settings.json")}) as terminal:
        start_training(terminal)
        while clock.growths < 2:
            settle(terminal, 0.05, draw=False)
        before, cpu = terminal.bytes_read, cpu_seconds(terminal.process.pid)
        settle(terminal, seconds, draw=False)  # without drawing, as the emulator's time is not the interface's
        sent, used = terminal.bytes_read - before, cpu_seconds(terminal.process.pid) - cpu
        speed = clock.tokens_per_second()
        leave(terminal)
    return speed, used / seconds, sent / seconds


def in_turns(
    workspace: Path, seconds: float, columns: int, rows: int, rounds: int
) -> Iterator[tuple[float, float, float, float]]:
    """Yields tokens/s headless and the result of `attached_speed`; A B, B A, … so that drift affects both."""
    for number in range(rounds):
        if number % 2:
            attached = attached_speed(workspace, seconds, columns, rows)
            yield headless_speed(workspace, seconds), *attached
        else:
            yield headless_speed(workspace, seconds), *attached_speed(workspace, seconds, columns, rows)


def idle_fraction(workspace: Path, seconds: float) -> float:
    """Measures the interface's fraction of a core while it is idle."""
    command = rnnplay_command("--workspace", str(workspace))
    with Terminal(command, 120, 40, env={"RNNPLAY_CONFIG": str(workspace / "settings.json")}) as terminal:
        terminal.wait_for("ready")
        settle(terminal, 3.0, draw=False)
        before = cpu_seconds(terminal.process.pid)
        settle(terminal, seconds, draw=False)
        used = cpu_seconds(terminal.process.pid) - before
        terminal.send("\x11")
        terminal.wait_for_exit()
    return used / seconds


def main() -> None:
    parser = options_of("benchmarks.interface.latency", __doc__)
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
            f"p95 {percentile(ghost, 0.95) * 1e3:.0f} ms ({none} keys without a completion)"
        )
        ratios = []
        for alone, speed, load, sent in in_turns(workspace, options.seconds, *size, options.rounds):
            ratios.append(speed / alone)
            print(f"  headless {alone:,.0f} tok/s, attached {speed:,.0f} tok/s, ", end="")
            print(f"interface {load:.1%} of a core, {sent / 1e3:.1f} kB/s to the terminal", flush=True)
        if ratios:
            print(f"attached / headless: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
