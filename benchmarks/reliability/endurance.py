"""Measures the interface after it was stopped for a while, and its memory over many minutes.

    python -m benchmarks.reliability.endurance stopped [--seconds 60]
    python -m benchmarks.reliability.endurance memory [--minutes 10]

stopped   SIGSTOP to the interface while training, then SIGCONT
memory    resident memory of both processes, every ten seconds
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import options_of
from benchmarks.interface.driving import leave, settle
from benchmarks.measures import resident_mb
from tests.support.terminal import Terminal, rnnplay_command


def engine_of(parent: int) -> int:
    """Returns the process id of the engine that the interface started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rsplit(")", 1)[1].split()[1]) == parent and b"rnnplay.engine" in command:
            return int(folder.name)
    raise AssertionError("no engine")


def steps_done(workspace: Path) -> int:
    """Returns the last step in metrics.jsonl."""
    (run,) = (workspace / "checkpoints").iterdir()
    for line in reversed((run / "metrics.jsonl").read_text().splitlines()):
        record = json.loads(line)
        if record["type"] == "step":
            return int(record["step"])
    return 0


def shown_step(screen: str) -> int:
    """Returns the step in the status line."""
    found = re.search(r"step ([\d,]+)", screen.splitlines()[0])
    return int(found[1].replace(",", "")) if found else 0


def begin_long_run(workspace: Path) -> None:
    """Starts and stops a run of an hour, for the interface to resume."""
    options = ("--run", "long", "--minutes", "60", "--schedule", "constant", "--json")
    command = rnnplay_command("train", "--workspace", str(workspace), *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has started
        process.send_signal(signal.SIGTERM)  # a shell that starts this in the background ignores SIGINT
        process.communicate()


def stopped(terminal: Terminal, workspace: Path, seconds: float) -> None:
    engine = engine_of(terminal.process.pid)
    settle(terminal, 10)

    def pace(wait: float) -> float:
        began, first = time.monotonic(), steps_done(workspace)
        settle(terminal, wait)
        return (steps_done(workspace) - first) / (time.monotonic() - began)

    before = pace(seconds / 2)
    memory = resident_mb(engine)
    terminal.process.send_signal(signal.SIGSTOP)
    during = pace(seconds)
    grown = resident_mb(engine) - memory
    terminal.process.send_signal(signal.SIGCONT)
    woken = time.monotonic()
    while abs(shown_step(terminal.text) - steps_done(workspace)) > 2.5 * during:  # metrics.jsonl is written each second
        terminal.read(0.05)
        assert time.monotonic() - woken < 30, "the interface did not catch up"
    caught_up = time.monotonic() - woken
    after = pace(seconds / 2)
    usual = (before + after) / 2
    print(f"steps/s: {before:.1f} before, {during:.1f} while stopped for {seconds:.0f} s, {after:.1f} after")
    print(f"stopped / usual: {during / usual:.3f}; engine memory {grown:+.1f} MB; right again after {caught_up:.1f} s")


def memory(terminal: Terminal, minutes: float) -> None:
    engine = engine_of(terminal.process.pid)
    began = time.monotonic()
    rows = []
    while (passed := time.monotonic() - began) < minutes * 60:
        rows.append((passed, resident_mb(terminal.process.pid), resident_mb(engine)))
        settle(terminal, 10)
    print("| minutes | interface MB | engine MB | █: 5 MB, ░: 20 MB |\n| --- | --- | --- | --- |")
    for passed, interface, trained in rows[:: max(1, len(rows) // 20)]:
        bars = f"{'█' * round(interface / 5)} {'░' * round(trained / 20)}"
        print(f"| {passed / 60:.1f} | {interface:.1f} | {trained:.1f} | {bars} |")
    settled = [row for row in rows if row[0] >= 60]
    for name, column in (("interface", 1), ("engine", 2)):
        print(f"{name}: {settled[-1][column] - settled[0][column]:+.1f} MB since the first minute")


def main() -> None:
    parser = options_of("benchmarks.reliability.endurance", __doc__)
    parser.add_argument("what", choices=["stopped", "memory"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        environment = {"RNNPLAY_CONFIG": str(workspace / "settings.json")}
        begin_long_run(workspace)
        with Terminal(rnnplay_command("--workspace", folder, "--run", "long"), env=environment) as terminal:
            terminal.wait_for("Resume", 60)
            terminal.send("\r")
            terminal.wait_for(lambda text: "training" in text and "left" in text, 60)
            if options.what == "stopped":
                stopped(terminal, workspace, options.seconds)
            else:
                memory(terminal, options.minutes)
            leave(terminal)


if __name__ == "__main__":
    main()
