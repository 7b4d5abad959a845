"""Measures how long a user waits: for --help, the first paint, the first loss of the default preset.

python -m benchmarks.startup [--rounds 5]
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import options_of
from benchmarks.latency import leave
from tests.support.terminal import Terminal, rnnplay_command


def help_seconds() -> float:
    began = time.perf_counter()
    subprocess.run(rnnplay_command("--help"), capture_output=True, check=True)
    return time.perf_counter() - began


def first_paint_and_loss(workspace: Path) -> tuple[float, float, float]:
    """Measures the seconds from launch to the first screen, to the keys in its footer, and to the first loss."""
    began = time.perf_counter()
    # Python keeps its compiled files, as for a user.
    environment = {"RNNPLAY_CONFIG": str(workspace / "settings.json"), "PYTHONDONTWRITEBYTECODE": ""}
    with Terminal(rnnplay_command("--workspace", str(workspace)), env=environment) as terminal:
        wait_for_bytes(terminal, "Prompt")  # the lowest panel
        paint = time.perf_counter() - began
        wait_for_bytes(terminal, "Quit")
        footer = time.perf_counter() - began
        terminal.send("\r")
        wait_for_bytes(terminal, "tok/s")
        loss = time.perf_counter() - began
        leave(terminal)  # with its engine, which would slow the next start
    return paint, footer, loss


def wait_for_bytes(terminal: Terminal, text: str) -> None:
    """Waits until `text` has come, without the emulator's own time."""
    until = time.perf_counter() + 60
    while text.encode() not in terminal.transcript:
        assert time.perf_counter() < until, f"{text!r} did not come"
        terminal.read(1.0, draw=False)


def main() -> None:
    parser = options_of("benchmarks.startup", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    helps = [help_seconds() for _ in range(rounds)]
    paints, footers, losses = [], [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        first_paint_and_loss(Path(folder))  # the first start compiles, once per installation
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            paint, footer, loss = first_paint_and_loss(Path(folder))
        paints.append(paint)
        footers.append(footer)
        losses.append(loss)
    for name, values in (
        ("rnnplay --help", helps),
        ("first paint", paints),
        ("keys in the footer", footers),
        ("launch to first loss", losses),
    ):
        print(f"{name}: median {statistics.median(values):.2f} s, worst {max(values):.2f} s of {rounds}")


if __name__ == "__main__":
    main()
