"""How long a person waits: --help, the first paint, the first loss of the default preset.

python -m benchmarks.startup [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.terminal import Terminal, rnnplay_command


def help_seconds() -> float:
    began = time.perf_counter()
    subprocess.run(rnnplay_command("--help"), capture_output=True, check=True)
    return time.perf_counter() - began


def first_paint_and_loss(workspace: Path) -> tuple[float, float]:
    """Seconds from launch to the drawn screen, and to the first loss on it when Train is pressed at once."""
    began = time.perf_counter()
    environment = {"RNNPLAY_CONFIG": str(workspace / "settings.json")}
    with Terminal(rnnplay_command("--workspace", str(workspace)), env=environment) as terminal:
        wait_for_bytes(terminal, "Quit")  # the footer: the last thing drawn
        paint = time.perf_counter() - began
        terminal.send("\r")
        wait_for_bytes(terminal, "tok/s")
        loss = time.perf_counter() - began
    return paint, loss


def wait_for_bytes(terminal: Terminal, text: str) -> None:
    """Until `text` has come, the emulator's own time left out."""
    until = time.perf_counter() + 60
    while text.encode() not in terminal.transcript:
        assert time.perf_counter() < until, f"{text!r} did not come"
        terminal.read(1.0, draw=False)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    helps = [help_seconds() for _ in range(rounds)]
    paints, losses = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            paint, loss = first_paint_and_loss(Path(folder))
        paints.append(paint)
        losses.append(loss)
    for name, values in (("rnnplay --help", helps), ("first paint", paints), ("launch to first loss", losses)):
        print(f"{name}: median {statistics.median(values):.2f} s, worst {max(values):.2f} s of {rounds}")


if __name__ == "__main__":
    main()
